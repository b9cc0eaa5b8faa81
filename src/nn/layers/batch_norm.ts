/**
 * Batch normalization.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { isBefore, NEWEST } from "../../optimizer/version.ts";
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import { getDefaultDtype } from "../default_dtype.ts";
import { Constant } from "../initializer/fixed.ts";
import { ParamAttr, type ParamAttrLike } from "../param_attr.ts";
import type { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { frozen, frozenByRate, type OfPaddle, switchedOff } from "./frozen.ts";

const ONES = /* @__PURE__ */ new Constant(1);

/** Arguments of {@linkcode BatchNorm1D}, {@linkcode BatchNorm2D} and {@linkcode BatchNorm3D}. */
export interface BatchNormNDArguments extends OfPaddle {
  /** Number of channels. */
  numFeatures: number;
  /** Momentum of the running statistics. @default {0.9} */
  momentum?: number;
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Attributes of the weight; false for no weight. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Attributes of the bias; false for no bias. @default {null} */
  biasAttr?: ParamAttrLike;
  /** The order of the axes, which says where the channels are. @default {"NCL", "NCHW" or "NCDHW"} */
  dataFormat?: string;
  /** Whether the running statistics are used even in training. @default {null} */
  useGlobalStats?: boolean | null;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
}

/** The order of {@linkcode BatchNormNDArguments}. */
export type BatchNormNDOrder = [
  "numFeatures",
  "momentum",
  "epsilon",
  "weightAttr",
  "biasAttr",
  "dataFormat",
  "useGlobalStats",
  "name",
];

function batchNormSignature(axes: number): Signature<BatchNormNDArguments> {
  return {
    name: `BatchNorm${axes}D`,
    defaults: {
      numFeatures: REQUIRED,
      momentum: 0.9,
      epsilon: 1e-5,
      weightAttr: null,
      biasAttr: null,
      dataFormat: ["NCL", "NCHW", "NCDHW"][axes - 1],
      useGlobalStats: null,
      name: null,
      paddle: NEWEST,
    },
    positional: 8,
  };
}

/** Running statistics are frozen parameters that are named as weights (TRAINING.md 6); for float16 they are float32. */
function statisticsDtype(): DType {
  const dtype = getDefaultDtype();
  return dtype === "float16" ? "float32" : dtype;
}

/** Batch normalization in any number of dimensions. */
export abstract class BatchNormND extends BuiltInLayer<BatchNormNDArguments> {
  /** [numFeatures], or null. */
  declare weight: Parameter | null;
  /** [numFeatures], or null. */
  declare bias: Parameter | null;
  /** Running mean, [numFeatures], frozen. */
  declare _mean: Parameter;
  /** Running variance, [numFeatures], frozen. */
  declare _variance: Parameter;

  /** Creates the parameters. */
  constructor(axes: number, args: readonly unknown[]) {
    super(batchNormSignature(axes), args);
    const { numFeatures, weightAttr, biasAttr, paddle } = this.config;
    const dtype = statisticsDtype();
    // Up to 2.5, what is switched off remains as a frozen parameter (TRAINING.md 7).
    const stays = isBefore(paddle, "2.6");
    this.weight = stays && weightAttr === false
      ? switchedOff(this, [numFeatures], 1, { dtype })
      : this.createParameter([numFeatures], { attr: weightAttr, dtype, defaultInitializer: ONES });
    this.bias = stays && biasAttr === false
      ? switchedOff(this, [numFeatures], 0, { dtype, isBias: true })
      : this.createParameter([numFeatures], { attr: biasAttr, dtype, isBias: true });
    if (stays && weightAttr !== false) frozenByRate(this.weight, weightAttr);
    if (stays && biasAttr !== false) frozenByRate(this.bias, biasAttr);
    this._mean = frozen(this, numFeatures, 0, { dtype });
    this._variance = frozen(this, numFeatures, 1, { dtype });
  }
}

/** `weight`, `bias`, `_mean`, `_variance`, all [numFeatures]. Mirrors `paddle.nn.BatchNorm1D` (3.3). */
export class BatchNorm1D extends BatchNormND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "BatchNorm1D";
  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<BatchNormNDArguments, BatchNormNDOrder>) {
    super(1, args);
  }
}

/** `weight`, `bias`, `_mean`, `_variance`, all [numFeatures]. Mirrors `paddle.nn.BatchNorm2D` (3.3). */
export class BatchNorm2D extends BatchNormND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "BatchNorm2D";
  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<BatchNormNDArguments, BatchNormNDOrder>) {
    super(2, args);
  }
}

/** `weight`, `bias`, `_mean`, `_variance`, all [numFeatures]. Mirrors `paddle.nn.BatchNorm3D` (3.3). */
export class BatchNorm3D extends BatchNormND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "BatchNorm3D";
  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<BatchNormNDArguments, BatchNormNDOrder>) {
    super(3, args);
  }
}

/** Arguments of {@linkcode SyncBatchNorm}. */
export type SyncBatchNormArguments = Omit<BatchNormNDArguments, "useGlobalStats">;

