/**
 * Convolutions.
 *
 * @module
 */
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import { Normal } from "../initializer/random.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import type { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";

/** One number for every axis, or one for each. */
export type Sizes = number | readonly number[];

/** Arguments that all convolutions have. */
export interface ConvCommonArguments {
  /** Channels of an input. */
  inChannels: number;
  /** Channels of an output. */
  outChannels: number;
  /** Size of the kernel. */
  kernelSize: Sizes;
  /** Steps. @default {1} */
  stride?: Sizes;
  /** Padding: sizes, `"same"` or `"valid"`. @default {0} */
  padding?: Sizes | string | readonly (readonly number[])[];
  /** Distance of the kernel's elements. @default {1} */
  dilation?: Sizes;
  /** Groups of channels that see nothing of each other. @default {1} */
  groups?: number;
  /** Of the weight. @default {null} */
  weightAttr?: Exclude<ParamAttrLike, boolean> | true;
  /** Of the bias; false: there is none. @default {null} */
  biasAttr?: ParamAttrLike;
  /** Which axis the channels are. @default {"NCL", "NCHW" or "NCDHW"} */
  dataFormat?: string;
}

/** Arguments of {@linkcode Conv1D}, {@linkcode Conv2D} and {@linkcode Conv3D}. */
export interface ConvArguments extends ConvCommonArguments {
  /** `"zeros"`, `"reflect"`, `"replicate"` or `"circular"`. @default {"zeros"} */
  paddingMode?: string;
}

/** The order of {@linkcode ConvArguments}. */
export type ConvOrder = [
  "inChannels",
  "outChannels",
  "kernelSize",
  "stride",
  "padding",
  "dilation",
  "groups",
  "paddingMode",
  "weightAttr",
  "biasAttr",
  "dataFormat",
];

/** Arguments of {@linkcode Conv1DTranspose}, {@linkcode Conv2DTranspose} and {@linkcode Conv3DTranspose}. */
export interface ConvTransposeArguments extends ConvCommonArguments {
  /** Added to the size of the output. @default {0} */
  outputPadding?: Sizes;
}

/** The order of {@linkcode ConvTransposeArguments} in two and three dimensions. */
export type ConvTransposeOrder = [
  "inChannels",
  "outChannels",
  "kernelSize",
  "stride",
  "padding",
  "outputPadding",
  "dilation",
  "groups",
  "weightAttr",
  "biasAttr",
  "dataFormat",
];

/** The order of {@linkcode ConvTransposeArguments} in one dimension: groups go before dilation. */
export type Conv1DTransposeOrder = [
  "inChannels",
  "outChannels",
  "kernelSize",
  "stride",
  "padding",
  "outputPadding",
  "groups",
  "dilation",
  "weightAttr",
  "biasAttr",
  "dataFormat",
];

const FORMATS = ["NCL", "NCHW", "NCDHW"];
const PADDING_MODES = ["zeros", "reflect", "replicate", "circular"];

const sizes = { inChannels: REQUIRED, outChannels: REQUIRED, kernelSize: REQUIRED, stride: 1, padding: 0 } as const;
const attributes = { weightAttr: null, biasAttr: null } as const;

function convSignature(axes: number): Signature<ConvArguments> {
  const dataFormat = FORMATS[axes - 1];
  return {
    name: `Conv${axes}D`,
    defaults: { ...sizes, dilation: 1, groups: 1, paddingMode: "zeros", ...attributes, dataFormat },
  };
}

function transposeSignature(axes: number): Signature<ConvTransposeArguments> {
  const order = axes === 1 ? { groups: 1, dilation: 1 } : { dilation: 1, groups: 1 };
  const dataFormat = FORMATS[axes - 1];
  return {
    name: `Conv${axes}DTranspose`,
    defaults: { ...sizes, outputPadding: 0, ...order, ...attributes, dataFormat },
  };
}

/** What all convolutions have: a weight, and perhaps a bias. */
export abstract class ConvLayer<A extends ConvCommonArguments> extends BuiltInLayer<A> {
  /** [out, in / groups, ...kernel]; transposed: [in, out / groups, ...kernel]. */
  declare weight: Parameter;
  /** [outChannels], or null. */
  declare bias: Parameter | null;

