/**
 * Linear layers, and others with a few plain parameters.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import type { Call, Signature } from "../arguments.ts";
import { REQUIRED } from "../arguments.ts";
import { Constant } from "../initializer/fixed.ts";
import { Normal } from "../initializer/random.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { elementCount } from "../../words/element_count.ts";

/** Attributes of a weight and a bias. */
export interface WeightAndBias {
  /** Attributes of the weight. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Attributes of the bias; false for no bias. @default {null} */
  biasAttr?: ParamAttrLike;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
}

/** Arguments of {@linkcode Linear}. */
export interface LinearArguments extends WeightAndBias {
  /** Size of an input. */
  inFeatures: number;
  /** Size of an output. */
  outFeatures: number;
}

const LINEAR: Signature<LinearArguments> = {
  name: "Linear",
  defaults: { inFeatures: REQUIRED, outFeatures: REQUIRED, weightAttr: null, biasAttr: null, name: null },
};

/** `weight` [in, out], `bias` [out]. Mirrors `paddle.nn.Linear` (3.3). */
export class Linear extends BuiltInLayer<LinearArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Linear";
  /** [inFeatures, outFeatures]; null with `weightAttr: false`. */
  declare weight: Parameter;
  /** [outFeatures], or null. */
  declare bias: Parameter | null;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<LinearArguments, ["inFeatures", "outFeatures", "weightAttr", "biasAttr", "name"]>) {
    super(LINEAR, args);
    const { inFeatures, outFeatures, weightAttr, biasAttr } = this.config;
    this.weight = this.createParameter([inFeatures, outFeatures], { attr: weightAttr })!;
    this.bias = this.createParameter([outFeatures], { attr: biasAttr, isBias: true });
  }
}

/** Arguments of {@linkcode Bilinear}. */
export interface BilinearArguments extends WeightAndBias {
  /** Size of the first input. */
  in1Features: number;
  /** Size of the second input. */
  in2Features: number;
  /** Size of an output. */
  outFeatures: number;
}

const BILINEAR: Signature<BilinearArguments> = {
  name: "Bilinear",
  defaults: {
    in1Features: REQUIRED,
    in2Features: REQUIRED,
    outFeatures: REQUIRED,
    weightAttr: null,
    biasAttr: null,
    name: null,
  },
};

/** `weight` [out, in1, in2], `bias` [1, out]. Mirrors `paddle.nn.Bilinear` (3.3). */
export class Bilinear extends BuiltInLayer<BilinearArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Bilinear";
  /** [outFeatures, in1Features, in2Features]; null with `weightAttr: false`. */
  declare weight: Parameter;
  /** [1, outFeatures], or null. */
  declare bias: Parameter | null;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      BilinearArguments,
      ["in1Features", "in2Features", "outFeatures", "weightAttr", "biasAttr", "name"]
    >
  ) {
    super(BILINEAR, args);
    const { in1Features, in2Features, outFeatures, weightAttr, biasAttr } = this.config;
    this.weight = this.createParameter([outFeatures, in1Features, in2Features], { attr: weightAttr })!;
    this.bias = this.createParameter([1, outFeatures], { attr: biasAttr, isBias: true });
  }
}

/** Arguments of {@linkcode Embedding}. */
export interface EmbeddingArguments {
  /** Number of embeddings: the rows of the weight. */
  numEmbeddings: number;
  /** Size of an embedding. */
  embeddingDim: number;
  /** A row that is initialized with zeros; negative: from the end. @default {null} */
  paddingIdx?: number | null;
  /** Whether gradients are row-sparse. @default {false} */
  sparse?: boolean;
  /** Attributes of the weight. @default {null} */
  weightAttr?: ParamAttrLike;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
  /** Maximum norm of a row that is looked up; by name only, as are the options below. @default {null} */
  maxNorm?: number | null;
  /** The p of the p-norm that `maxNorm` limits. @default {2} */
  normType?: number;
  /** Whether gradients are divided by how often their row is looked up. @default {false} */
  scaleGradByFreq?: boolean;
  /** The dtype of the weight. @default {the default dtype: float32} */
  dtype?: DType | null;
  /** The weight, which other layers may share; its row paddingIdx becomes zeros. Paddle 3.3. @default {a new one} */
  _weight?: Parameter | null;
  /** Whether the weight is frozen: `_weight`, or the new one if `weightAttr` is null. Paddle 3.3. @default {false} */
  _freeze?: boolean;
}

