/**
 * Convolutions.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import { Normal } from "../initializer/random.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import type { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { elementCount } from "../../words/element_count.ts";

/** One number for all axes, or one per axis. */
export type Sizes = number | readonly number[];

/** Arguments that all convolutions have. */
export interface ConvCommonArguments {
  /** Number of input channels. */
  inChannels: number;
  /** Number of output channels. */
  outChannels: number;
  /** Size of the kernel. */
  kernelSize: Sizes;
  /** The stride. @default {1} */
  stride?: Sizes;
  /** Padding: sizes, `"same"` or `"valid"`. @default {0} */
  padding?: Sizes | string | readonly (readonly number[])[];
  /** Spacing of the kernel's elements. @default {1} */
  dilation?: Sizes;
  /** Number of independent channel groups. @default {1} */
  groups?: number;
  /** Attributes of the weight. @default {null} */
  weightAttr?: Exclude<ParamAttrLike, boolean> | true;
  /** Attributes of the bias; false for no bias. @default {null} */
  biasAttr?: ParamAttrLike;
  /** The order of the axes, which says where the channels are. @default {"NCL", "NCHW" or "NCDHW"} */
  dataFormat?: string;
}

/** Arguments of {@linkcode Conv1D}, {@linkcode Conv2D} and {@linkcode Conv3D}. */
export interface ConvArguments extends ConvCommonArguments {
  /** `"zeros"`, `"reflect"`, `"replicate"` or `"circular"`. @default {"zeros"} */
  paddingMode?: string;
  /** Whether there is a bias; by name only, as in Paddle since 3.3. @default {true} */
  bias?: boolean;
  /** The dtype of the parameters; by name only, as in Paddle since 3.3. @default {the default dtype: float32} */
  dtype?: DType | null;
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

/** The order of {@linkcode ConvTransposeArguments} in one dimension: groups precede dilation. */
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
    defaults: {
      ...sizes,
      dilation: 1,
      groups: 1,
      paddingMode: "zeros",
      ...attributes,
      dataFormat,
      bias: true,
      dtype: null,
    },
    positional: 11,
    typed: ["bias"],
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

/** What all convolutions have in common: a weight, and possibly a bias. */
export abstract class ConvLayer<A extends ConvCommonArguments> extends BuiltInLayer<A> {
  /** [out, in / groups, ...kernel]; transposed: [in, out / groups, ...kernel]. */
  declare weight: Parameter;
  /** [outChannels], or null. */
  declare bias: Parameter | null;

  /** Check the arguments that determine shapes; returns the size of the kernel, one number per axis. */
  protected kernelOf(name: string, axes: number): number[] {
    const { inChannels, outChannels, kernelSize, groups, weightAttr }: ConvCommonArguments = this.config;
    needSize(name, "inChannels", inChannels);
    needSize(name, "outChannels", outChannels);
    needSize(name, "groups", groups);
    need((weightAttr as unknown) !== false, `${name} cannot do without a weight: weightAttr is false`);
    const isList = Array.isArray(kernelSize);
    need(isList || typeof kernelSize === "number", `${name}: kernelSize has ${axes} numbers, or is one`, kernelSize);
    const kernel = isList ? [...kernelSize] : new Array<number>(axes).fill(kernelSize as number);
    need(kernel.length === axes, `${name}: kernelSize has ${axes} numbers, or is one: got [${kernel}]`, kernelSize);
    kernel.forEach((n) => needSize(name, "kernelSize", n));
    return kernel;
  }
}

/** The forward convolutions. */
export abstract class ConvND extends ConvLayer<ConvArguments> {
  /** Creates the parameters. */
  constructor(axes: number, args: readonly unknown[]) {
    const signature = convSignature(axes);
    super(signature, args);
    const { inChannels, outChannels, groups, weightAttr, biasAttr, paddingMode, bias } = this.config;
    const dtype = this.config.dtype ?? undefined;
    const kernel = this.kernelOf(signature.name, axes);
    need(inChannels % groups === 0, `${signature.name}: ${groups} groups do not divide ${inChannels} inChannels`);
    need(PADDING_MODES.includes(paddingMode), `${signature.name}: paddingMode is one of ${PADDING_MODES.join(", ")}`);
    // TRAINING.md 6: the fan-in covers all input channels, not just those of a group.
    const std = Math.sqrt(2 / (inChannels * elementCount(kernel)));
    this.weight = this.createParameter([outChannels, inChannels / groups, ...kernel], {
      attr: weightAttr,
      defaultInitializer: new Normal(0, std),
      dtype,
    });
    this.bias = this.createParameter([outChannels], { attr: bias && biasAttr, isBias: true, dtype });
  }
}

/** `weight` [out, in / groups, k], `bias` [out]. Mirrors `paddle.nn.Conv1D` (3.3). */
export class Conv1D extends ConvND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Conv1D";
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes
   */
  constructor(...args: Call<ConvArguments, ConvOrder>) {
    super(1, args);
  }
}

/** `weight` [out, in / groups, k, k], `bias` [out]. Mirrors `paddle.nn.Conv2D` (3.3). */
export class Conv2D extends ConvND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Conv2D";
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes
   */
  constructor(...args: Call<ConvArguments, ConvOrder>) {
    super(2, args);
  }
}

/** `weight` [out, in / groups, k, k, k], `bias` [out]. Mirrors `paddle.nn.Conv3D` (3.3). */
export class Conv3D extends ConvND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Conv3D";
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes
   */
  constructor(...args: Call<ConvArguments, ConvOrder>) {
    super(3, args);
  }
}

/** The transposed convolutions. */
export abstract class ConvTransposeND extends ConvLayer<ConvTransposeArguments> {
  /** Creates the parameters. */
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
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Conv1DTranspose";
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes
   */
  constructor(...args: Call<ConvTransposeArguments, Conv1DTransposeOrder>) {
    super(1, args);
  }
}

/** `weight` [in, out / groups, k, k], `bias` [out]. Mirrors `paddle.nn.Conv2DTranspose` (3.3). */
export class Conv2DTranspose extends ConvTransposeND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Conv2DTranspose";
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes
   */
  constructor(...args: Call<ConvTransposeArguments, ConvTransposeOrder>) {
    super(2, args);
  }
}

/** `weight` [in, out / groups, k, k, k], `bias` [out]. Mirrors `paddle.nn.Conv3DTranspose` (3.3). */
export class Conv3DTranspose extends ConvTransposeND {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Conv3DTranspose";
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes
   */
  constructor(...args: Call<ConvTransposeArguments, ConvTransposeOrder>) {
    super(3, args);
  }
}