const SYNC_BATCH_NORM: Signature<SyncBatchNormArguments> = {
  name: "SyncBatchNorm",
  defaults: {
    numFeatures: REQUIRED,
    momentum: 0.9,
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
 * Like {@linkcode BatchNorm2D}, but what is switched off remains as a frozen parameter, since 2.6 after the statistics. Mirrors
 * `paddle.nn.SyncBatchNorm` (3.3).
 */
export class SyncBatchNorm extends BuiltInLayer<SyncBatchNormArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "SyncBatchNorm";
  /** [numFeatures]. */
  declare weight: Parameter;
  /** [numFeatures]. */
  declare bias: Parameter;
  /** Running mean, [numFeatures], frozen. */
  declare _mean: Parameter;
  /** Running variance, [numFeatures], frozen. */
  declare _variance: Parameter;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      SyncBatchNormArguments,
      ["numFeatures", "momentum", "epsilon", "weightAttr", "biasAttr", "dataFormat", "name"]
    >
  ) {
    super(SYNC_BATCH_NORM, args);
    const { numFeatures, weightAttr, biasAttr, paddle } = this.config;
    const dtype = statisticsDtype();
    const isFirst = isBefore(paddle, "2.6");
    const offWeight = () => this.weight = switchedOff(this, [numFeatures], 1, { dtype });
    const offBias = () => this.bias = switchedOff(this, [numFeatures], 0, { dtype, isBias: true });
    if (weightAttr !== false) {
      this.weight = this.createParameter([numFeatures], { attr: weightAttr, dtype, defaultInitializer: ONES });
    } else if (isFirst) offWeight();
    if (biasAttr !== false) this.bias = this.createParameter([numFeatures], { attr: biasAttr, dtype, isBias: true });
    else if (isFirst) offBias();
    if (isFirst && weightAttr !== false) frozenByRate(this.weight, weightAttr);
    if (isFirst && biasAttr !== false) frozenByRate(this.bias, biasAttr);
    this._mean = frozen(this, numFeatures, 0, { dtype });
    this._variance = frozen(this, numFeatures, 1, { dtype });
    if (weightAttr === false && !isFirst) offWeight();
    if (biasAttr === false && !isFirst) offBias();
  }
}

/** Arguments of {@linkcode BatchNorm}. */
export interface BatchNormArguments extends OfPaddle {
  /** Number of channels. */
  numChannels: number;
  /** The activation. @default {null} */
  act?: string | null;
  /** Whether it is always in evaluation mode. @default {false} */
  isTest?: boolean;
  /** Momentum of the running statistics. @default {0.9} */
  momentum?: number;
  /** Added to the variance. @default {1e-5} */
  epsilon?: number;
  /** Attributes of the weight; false for no weight. @default {null} */
  paramAttr?: ParamAttrLike;
  /** Attributes of the bias; false for no bias. @default {null} */
  biasAttr?: ParamAttrLike;
  /** The dtype of all four parameters; float16 means float32. @default {"float32"} */
  dtype?: DType;
  /** The order of the axes, which says where the channels are. @default {"NCHW"} */
  dataLayout?: string;
  /** Whether the output overwrites the input. @default {false} */
  inPlace?: boolean;
  /** The name of `_mean`. @default {generated} */
  movingMeanName?: string | null;
  /** The name of `_variance`. @default {generated} */
  movingVarianceName?: string | null;
  /** Whether ModelAverage includes the statistics. @default {true} */
  doModelAverageForMeanAndVar?: boolean;
  /** Whether the running statistics are used even in training. @default {false} */
  useGlobalStats?: boolean;
  /** Whether statistics are computed even in evaluation mode. @default {false} */
  trainableStatistics?: boolean;
}

const BATCH_NORM: Signature<BatchNormArguments> = {
  name: "BatchNorm",
  defaults: {
    numChannels: REQUIRED,
    act: null,
    isTest: false,
    momentum: 0.9,
    epsilon: 1e-5,
    paramAttr: null,
    biasAttr: null,
    dtype: "float32",
    dataLayout: "NCHW",
    inPlace: false,
    movingMeanName: null,
    movingVarianceName: null,
    doModelAverageForMeanAndVar: true,
    useGlobalStats: false,
    trainableStatistics: false,
    paddle: NEWEST,
  },
  positional: 15,
};

/** Batch normalization as in Paddle 1.x: `weight`, `bias`, `_mean`, `_variance`, all [numChannels]. Mirrors `paddle.nn.BatchNorm` (3.3). */
export class BatchNorm extends BuiltInLayer<BatchNormArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "BatchNorm";
  /** [numChannels], or null. */
  declare weight: Parameter | null;
  /** [numChannels], or null. */
  declare bias: Parameter | null;
  /** Running mean, [numChannels], frozen. */
  declare _mean: Parameter;
  /** Running variance, [numChannels], frozen. */
  declare _variance: Parameter;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      BatchNormArguments,
      [
        "numChannels",
        "act",
        "isTest",
        "momentum",
        "epsilon",
        "paramAttr",
        "biasAttr",
        "dtype",
        "dataLayout",
        "inPlace",
        "movingMeanName",
        "movingVarianceName",
        "doModelAverageForMeanAndVar",
        "useGlobalStats",
        "trainableStatistics",
      ]
    >
  ) {
    super(BATCH_NORM, args);
    const { numChannels, paramAttr, biasAttr, movingMeanName, movingVarianceName, useGlobalStats, paddle } =
      this.config;
    const dtype = this.config.dtype === "float16" ? "float32" : this.config.dtype;
    this.weight = this.createParameter([numChannels], { attr: paramAttr, dtype, defaultInitializer: ONES });
    this.bias = this.createParameter([numChannels], { attr: biasAttr, dtype, isBias: true });
    if (isBefore(paddle, "2.6")) {
      const stopGradient = useGlobalStats && ParamAttr.from(paramAttr)?.learningRate === 0;
      for (const parameter of [this.weight, this.bias]) if (parameter) parameter.stopGradient = stopGradient;
    }
    this._mean = frozen(this, numChannels, 0, { dtype, name: movingMeanName });
    this._variance = frozen(this, numChannels, 1, { dtype, name: movingVarianceName });
  }
}
