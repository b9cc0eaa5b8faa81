/**
 * Random initial values.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import type { NDArray } from "../../ndarray.ts";
import { bind, type Call, checkType } from "../arguments.ts";
import { fillNormal, fillTruncatedNormal, fillUniform } from "../random/distributions.ts";
import { generator } from "../random/generator.ts";
import { drawn, fansOf, Initializer } from "./initializer.ts";

/** Arguments of {@linkcode Uniform}. */
export interface UniformArguments {
  /** The minimum value. @default {-1} */
  low?: number;
  /** The upper bound, exclusive. @default {1} */
  high?: number;
}

/** The uniform distribution. Mirrors `paddle.nn.initializer.Uniform` (3.3). */
export class Uniform extends Initializer {
  /** The minimum value. */
  readonly low: number;
  /** The upper bound, exclusive. */
  readonly high: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` if `high` is below `low`
   */
  constructor(...args: Call<UniformArguments, ["low", "high"]>) {
    super();
    ({ low: this.low, high: this.high } = bind<UniformArguments>(
      { name: "Uniform", defaults: { low: -1, high: 1 }, typed: ["low", "high"] },
      args,
    ));
    if (!(this.high >= this.low)) {
      throw new ValueError("INVALID_VALUE", `Uniform: high is ${this.low} (low) or more: got ${this.high}`);
    }
  }

  /** Draws the values. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    return drawn(dtype, shape, (target) => fillUniform(target, generator(), this.low, this.high));
  }
}

/** Arguments of {@linkcode Normal}. */
export interface NormalArguments {
  /** The mean. @default {0} */
  mean?: number;
  /** The standard deviation. @default {1} */
  std?: number;
}

/** The normal distribution. Mirrors `paddle.nn.initializer.Normal` (3.3). */
export class Normal extends Initializer {
  /** The mean. */
  readonly mean: number;
  /** The standard deviation. */
  readonly std: number;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<NormalArguments, ["mean", "std"]>) {
    super();
    ({ mean: this.mean, std: this.std } = bind<NormalArguments>(
      { name: "Normal", defaults: { mean: 0, std: 1 }, typed: ["mean", "std"] },
      args,
    ));
  }

  /** Draws the values. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    return drawn(dtype, shape, (target) => fillNormal(target, generator(), this.mean, this.std));
  }
}

/** Arguments of {@linkcode TruncatedNormal}. */
export interface TruncatedNormalArguments extends NormalArguments {
  /** The lower bound. @default {-2} */
  a?: number;
  /** The upper bound. @default {2} */
  b?: number;
}

/** The truncated normal distribution. Mirrors `paddle.nn.initializer.TruncatedNormal` (3.3): a and b are values, not multiples of std. */
export class TruncatedNormal extends Initializer {
  /** Mean, standard deviation and bounds. */
  readonly arguments: Readonly<Required<TruncatedNormalArguments>>;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<TruncatedNormalArguments, ["mean", "std", "a", "b"]>) {
    super();
    const defaults = { mean: 0, std: 1, a: -2, b: 2 };
    const typed = ["mean", "std", "a", "b"] as const;
    this.arguments = bind<TruncatedNormalArguments>({ name: "TruncatedNormal", defaults, typed }, args);
  }

  /** Draws the values. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    return drawn(dtype, shape, (target) => fillTruncatedNormal(target, generator(), this.arguments));
  }
}

/** Arguments of {@linkcode XavierUniform} and {@linkcode XavierNormal}. */
export interface XavierArguments {
  /** The fan-in. @default {computed from the shape} */
  fanIn?: number | null;
  /** The fan-out. @default {computed from the shape} */
  fanOut?: number | null;
  /** A factor for the bounds or the standard deviation. @default {1} */
  gain?: number;
}

const XAVIER: Required<XavierArguments> = { fanIn: null, fanOut: null, gain: 1 };

/** Uniform between `-a` and `a = gain * sqrt(6 / (fanIn + fanOut))`. Mirrors `paddle.nn.initializer.XavierUniform` (3.3). */
export class XavierUniform extends Initializer {
  /** Fans and gain. */
  readonly arguments: Readonly<Required<XavierArguments>>;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<XavierArguments, ["fanIn", "fanOut", "gain"]>) {
    super();
    this.arguments = checkFans(
      bind<XavierArguments>({ name: "XavierUniform", defaults: XAVIER, typed: ["gain"] }, args),
    );
  }

  /** Draws the values. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    const limit = this.arguments.gain * Math.sqrt(6 / sumOfFans(this.arguments, shape));
    return drawn(dtype, shape, (target) => fillUniform(target, generator(), -limit, limit));
  }
}

/** Normal with `std = gain * sqrt(2 / (fanIn + fanOut))`. Mirrors `paddle.nn.initializer.XavierNormal` (3.3). */
export class XavierNormal extends Initializer {
  /** Fans and gain. */
  readonly arguments: Readonly<Required<XavierArguments>>;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<XavierArguments, ["fanIn", "fanOut", "gain"]>) {
    super();
    this.arguments = checkFans(
      bind<XavierArguments>({ name: "XavierNormal", defaults: XAVIER, typed: ["gain"] }, args),
    );
  }

  /** Draws the values. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    const std = this.arguments.gain * Math.sqrt(2 / sumOfFans(this.arguments, shape));
    return drawn(dtype, shape, (target) => fillNormal(target, generator(), 0, std));
  }
}

function checkFans<A extends { fanIn: number | null; fanOut?: number | null }>(args: A): A {
  for (const name of ["fanIn", "fanOut"] as const) {
    if (args[name] !== null && args[name] !== undefined) checkType(name, args[name], "number");
  }
  return args;
}

/** The sum of the fans; infinite if one of them is 0, so that all values become 0, as in Paddle since 3.0. */
function sumOfFans({ fanIn, fanOut }: XavierArguments, shape: readonly number[]): number {
  const fans = fansOf(shape);
  const [before, after] = [fanIn ?? fans.fanIn, fanOut ?? fans.fanOut];
  if (before === 0 || after === 0) return Infinity;
  if (!(before + after > 0)) throw badFan(before + after);
  return before + after;
}

function badFan(fan: number): ValueError {
  return new ValueError("INVALID_VALUE", `A fan must be above 0: got ${fan}`, { actual: fan });
}

/** Arguments of {@linkcode KaimingUniform} and {@linkcode KaimingNormal}. */
export interface KaimingArguments {
  /** The fan-in. @default {computed from the shape} */
  fanIn?: number | null;
  /** The slope of `leaky_relu` below 0. @default {0} */
  negativeSlope?: number;
  /** The nonlinearity after the layer; see {@linkcode calculateGain}. @default {"relu"} */
  nonlinearity?: string;
  /** Which fan of the shape to use. @default {"fan_in"} */
  mode?: "fan_in" | "fan_out";
}

const KAIMING: Required<KaimingArguments> = { fanIn: null, negativeSlope: 0, nonlinearity: "relu", mode: "fan_in" };

/** Uniform between `-a` and `a = gain * sqrt(3 / fanIn)`. Mirrors `paddle.nn.initializer.KaimingUniform` (3.3). */
export class KaimingUniform extends Initializer {
  /** Fan, slope and nonlinearity. */
  readonly arguments: Readonly<Required<KaimingArguments>>;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<KaimingArguments, ["fanIn", "negativeSlope", "nonlinearity", "mode"]>) {
    super();
    this.arguments = checkMode(
      bind<KaimingArguments>({ name: "KaimingUniform", defaults: KAIMING, typed: ["negativeSlope"] }, args),
    );
  }

  /** Draws the values. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    const { gain, fan } = gainAndFan(this.arguments, shape);
    const limit = gain * Math.sqrt(3 / fan);
    return drawn(dtype, shape, (target) => fillUniform(target, generator(), -limit, limit));
  }
}

/** Normal with `std = gain / sqrt(fanIn)`. Mirrors `paddle.nn.initializer.KaimingNormal` (3.3). */
export class KaimingNormal extends Initializer {
  /** Fan, slope and nonlinearity. */
  readonly arguments: Readonly<Required<KaimingArguments>>;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<KaimingArguments, ["fanIn", "negativeSlope", "nonlinearity", "mode"]>) {
    super();
    this.arguments = checkMode(
      bind<KaimingArguments>({ name: "KaimingNormal", defaults: KAIMING, typed: ["negativeSlope"] }, args),
    );
  }

  /** Draws the values. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    const { gain, fan } = gainAndFan(this.arguments, shape);
    return drawn(dtype, shape, (target) => fillNormal(target, generator(), 0, gain / Math.sqrt(fan)));
  }
}

function checkMode(args: Required<KaimingArguments>): Required<KaimingArguments> {
  checkFans(args);
  if (args.fanIn !== null && !(args.fanIn > 0)) throw badFan(args.fanIn);
  if (args.mode !== "fan_in" && args.mode !== "fan_out") {
    throw new ValueError("INVALID_VALUE", `mode is "fan_in" or "fan_out": got ${String(args.mode)}`);
  }
  if (args.mode === "fan_out" && args.fanIn !== null) {
    throw new ValueError("INVALID_VALUE", 'fanIn has no meaning with mode "fan_out": leave one of them out');
  }
  return args;
}

function gainAndFan(args: Required<KaimingArguments>, shape: readonly number[]): { gain: number; fan: number } {
  const { fanIn, fanOut } = fansOf(shape);
  const fan = args.mode === "fan_out" ? fanOut : args.fanIn ?? fanIn;
  return { gain: calculateGain(args.nonlinearity, args.negativeSlope), fan };
}

const GAINS: ReadonlyMap<string, number> = /* @__PURE__ */ gains();

function gains(): ReadonlyMap<string, number> {
  return new Map([
    ...["sigmoid", "linear"].map((name): [string, number] => [name, 1]),
    ...[1, 2, 3].flatMap((n): [string, number][] => [
      [`conv${n}d`, 1],
      [`conv${n}d_transpose`, 1],
      [`conv_transpose${n}d`, 1],
    ]),
    ["tanh", 5 / 3],
    ["relu", Math.SQRT2],
    ["selu", 3 / 4],
  ]);
}

/**
 * The factor for initial values that suits a nonlinearity: `sigmoid linear conv1d ... tanh relu leaky_relu selu`.
 *
 * Mirrors `paddle.nn.initializer.calculate_gain` (3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` for any other name
 */
export function calculateGain(nonlinearity: string, param: number | null = null): number {
  if (nonlinearity === "leaky_relu") return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2));
  const gain = GAINS.get(nonlinearity);
  if (gain === undefined) {
    throw new ValueError("INVALID_VALUE", `There is no gain for the nonlinearity ${nonlinearity}`);
  }
  return gain;
}
