/**
 * `paddle.nn`: layers that hold parameters with Paddle's names, shapes and initial values. There is no forward pass.
 *
 * @example A network with the same names as in Paddle
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 * const { nn } = paddle;
 *
 * class Net extends nn.Layer {
 *   body = new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU(), new nn.BatchNorm1D(3));
 *   scale = this.createParameter([1]);
 * }
 * paddle.seed(7);
 * const net = new Net();
 * const bytes = paddle.encode(net.stateDict());
 * const { missingKeys, unexpectedKeys } = net.setStateDict(paddle.decode(bytes) as paddle.StateDict);
 * if (missingKeys.length + unexpectedKeys.length > 0) throw new Error("other keys");
 * ```
 *
 * @module
 */
export type { Call, Signature } from "./arguments.ts";
export {
  ClipGradByGlobalNorm,
  type ClipGradByGlobalNormArguments,
  ClipGradByNorm,
  type ClipGradByNormArguments,
  ClipGradByValue,
  type ClipGradByValueArguments,
  type GradClip,
} from "./clip.ts";
export { type CreateParameterOptions } from "./create_parameter.ts";
export * as initializer from "./initializer/mod.ts";
export {
  Layer,
  type NamedOptions,
  type SetStateDictOptions,
  type StateDictLike,
  type StateDictOptions,
} from "./layer.ts";
export {
  CELU,
  ChannelShuffle,
  CosineSimilarity,
  ELU,
  Flatten,
  Fold,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  Identity,
  LeakyReLU,
  LocalResponseNorm,
  LogSigmoid,
  LogSoftmax,
  Maxout,
  Mish,
  PairwiseDistance,
  PixelShuffle,
  PixelUnshuffle,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  Sigmoid,
  Silu,
  Softmax,
  Softmax2D,
  Softplus,
  Softshrink,
  Softsign,
  Swish,
  Tanh,
  Tanhshrink,
  ThresholdedReLU,
  Unflatten,
  Unfold,
  Upsample,
  UpsamplingBilinear2D,
  UpsamplingNearest2D,
} from "./layers/activations.ts";
export { AdaptiveLogSoftmaxWithLoss, type AdaptiveLogSoftmaxWithLossArguments } from "./layers/adaptive_log_softmax.ts";
export { MultiHeadAttention, type MultiHeadAttentionArguments } from "./layers/multi_head_attention.ts";
export {
  BatchNorm,
  BatchNorm1D,
  BatchNorm2D,
  BatchNorm3D,
  type BatchNormArguments,
  type BatchNormND,
  type BatchNormNDArguments,
  type BatchNormNDOrder,
  SyncBatchNorm,
  type SyncBatchNormArguments,
} from "./layers/batch_norm.ts";
export { type BuiltInLayer } from "./layers/built_in_layer.ts";
export { LayerDict, LayerList, type Named, ParameterDict, ParameterList, Sequential } from "./layers/containers.ts";
export {
  Conv1D,
  Conv1DTranspose,
  type Conv1DTransposeOrder,
  Conv2D,
  Conv2DTranspose,
  Conv3D,
  Conv3DTranspose,
  type ConvArguments,
  type ConvCommonArguments,
  type ConvLayer,
  type ConvND,
  type ConvOrder,
  type ConvTransposeArguments,
  type ConvTransposeND,
  type ConvTransposeOrder,
  type Sizes,
} from "./layers/conv.ts";
export { AlphaDropout, Dropout, Dropout2D, Dropout3D, FeatureAlphaDropout } from "./layers/dropout.ts";
export {
  Bilinear,
  type BilinearArguments,
  Embedding,
  type EmbeddingArguments,
  HSigmoidLoss,
  type HSigmoidLossArguments,
  Linear,
  type LinearArguments,
  PReLU,
  type PReLUArguments,
  SpectralNorm,
  type SpectralNormArguments,
  type WeightAndBias,
} from "./layers/linear.ts";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CrossEntropyLoss,
  CTCLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  KLDivLoss,
  L1Loss,
  MarginRankingLoss,
  MSELoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  PoissonNLLLoss,
  RNNTLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from "./layers/losses.ts";
export { GRU, LSTM, SimpleRNN } from "./layers/lstm.ts";
export {
  GroupNorm,
  type GroupNormArguments,
  InstanceNorm1D,
  InstanceNorm2D,
  InstanceNorm3D,
  type InstanceNormArguments,
  type InstanceNormND,
  type InstanceNormOrder,
  LayerNorm,
  type LayerNormArguments,
} from "./layers/norm.ts";
export {
  AdaptiveAvgPool1D,
  AdaptiveAvgPool2D,
  AdaptiveAvgPool3D,
  AdaptiveMaxPool1D,
  AdaptiveMaxPool2D,
  AdaptiveMaxPool3D,
  AvgPool1D,
  AvgPool2D,
  AvgPool3D,
  CircularPad1D,
  CircularPad2D,
  CircularPad3D,
  ConstantPad1D,
  ConstantPad2D,
  ConstantPad3D,
  FractionalMaxPool2D,
  FractionalMaxPool3D,
  LPPool1D,
  LPPool2D,
  MaxPool1D,
  MaxPool2D,
  MaxPool3D,
  MaxUnPool1D,
  MaxUnPool2D,
  MaxUnPool3D,
  Pad1D,
  Pad2D,
  Pad3D,
  ReflectionPad1D,
  ReflectionPad2D,
  ReflectionPad3D,
  ReplicationPad1D,
  ReplicationPad2D,
  ReplicationPad3D,
  ZeroPad1D,
  ZeroPad2D,
  ZeroPad3D,
} from "./layers/pooling.ts";
export {
  BiRNN,
  type BiRNNArguments,
  type LSTMArguments,
  type MakeCell,
  type RecurrentArguments,
  RNN,
  type RNNArguments,
  type RNNBase,
  type SimpleRNNArguments,
} from "./layers/rnn.ts";
export {
  type CellArguments,
  type CellAttributes,
  GRUCell,
  LSTMCell,
  type LSTMCellArguments,
  type RNNCellBase,
  SimpleRNNCell,
  type SimpleRNNCellArguments,
} from "./layers/rnn_cells.ts";
export {
  type Repeatable,
  Transformer,
  type TransformerArguments,
  TransformerDecoder,
  type TransformerDecoderArguments,
  TransformerEncoder,
  type TransformerEncoderArguments,
} from "./layers/transformer.ts";
export {
  type Attributes,
  type AttrOfParts,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayer,
  type TransformerLayerArguments,
  type TransformerLayerOrder,
} from "./layers/transformer_layers.ts";
export type { OfPaddle } from "./layers/frozen.ts";
export type { PaddleVersion } from "../optimizer/version.ts";
export { type StatelessLayer, type StatelessLayerClass } from "./layers/stateless.ts";
export { type OptimizeAttr, Parameter, type ParameterOptions } from "./parameter.ts";
export { ParamAttr, type ParamAttrArguments, type ParamAttrLike } from "./param_attr.ts";
export type { StateDictHook } from "./registry.ts";
export type { StateDictKeys } from "./set_state_dict.ts";