  /** Check what decides about shapes; gives the size of the kernel, one number for each axis. */
  protected kernelOf(name: string, axes: number): number[] {
    const { inChannels, outChannels, kernelSize, groups, weightAttr }: ConvCommonArguments = this.config;
    needSize(name, "inChannels", inChannels);
    needSize(name, "outChannels", outChannels);
    needSize(name, "groups", groups);
    need((weightAttr as unknown) !== false, `${name} cannot do without a weight: weightAttr is false`);
    const kernel = typeof kernelSize === "number" ? new Array<number>(axes).fill(kernelSize) : [...kernelSize];
    need(kernel.length === axes, `${name}: kernelSize has ${axes} numbers, or is one: got [${kernel}]`, kernelSize);
    kernel.forEach((n) => needSize(name, "kernelSize", n));
    return kernel;
  }
}

/** The forward convolutions. */
export abstract class ConvND extends ConvLayer<ConvArguments> {
  /** Make its parameters. */
  constructor(axes: number, args: readonly unknown[]) {
    const signature = convSignature(axes);
    super(signature, args);
    const { inChannels, outChannels, groups, weightAttr, biasAttr, paddingMode } = this.config;
    const kernel = this.kernelOf(signature.name, axes);
    need(inChannels % groups === 0, `${signature.name}: ${groups} groups do not divide ${inChannels} inChannels`);
    need(PADDING_MODES.includes(paddingMode), `${signature.name}: paddingMode is one of ${PADDING_MODES.join(", ")}`);
    // TRAINING.md 6: by all channels of the input, not by those of a group.
    const std = Math.sqrt(2 / (inChannels * kernel.reduce((a, b) => a * b, 1)));
    this.weight = this.createParameter([outChannels, inChannels / groups, ...kernel], {
      attr: weightAttr,
      defaultInitializer: new Normal(0, std),
    });
    this.bias = this.createParameter([outChannels], { attr: biasAttr, isBias: true });
  }
}

/** `weight` [out, in / groups, k], `bias` [out]. Mirrors `paddle.nn.Conv1D` (3.3). */
export class Conv1D extends ConvND {
  /** Begins the names. */
  static readonly className: string = "Conv1D";
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be
   */
  constructor(...args: Call<ConvArguments, ConvOrder>) {
    super(1, args);
  }
}

/** `weight` [out, in / groups, k, k], `bias` [out]. Mirrors `paddle.nn.Conv2D` (3.3). */
export class Conv2D extends ConvND {
  /** Begins the names. */
  static readonly className: string = "Conv2D";
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be
   */
  constructor(...args: Call<ConvArguments, ConvOrder>) {
    super(2, args);
  }
}

/** `weight` [out, in / groups, k, k, k], `bias` [out]. Mirrors `paddle.nn.Conv3D` (3.3). */
export class Conv3D extends ConvND {
  /** Begins the names. */
  static readonly className: string = "Conv3D";
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be
   */
  constructor(...args: Call<ConvArguments, ConvOrder>) {
    super(3, args);
  }
}

/** The transposed convolutions. */
export abstract class ConvTransposeND extends ConvLayer<ConvTransposeArguments> {
  /** Make its parameters. */
  constructor(axes: number, args: readonly unknown[]) {
    const signature = transposeSignature(axes);
    super(signature, args);
    const { inChannels, outChannels, groups, weightAttr, biasAttr } = this.config;
    const kernel = this.kernelOf(signature.name, axes);
    const perGroup = Math.floor(outChannels / groups);
    this.weight = this.createParameter([inChannels, perGroup, ...kernel], { attr: weightAttr });
    this.bias = this.createParameter([outChannels], { attr: biasAttr, isBias: true });
  }
}

/** `weight` [in, out / groups, k], `bias` [out]. Mirrors `paddle.nn.Conv1DTranspose` (3.3). */
export class Conv1DTranspose extends ConvTransposeND {
  /** Begins the names. */
  static readonly className: string = "Conv1DTranspose";
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be
   */
  constructor(...args: Call<ConvTransposeArguments, Conv1DTransposeOrder>) {
    super(1, args);
  }
}

/** `weight` [in, out / groups, k, k], `bias` [out]. Mirrors `paddle.nn.Conv2DTranspose` (3.3). */
export class Conv2DTranspose extends ConvTransposeND {
  /** Begins the names. */
  static readonly className: string = "Conv2DTranspose";
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be
   */
  constructor(...args: Call<ConvTransposeArguments, ConvTransposeOrder>) {
    super(2, args);
  }
}

/** `weight` [in, out / groups, k, k, k], `bias` [out]. Mirrors `paddle.nn.Conv3DTranspose` (3.3). */
export class Conv3DTranspose extends ConvTransposeND {
  /** Begins the names. */
  static readonly className: string = "Conv3DTranspose";
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be
   */
  constructor(...args: Call<ConvTransposeArguments, ConvTransposeOrder>) {
    super(3, args);
  }
}
