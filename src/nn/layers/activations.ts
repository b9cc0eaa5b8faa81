/**
 * Activations, and layers that only rearrange or resample: they have no parameters or buffers, only their arguments.
 *
 * @module
 */
import { REQUIRED } from "../arguments.ts";
import { stateless, StatelessLayer, type StatelessLayerClass } from "./stateless.ts";

/** `paddle.nn.Identity` (3.3); as there, its arguments are ignored. */
export class Identity extends StatelessLayer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Identity";
  /** Takes any arguments. */
  constructor(..._args: unknown[]) {
    super({ name: "Identity", defaults: {} }, []);
  }
}
/** `paddle.nn.ReLU` (3.3). */
export const ReLU: StatelessLayerClass = /* @__PURE__ */ stateless("ReLU", { name: null });
/** `paddle.nn.ReLU6` (3.3). */
export const ReLU6: StatelessLayerClass = /* @__PURE__ */ stateless("ReLU6", { name: null });
/** `paddle.nn.Sigmoid` (3.3). */
export const Sigmoid: StatelessLayerClass = /* @__PURE__ */ stateless("Sigmoid", { name: null });
/** `paddle.nn.Tanh` (3.3). */
export const Tanh: StatelessLayerClass = /* @__PURE__ */ stateless("Tanh", { name: null });
/** `paddle.nn.Tanhshrink` (3.3). */
export const Tanhshrink: StatelessLayerClass = /* @__PURE__ */ stateless("Tanhshrink", { name: null });
/** `paddle.nn.LogSigmoid` (3.3). */
export const LogSigmoid: StatelessLayerClass = /* @__PURE__ */ stateless("LogSigmoid", { name: null });
/** `paddle.nn.Softsign` (3.3). */
export const Softsign: StatelessLayerClass = /* @__PURE__ */ stateless("Softsign", { name: null });
/** `paddle.nn.Mish` (3.3). */
export const Mish: StatelessLayerClass = /* @__PURE__ */ stateless("Mish", { name: null });
/** `paddle.nn.Swish` (3.3). */
export const Swish: StatelessLayerClass = /* @__PURE__ */ stateless("Swish", { name: null });
/** `paddle.nn.Silu` (3.3). */
export const Silu: StatelessLayerClass = /* @__PURE__ */ stateless("Silu", { inplace: false, name: null });
/** `paddle.nn.Hardswish` (3.3). */
export const Hardswish: StatelessLayerClass = /* @__PURE__ */ stateless("Hardswish", { name: null });
/** `paddle.nn.Hardsigmoid` (3.3). */
export const Hardsigmoid: StatelessLayerClass = /* @__PURE__ */ stateless("Hardsigmoid", { name: null });
/** `paddle.nn.Softmax2D` (3.3). */
export const Softmax2D: StatelessLayerClass = /* @__PURE__ */ stateless("Softmax2D", { name: null });
/** `paddle.nn.GELU` (3.3). */
export const GELU: StatelessLayerClass = /* @__PURE__ */ stateless("GELU", { approximate: false, name: null });
/** `paddle.nn.ELU` (3.3). */
export const ELU: StatelessLayerClass = /* @__PURE__ */ stateless("ELU", { alpha: 1, name: null });
/** `paddle.nn.CELU` (3.3). */
export const CELU: StatelessLayerClass = /* @__PURE__ */ stateless("CELU", { alpha: 1, name: null });
/** `paddle.nn.SELU` (3.3). */
export const SELU: StatelessLayerClass = /* @__PURE__ */ stateless("SELU", {
  scale: 1.0507009873554805,
  alpha: 1.6732632423543772,
  name: null,
});
/** `paddle.nn.LeakyReLU` (3.3). */
export const LeakyReLU: StatelessLayerClass = /* @__PURE__ */ stateless("LeakyReLU", {
  negativeSlope: 0.01,
  name: null,
});
/** `paddle.nn.RReLU` (3.3). */
export const RReLU: StatelessLayerClass = /* @__PURE__ */ stateless("RReLU", {
  lower: 0.125,
  upper: 0.3333333333333333,
  name: null,
});
/** `paddle.nn.Hardshrink` (3.3). */
export const Hardshrink: StatelessLayerClass = /* @__PURE__ */ stateless("Hardshrink", { threshold: 0.5, name: null });
/** `paddle.nn.Softshrink` (3.3). */
export const Softshrink: StatelessLayerClass = /* @__PURE__ */ stateless("Softshrink", { threshold: 0.5, name: null });
/** `paddle.nn.Hardtanh` (3.3). */
export const Hardtanh: StatelessLayerClass = /* @__PURE__ */ stateless("Hardtanh", { min: -1, max: 1, name: null });
/** `paddle.nn.Softplus` (3.3). */
export const Softplus: StatelessLayerClass = /* @__PURE__ */ stateless("Softplus", {
  beta: 1,
  threshold: 20,
  name: null,
});
/** `paddle.nn.ThresholdedReLU` (3.3). */
export const ThresholdedReLU: StatelessLayerClass = /* @__PURE__ */ stateless("ThresholdedReLU", {
  threshold: 1,
  value: 0,
  name: null,
});
/** `paddle.nn.Softmax` (3.3). */
export const Softmax: StatelessLayerClass = /* @__PURE__ */ stateless("Softmax", { axis: -1, name: null });
/** `paddle.nn.LogSoftmax` (3.3). */
export const LogSoftmax: StatelessLayerClass = /* @__PURE__ */ stateless("LogSoftmax", { axis: -1, name: null });
/** `paddle.nn.GLU` (3.3). */
export const GLU: StatelessLayerClass = /* @__PURE__ */ stateless("GLU", { axis: -1, name: null });
/** `paddle.nn.Maxout` (3.3). */
export const Maxout: StatelessLayerClass = /* @__PURE__ */ stateless("Maxout", {
  groups: REQUIRED,
  axis: 1,
  name: null,
});
/** `paddle.nn.Flatten` (3.3). */
export const Flatten: StatelessLayerClass = /* @__PURE__ */ stateless("Flatten", { startAxis: 1, stopAxis: -1 });
/** `paddle.nn.Unflatten` (3.3). */
export const Unflatten: StatelessLayerClass = /* @__PURE__ */ stateless("Unflatten", {
  axis: REQUIRED,
  shape: REQUIRED,
  name: null,
});
/** `paddle.nn.Fold` (3.3). */
export const Fold: StatelessLayerClass = /* @__PURE__ */ stateless("Fold", {
  outputSizes: REQUIRED,
  kernelSizes: REQUIRED,
  dilations: 1,
  paddings: 0,
  strides: 1,
  name: null,
});
/** `paddle.nn.Unfold` (3.3). */
export const Unfold: StatelessLayerClass = /* @__PURE__ */ stateless("Unfold", {
  kernelSizes: REQUIRED,
  dilations: 1,
  paddings: 0,
  strides: 1,
  name: null,
});
/** `paddle.nn.PixelShuffle` (3.3). */
export const PixelShuffle: StatelessLayerClass = /* @__PURE__ */ stateless("PixelShuffle", {
  upscaleFactor: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.PixelUnshuffle` (3.3). */
export const PixelUnshuffle: StatelessLayerClass = /* @__PURE__ */ stateless("PixelUnshuffle", {
  downscaleFactor: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.ChannelShuffle` (3.3). */
export const ChannelShuffle: StatelessLayerClass = /* @__PURE__ */ stateless("ChannelShuffle", {
  groups: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.CosineSimilarity` (3.3). */
export const CosineSimilarity: StatelessLayerClass = /* @__PURE__ */ stateless("CosineSimilarity", {
  axis: 1,
  eps: 1e-8,
});
/** `paddle.nn.PairwiseDistance` (3.3). */
export const PairwiseDistance: StatelessLayerClass = /* @__PURE__ */ stateless("PairwiseDistance", {
  p: 2,
  epsilon: 1e-6,
  keepdim: false,
  name: null,
});
/** `paddle.nn.LocalResponseNorm` (3.3). */
export const LocalResponseNorm: StatelessLayerClass = /* @__PURE__ */ stateless("LocalResponseNorm", {
  size: REQUIRED,
  alpha: 1e-4,
  beta: 0.75,
  k: 1,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.Upsample` (3.3). */
export const Upsample: StatelessLayerClass = /* @__PURE__ */ stateless("Upsample", {
  size: null,
  scaleFactor: null,
  mode: "nearest",
  alignCorners: false,
  alignMode: 0,
  dataFormat: null,
  recomputeScaleFactor: null,
  name: null,
});
/** `paddle.nn.UpsamplingNearest2D` (3.3). */
export const UpsamplingNearest2D: StatelessLayerClass = /* @__PURE__ */ stateless("UpsamplingNearest2D", {
  size: null,
  scaleFactor: null,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.UpsamplingBilinear2D` (3.3). */
export const UpsamplingBilinear2D: StatelessLayerClass = /* @__PURE__ */ stateless("UpsamplingBilinear2D", {
  size: null,
  scaleFactor: null,
  dataFormat: "NCHW",
  name: null,
});
