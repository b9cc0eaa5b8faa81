/**
 * Layer, group and instance normalization.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { isBefore, NEWEST } from "../../optimizer/version.ts";
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import { Constant } from "../initializer/fixed.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import type { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { frozenByRate, type OfPaddle, switchedOff } from "./frozen.ts";
import { elementCount } from "../../words/element_count.ts";

const ONES = /* @__PURE__ */ new Constant(1);

/** Arguments of {@linkcode InstanceNorm1D}, {@linkcode InstanceNorm2D} and {@linkcode InstanceNorm3D}. */
export interface InstanceNormArguments {
  /** Number of channels. */
  numFeatures: number;
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Unused, as in Paddle. @default {0.9} */
  momentum?: number;
  /** Attributes of the scale; false, only together with `biasAttr`, for no scale. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Attributes of the bias; false, only together with `weightAttr`, for no bias. @default {null} */
  biasAttr?: ParamAttrLike;
  /** The order of the axes, which says where the channels are. @default {"NCL", "NCHW" or "NCDHW"} */
  dataFormat?: string;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
}

/** The order of {@linkcode InstanceNormArguments}. */
export type InstanceNormOrder = [
  "numFeatures",
  "epsilon",
  "momentum",
  "weightAttr",
  "biasAttr",
  "dataFormat",
  "name",
];

/** Instance normalization in any number of dimensions. */
export abstract class InstanceNormND extends BuiltInLayer<InstanceNormArguments> {
  /** [numFeatures], or null. */
  declare scale: Parameter | null;
  /** [numFeatures], or null. */
  declare bias: Parameter | null;

  /** Creates the parameters. */
  constructor(axes: number, args: readonly unknown[]) {
    const name = `InstanceNorm${axes}D`;
    const dataFormat = ["NCL", "NCHW", "NCDHW"][axes - 1];
    super({
      name,
      defaults: {
        numFeatures: REQUIRED,
        epsilon: 1e-5,
        momentum: 0.9,
        weightAttr: null,
        biasAttr: null,
        dataFormat,
        name: null,
      },
    }, args);
    const { numFeatures, weightAttr, biasAttr } = this.config;
    need(
      (weightAttr === false) === (biasAttr === false),
      `${name}: weightAttr and biasAttr must be false at the same time`,
    );
    this.scale = this.createParameter([numFeatures], { attr: weightAttr, defaultInitializer: ONES });
    this.bias = this.createParameter([numFeatures], { attr: biasAttr, isBias: true });
  }
}

/** `scale` and `bias`, [numFeatures]. Mirrors `paddle.nn.InstanceNorm1D` (3.3). */
export class InstanceNorm1D extends InstanceNormND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "InstanceNorm1D";
  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<InstanceNormArguments, InstanceNormOrder>) {
    super(1, args);
  }
}

/** `scale` and `bias`, [numFeatures]. Mirrors `paddle.nn.InstanceNorm2D` (3.3). */
export class InstanceNorm2D extends InstanceNormND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "InstanceNorm2D";
  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<InstanceNormArguments, InstanceNormOrder>) {
    super(2, args);
  }
}

/** `scale` and `bias`, [numFeatures]. Mirrors `paddle.nn.InstanceNorm3D` (3.3). */
export class InstanceNorm3D extends InstanceNormND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "InstanceNorm3D";
  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<InstanceNormArguments, InstanceNormOrder>) {
    super(3, args);
  }
}

/** Arguments of {@linkcode LayerNorm}. */
export interface LayerNormArguments {
  /** The lengths of the axes to normalize. */
  normalizedShape: number | readonly number[];
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Attributes of the weight; false for no weight. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Attributes of the bias; false for no bias. @default {null} */
  biasAttr?: ParamAttrLike;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
  /** Whether there is a weight and a bias; by name only, as in Paddle since 3.3. @default {true} */
  elementwiseAffine?: boolean;
  /** Whether there is a bias; by name only, as in Paddle since 3.3. @default {true} */
  bias?: boolean;
  /** The dtype of the parameters; by name only, as in Paddle since 3.3. @default {the default dtype: float32} */
  dtype?: DType | null;
}