const EMBEDDING: Signature<EmbeddingArguments> = {
  name: "Embedding",
  defaults: {
    numEmbeddings: REQUIRED,
    embeddingDim: REQUIRED,
    paddingIdx: null,
    sparse: false,
    weightAttr: null,
    name: null,
    maxNorm: null,
    normType: 2,
    scaleGradByFreq: false,
    dtype: null,
    _weight: null,
    _freeze: false,
  },
  positional: 6,
  // 3.0 and later have maxNorm in the place of sparse.
  typed: ["sparse", "normType", "scaleGradByFreq", "_freeze"],
};

/** `weight` [numEmbeddings, embeddingDim]. Mirrors `paddle.nn.Embedding` (3.3). */
export class Embedding extends BuiltInLayer<EmbeddingArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Embedding";
  /** [numEmbeddings, embeddingDim]; null with `weightAttr: false`. */
  declare weight: Parameter;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for a size below 1, a paddingIdx that is not a row, or a `_weight` of another shape
   */
  constructor(
    ...args: Call<
      EmbeddingArguments,
      ["numEmbeddings", "embeddingDim", "paddingIdx", "sparse", "weightAttr", "name"]
    >
  ) {
    super(EMBEDDING, args);
    const { numEmbeddings, embeddingDim, paddingIdx, weightAttr, dtype, _weight, _freeze } = this.config;
    needSize("Embedding", "numEmbeddings", numEmbeddings);
    needSize("Embedding", "embeddingDim", embeddingDim);
    const row = paddingIdx === null ? null : paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    need(
      row === null || Number.isInteger(row) && row >= 0 && row < numEmbeddings,
      `Embedding: paddingIdx must be within [-${numEmbeddings}, ${numEmbeddings}): got ${paddingIdx}`,
    );
    if (_weight === null) {
      this.weight = this.createParameter([numEmbeddings, embeddingDim], {
        attr: weightAttr,
        dtype: dtype ?? undefined,
      })!;
      need(
        row === null || (weightAttr as unknown) !== false,
        "Embedding: paddingIdx is a row of the weight: weightAttr is false",
      );
    } else {
      const isFitting = _weight instanceof Parameter && _weight.shape.join() === `${numEmbeddings},${embeddingDim}`;
      need(isFitting, `Embedding: _weight must be a Parameter [${numEmbeddings}, ${embeddingDim}]`);
      this.weight = _weight;
    }
    if (_weight !== null || weightAttr === null) this.weight.stopGradient = _freeze;
    if (row !== null) this.weight.slice(row, row + 1).bytes.fill(0);
  }
}

/** Arguments of {@linkcode HSigmoidLoss}. */
export interface HSigmoidLossArguments extends WeightAndBias {
  /** Size of an input. */
  featureSize: number;
  /** Number of classes: the leaves of the tree. */
  numClasses: number;
  /** Whether the caller supplies a custom tree. @default {false} */
  isCustom?: boolean;
  /** Whether gradients are row-sparse. @default {false} */
  isSparse?: boolean;
}

const H_SIGMOID_LOSS: Signature<HSigmoidLossArguments> = {
  name: "HSigmoidLoss",
  defaults: {
    featureSize: REQUIRED,
    numClasses: REQUIRED,
    weightAttr: null,
    biasAttr: null,
    isCustom: false,
    isSparse: false,
    name: null,
  },
};

/**
 * `weight` and `bias` for a tree's inner nodes: one fewer than the leaves, or as many as the leaves for a custom tree. Mirrors
 * `paddle.nn.HSigmoidLoss` (3.3).
 */
