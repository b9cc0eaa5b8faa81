/**
 * Normalization of layers, groups and instances.
 *
 * @module
 */
import { isBefore, NEWEST } from "../../optimizer/version.ts";
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import { Constant } from "../initializer/fixed.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import type { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { frozen, frozenByRate, type OfPaddle } from "./frozen.ts";

const ONES = /* @__PURE__ */ new Constant(1);

/** Arguments of {@linkcode InstanceNorm1D}, {@linkcode InstanceNorm2D} and {@linkcode InstanceNorm3D}. */
export interface InstanceNormArguments {
  /** Channels. */
  numFeatures: number;
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Not used by Paddle either. @default {0.9} */
  momentum?: number;
  /** Of the scale; false, with `biasAttr`: there is none. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Of the bias; false, with `weightAttr`: there is none. @default {null} */
  biasAttr?: ParamAttrLike;
  /** Which axis the channels are. @default {"NCL", "NCHW" or "NCDHW"} */
  dataFormat?: string;
  /** Name of the layer's outputs; it names no parameter. @default {null} */
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

  /** Make its parameters. */
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
  /** Begins the names. */
  static readonly className: string = "InstanceNorm1D";
  /** Make one. */
  constructor(...args: Call<InstanceNormArguments, InstanceNormOrder>) {
    super(1, args);
  }
}

/** `scale` and `bias`, [numFeatures]. Mirrors `paddle.nn.InstanceNorm2D` (3.3). */
export class InstanceNorm2D extends InstanceNormND {
  /** Begins the names. */
  static readonly className: string = "InstanceNorm2D";
  /** Make one. */
  constructor(...args: Call<InstanceNormArguments, InstanceNormOrder>) {
    super(2, args);
  }
}

/** `scale` and `bias`, [numFeatures]. Mirrors `paddle.nn.InstanceNorm3D` (3.3). */
export class InstanceNorm3D extends InstanceNormND {
  /** Begins the names. */
  static readonly className: string = "InstanceNorm3D";
  /** Make one. */
  constructor(...args: Call<InstanceNormArguments, InstanceNormOrder>) {
    super(3, args);
  }
}

/** Arguments of {@linkcode LayerNorm}. */
export interface LayerNormArguments {
  /** Lengths of the axes that are normalized. */
  normalizedShape: number | readonly number[];
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Of the weight; false: there is none. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Of the bias; false: there is none. @default {null} */
  biasAttr?: ParamAttrLike;
  /** Name of the layer's outputs; it names no parameter. @default {null} */
  name?: string | null;
}

const LAYER_NORM: Signature<LayerNormArguments> = {
  name: "LayerNorm",
  defaults: { normalizedShape: REQUIRED, epsilon: 1e-5, weightAttr: null, biasAttr: null, name: null },
};

/** `weight` and `bias`, flat: as long as the normalized axes together. Mirrors `paddle.nn.LayerNorm` (3.3). */
export class LayerNorm extends BuiltInLayer<LayerNormArguments> {
  /** Begins the names. */
  static readonly className: string = "LayerNorm";
  /** [product of normalizedShape], or null. */
  declare weight: Parameter | null;
  /** [product of normalizedShape], or null. */
  declare bias: Parameter | null;

  /** Make one. */
  constructor(
    ...args: Call<LayerNormArguments, ["normalizedShape", "epsilon", "weightAttr", "biasAttr", "name"]>
  ) {
    super(LAYER_NORM, args);
    const { normalizedShape, weightAttr, biasAttr } = this.config;
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    const length = shape.reduce((a, b) => a * b, 1);
    this.weight = this.createParameter([length], { attr: weightAttr, defaultInitializer: ONES });
    this.bias = this.createParameter([length], { attr: biasAttr, isBias: true });
  }
}

/** Arguments of {@linkcode GroupNorm}. */
export interface GroupNormArguments extends OfPaddle {
  /** Groups of channels. */
  numGroups: number;
  /** Channels. */
  numChannels: number;
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Of the weight; false: there is none. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Of the bias; false: there is none. @default {null} */
  biasAttr?: ParamAttrLike;
  /** Which axis the channels are. @default {"NCHW"} */
  dataFormat?: string;
  /** Name of the layer's outputs; it names no parameter. @default {null} */
  name?: string | null;
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
    paddle: NEWEST,
  },
  positional: 7,
};

/**
 * `weight` and `bias`, [numChannels]; up to 3.1 what is switched off stays, frozen. As in Paddle, only a learning rate of 0 freezes the others:
 * `trainable: false` does not. Mirrors `paddle.nn.GroupNorm` (3.3).
 */
export class GroupNorm extends BuiltInLayer<GroupNormArguments> {
  /** Begins the names. */
  static readonly className: string = "GroupNorm";
  /** [numChannels], or null. */
  declare weight: Parameter | null;
  /** [numChannels], or null. */
  declare bias: Parameter | null;

  /** Make one. */
  constructor(
    ...args: Call<
      GroupNormArguments,
      ["numGroups", "numChannels", "epsilon", "weightAttr", "biasAttr", "dataFormat", "name"]
    >
  ) {
    super(GROUP_NORM, args);
    const { numChannels, weightAttr, biasAttr, paddle } = this.config;
    needSize("GroupNorm", "numChannels", numChannels);
    const stays = isBefore(paddle, "3.2");
    const weight = () => this.createParameter([numChannels], { attr: weightAttr, defaultInitializer: ONES });
    const bias = () => this.createParameter([numChannels], { attr: biasAttr, isBias: true });
    this.weight = stays && weightAttr === false ? frozen(this, numChannels, 1) : frozenByRate(weight(), weightAttr);
    this.bias = stays && biasAttr === false
      ? frozen(this, numChannels, 0, { isBias: true })
      : frozenByRate(bias(), biasAttr);
  }
}