const LAYER_NORM: Signature<LayerNormArguments> = {
  name: "LayerNorm",
  defaults: {
    normalizedShape: REQUIRED,
    epsilon: 1e-5,
    weightAttr: null,
    biasAttr: null,
    name: null,
    elementwiseAffine: true,
    bias: true,
    dtype: null,
  },
  positional: 5,
  typed: ["elementwiseAffine", "bias"],
};

/** `weight` and `bias`, flattened: one element for each in the normalized axes. Mirrors `paddle.nn.LayerNorm` (3.3). */
export class LayerNorm extends BuiltInLayer<LayerNormArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "LayerNorm";
  /** [product of normalizedShape], or null. */
  declare weight: Parameter | null;
  /** [product of normalizedShape], or null. */
  declare bias: Parameter | null;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<LayerNormArguments, ["normalizedShape", "epsilon", "weightAttr", "biasAttr", "name"]>
  ) {
    super(LAYER_NORM, args);
    const { normalizedShape, weightAttr, biasAttr, elementwiseAffine, bias } = this.config;
    const dtype = this.config.dtype ?? undefined;
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    const length = elementCount(shape);
    this.weight = this.createParameter([length], {
      attr: elementwiseAffine && weightAttr,
      defaultInitializer: ONES,
      dtype,
    });
    this.bias = this.createParameter([length], { attr: elementwiseAffine && bias && biasAttr, isBias: true, dtype });
  }
}

/** Arguments of {@linkcode GroupNorm}. */
export interface GroupNormArguments extends OfPaddle {
  /** Number of channel groups. */
  numGroups: number;
  /** Number of channels. */
  numChannels: number;
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Attributes of the weight; false for no weight. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Attributes of the bias; false for no bias. @default {null} */
  biasAttr?: ParamAttrLike;
  /** The order of the axes, which says where the channels are. @default {"NCHW"} */
  dataFormat?: string;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
  /** Whether there is a weight and a bias; by name only, as in Paddle since 3.3. @default {true} */
  affine?: boolean;
  /** The dtype of the parameters; by name only, as in Paddle since 3.3. @default {the default dtype: float32} */
  dtype?: DType | null;
}

const GROUP_NORM: Signature<GroupNormArguments> = {
  name: "GroupNorm",
  defaults: {
    numGroups: REQUIRED,
    numChannels: REQUIRED,
    epsilon: 1e-5,
    weightAttr: null,
    biasAttr: null,
    dataFormat: "NCHW",
    name: null,
    affine: true,
    dtype: null,
    paddle: NEWEST,
  },
  positional: 7,
  typed: ["affine"],
};

/**
 * `weight` and `bias`, [numChannels]; up to 3.2, what is switched off remains as a frozen parameter. As in Paddle, the others are only
 * frozen by a learning rate of 0, not by `trainable: false`. Mirrors `paddle.nn.GroupNorm` (3.3).
 */
export class GroupNorm extends BuiltInLayer<GroupNormArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "GroupNorm";
  /** [numChannels], or null. */
  declare weight: Parameter | null;
  /** [numChannels], or null. */
  declare bias: Parameter | null;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      GroupNormArguments,
      ["numGroups", "numChannels", "epsilon", "weightAttr", "biasAttr", "dataFormat", "name"]
    >
  ) {
    super(GROUP_NORM, args);
    const { numChannels, affine, paddle } = this.config;
    const dtype = this.config.dtype ?? undefined;
    const [weightAttr, biasAttr] = [affine && this.config.weightAttr, affine && this.config.biasAttr];
    needSize("GroupNorm", "numChannels", numChannels);
    const stays = isBefore(paddle, "3.3");
    const weight = () => this.createParameter([numChannels], { attr: weightAttr, defaultInitializer: ONES, dtype });
    const bias = () => this.createParameter([numChannels], { attr: biasAttr, isBias: true, dtype });
    this.weight = stays && weightAttr === false
      ? switchedOff(this, [numChannels], 1)
      : frozenByRate(weight(), weightAttr);
    this.bias = stays && biasAttr === false
      ? switchedOff(this, [numChannels], 0, { isBias: true })
      : frozenByRate(bias(), biasAttr);
  }
}