export class HSigmoidLoss extends BuiltInLayer<HSigmoidLossArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "HSigmoidLoss";
  /** [nodes, featureSize]; null with `weightAttr: false`. */
  declare weight: Parameter;
  /** [nodes, 1], or null. */
  declare bias: Parameter | null;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for fewer than 2 classes, or fewer than 1 with a custom tree
   */
  constructor(
    ...args: Call<
      HSigmoidLossArguments,
      ["featureSize", "numClasses", "weightAttr", "biasAttr", "isCustom", "isSparse", "name"]
    >
  ) {
    super(H_SIGMOID_LOSS, args);
    const { featureSize, numClasses, weightAttr, biasAttr, isCustom } = this.config;
    needSize("HSigmoidLoss", "numClasses", numClasses, isCustom ? 1 : 2);
    const nodes = isCustom ? numClasses : numClasses - 1;
    this.weight = this.createParameter([nodes, featureSize], { attr: weightAttr })!;
    this.bias = this.createParameter([nodes, 1], { attr: biasAttr, isBias: true });
  }
}

/** Arguments of {@linkcode PReLU}. */
export interface PReLUArguments {
  /** 1, or the number of channels. @default {1} */
  numParameters?: number;
  /** The initial value. @default {0.25} */
  init?: number;
  /** Attributes of the weight. @default {null} */
  weightAttr?: ParamAttrLike;
  /** The order of the axes, which says where the channels are. @default {"NCHW"} */
  dataFormat?: string;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
}

const PRELU: Signature<PReLUArguments> = {
  name: "PReLU",
  defaults: { numParameters: 1, init: 0.25, weightAttr: null, dataFormat: "NCHW", name: null },
};

/** `_weight` [numParameters]. Mirrors `paddle.nn.PReLU` (3.3). */
export class PReLU extends BuiltInLayer<PReLUArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "PReLU";
  /** [numParameters], or null. */
  declare _weight: Parameter | null;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<PReLUArguments, ["numParameters", "init", "weightAttr", "dataFormat", "name"]>) {
    super(PRELU, args);
    const { numParameters, init, weightAttr } = this.config;
    this._weight = this.createParameter([numParameters], { attr: weightAttr, defaultInitializer: new Constant(init) });
  }
}

/** Arguments of {@linkcode SpectralNorm}. */
export interface SpectralNormArguments {
  /** The shape of the weight to normalize. */
  weightShape: readonly number[];
  /** The axis of the weight that becomes the rows of a matrix. @default {0} */
  dim?: number;
  /** Number of power iterations. @default {1} */
  powerIters?: number;
  /** Added to the denominator. @default {1e-12} */
  eps?: number;
  /** The dtype of both vectors. @default {"float32"} */
  dtype?: "float32" | "float64";
}

const SPECTRAL_NORM: Signature<SpectralNormArguments> = {
  name: "SpectralNorm",
  defaults: { weightShape: REQUIRED, dim: 0, powerIters: 1, eps: 1e-12, dtype: "float32" },
};

/**
 * `weight_u` and `weight_v`, both frozen, with the length of the axis and the product of the other lengths. Mirrors
 * `paddle.nn.SpectralNorm` (3.3).
 */
export class SpectralNorm extends BuiltInLayer<SpectralNormArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "SpectralNorm";
  /** [weightShape[dim]]. */
  declare weight_u: Parameter;
  /** [product of the other lengths]. */
  declare weight_v: Parameter;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for an empty shape, or a dim that is not an axis
   */
  constructor(...args: Call<SpectralNormArguments, ["weightShape", "dim", "powerIters", "eps", "dtype"]>) {
    super(SPECTRAL_NORM, args);
    const { weightShape, dim, dtype } = this.config;
    weightShape.forEach((n) => needSize("SpectralNorm", "a length of weightShape", n));
    const isAxis = Number.isInteger(dim) && dim >= 0 && dim < weightShape.length;
    need(isAxis, `SpectralNorm: dim must be an axis of [${weightShape}]: got ${dim}`, dim);
    const others = elementCount(weightShape) / weightShape[dim];
    this.weight_u = this.createParameter([weightShape[dim]], { dtype, defaultInitializer: new Normal() });
    this.weight_u.stopGradient = true;
    this.weight_v = this.createParameter([others], { dtype, defaultInitializer: new Normal() });
    this.weight_v.stopGradient = true;
  }
}
