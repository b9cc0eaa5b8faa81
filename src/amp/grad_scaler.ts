/**
 * A loss scaler for float16 gradients.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { rememberFloat } from "../words/floats.ts";
import { LANE, windowFor } from "../kernel/lanes.ts";
import { full, NDArray } from "../ndarray.ts";
import { bind, type Call, checkType, type Signature } from "../nn/arguments.ts";
import { check, kindOf } from "../optimizer/arguments.ts";
import { numbersOf, precisionOf } from "../optimizer/numbers.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import { Float, NumpyScalar, SelectedRows, type Value } from "../values.ts";

const f = Math.fround;

/** Arguments of {@linkcode GradScaler}. */
export interface GradScalerOptions {
  /** Whether scaling is enabled. @default {true} */
  enable?: boolean;
  /** The initial scale. @default {65536} */
  initLossScaling?: number;
  /** Factor by which the scale is increased; above 1. @default {2} */
  incrRatio?: number;
  /** Factor by which the scale is decreased; below 1. @default {0.5} */
  decrRatio?: number;
  /** Consecutive steps without infinity or NaN before an increase. @default {2000} */
  incrEveryNSteps?: number;
  /** Consecutive steps with infinity or NaN before a decrease. @default {1} */
  decrEveryNNanOrInf?: number;
  /** Whether the scale is adjusted dynamically. @default {true} */
  useDynamicLossScaling?: boolean;
}

const ARGUMENTS: Signature<GradScalerOptions> = {
  name: "GradScaler",
  defaults: {
    enable: true,
    initLossScaling: 65536,
    incrRatio: 2,
    decrRatio: 0.5,
    incrEveryNSteps: 2000,
    decrEveryNNanOrInf: 1,
    useDynamicLossScaling: true,
  },
  typed: [
    "enable",
    "initLossScaling",
    "incrRatio",
    "decrRatio",
    "incrEveryNSteps",
    "decrEveryNNanOrInf",
    "useDynamicLossScaling",
  ],
};

/** The state's keys in order, each with its field. */
const NUMBERS = [
  ["incr_ratio", "incrRatio"],
  ["decr_ratio", "decrRatio"],
  ["incr_every_n_steps", "incrEveryNSteps"],
  ["decr_every_n_nan_or_inf", "decrEveryNNanOrInf"],
  ["incr_count", "incrCount"],
  ["decr_count", "decrCount"],
] as const;

/**
 * Keeps float16 gradients from vanishing: the loss is scaled up, the gradients down again, and steps with infinite ones are skipped.
 *
 * Mirrors `paddle.amp.GradScaler` (3.3) as on a GPU. On a CPU Paddle disables its own, and then saves an empty state. Float64 gradients are
 * unscaled, too; Paddle leaves them as they are, scaled, or fails if the parameters are in groups.
 *
 * @example
 * ```ts
 * import { amp, full, nn, optimizer } from "@oarlock/paddle";
 * const parameter = new nn.Parameter("float32", [2]);
 * const sgd = new optimizer.SGD(1, [parameter]);
 * const scaler = new amp.GradScaler({ initLossScaling: 1024 });
 * parameter.grad = full([2], 1024); // of a loss that went through scaler.scale()
 * scaler.step(sgd);
 * scaler.update();
 * if (parameter.at(0) !== -1) throw new Error("not scaled down");
 * ```
 */
export class GradScaler {
  /** The scale, a float32 value. */
  lossScaling: number;
  /** Factor by which the scale is increased. */
  incrRatio: number;
  /** Factor by which the scale is decreased. */
  decrRatio: number;
  /** Consecutive steps without infinity or NaN before an increase. */
  incrEveryNSteps: number;
  /** Consecutive steps with infinity or NaN before a decrease. */
  decrEveryNNanOrInf: number;
  /** Steps since the last increase, or since the last infinity or NaN. */
  incrCount = 0;
  /** Consecutive steps with infinity or NaN since the last decrease. */
  decrCount = 0;
  #initLossScaling: number;
  #isEnabled: boolean;
  #isDynamic: boolean;
  /** What was done since the last update, by optimizer. */
  #done = new Map<Optimizer, "unscaled" | "stepped">();
  /** Whether the last unscaling found infinity or NaN. Paddle knows no more, and steps with them if another optimizer was unscaled since. */
  #found = false;
  /** The optimizers whose last unscaling found them. */
  #infinite = new WeakSet<Optimizer>();
  /** Whether the last step was skipped because of that; this is what changes the scale. */
  #wasSkipped = false;

  /**
   * Takes Paddle's arguments, by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for ratios that Paddle refuses
   */
  constructor(
    ...args: Call<
      GradScalerOptions,
      [
        "enable",
        "initLossScaling",
        "incrRatio",
        "decrRatio",
        "incrEveryNSteps",
        "decrEveryNNanOrInf",
        "useDynamicLossScaling",
      ]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    if (options.enable) {
      check(options.incrRatio > 1, "The incr_ratio must be > 1.0.");
      check(options.decrRatio < 1, "The decr_ratio must be < 1.0.");
    }
    this.#isEnabled = options.enable;
    this.#isDynamic = options.enable && options.useDynamicLossScaling;
    this.#initLossScaling = options.enable ? options.initLossScaling : 1;
    this.lossScaling = f(options.initLossScaling);
    this.incrRatio = options.incrRatio;
    this.decrRatio = options.decrRatio;
    this.incrEveryNSteps = options.incrEveryNSteps;
    this.decrEveryNNanOrInf = options.decrEveryNNanOrInf;
  }

  /** Whether scaling is enabled. */
  isEnable(): boolean {
    return this.#isEnabled;
  }

  /** Whether the scale is adjusted dynamically. */
  isUseDynamicLossScaling(): boolean {
    return this.#isDynamic;
  }

  /** The initial scale, or the one that was loaded; 1 if scaling is disabled. {@linkcode GradScaler.lossScaling} is the current one. */
  getInitLossScaling(): number {
    return this.#initLossScaling;
  }

  /** Start over from another scale. */
  setInitLossScaling(scale: number): void {
    checkNumber("initLossScaling", scale);
    this.#initLossScaling = scale;
    this.lossScaling = f(scale);
  }

  /** Factor by which the scale is increased. */
  getIncrRatio(): number {
    return this.incrRatio;
  }

  /**
   * Set the factor by which the scale is increased.
   *
   * @throws {ValueError} `INVALID_VALUE` if it is not above 1
   */
  setIncrRatio(ratio: number): void {
    checkNumber("incrRatio", ratio);
    check(ratio > 1, "The new_incr_ratio must be > 1.0.");
    this.incrRatio = ratio;
  }

  /** Factor by which the scale is decreased. */
  getDecrRatio(): number {
    return this.decrRatio;
  }

  /**
   * Set the factor by which the scale is decreased.
   *
   * @throws {ValueError} `INVALID_VALUE` if it is not below 1
   */
  setDecrRatio(ratio: number): void {
    checkNumber("decrRatio", ratio);
    check(ratio < 1, "The new_decr_ratio must be < 1.0.");
    this.decrRatio = ratio;
  }

  /** Consecutive steps without infinity or NaN before an increase. */
  getIncrEveryNSteps(): number {
    return this.incrEveryNSteps;
  }

  /** Set the number of consecutive steps without infinity or NaN before an increase. */
  setIncrEveryNSteps(steps: number): void {
    checkNumber("incrEveryNSteps", steps);
    this.incrEveryNSteps = steps;
  }

  /** Consecutive steps with infinity or NaN before a decrease. */
  getDecrEveryNNanOrInf(): number {
    return this.decrEveryNNanOrInf;
  }

  /** Set the number of consecutive steps with infinity or NaN before a decrease. */
  setDecrEveryNNanOrInf(steps: number): void {
    checkNumber("decrEveryNNanOrInf", steps);
    this.decrEveryNNanOrInf = steps;
  }

  /** The loss times the scale, or the loss itself if scaling is disabled. */
  scale(loss: number): number {
    return this.#isEnabled ? f(f(loss) * this.lossScaling) : loss;
  }

  /**
   * Divide the gradients of an optimizer's parameters by the scale, in place, and check for infinity and NaN.
   *
   * @throws {ValueError} `INVALID_VALUE` if that was done since the last update
   */
  unscale(optimizer: Optimizer): void {
    if (!this.#isEnabled) return;
    const done = this.#done.get(optimizer);
    check(
      done !== "unscaled",
      "unscale_() has already been called on this optimizer since the last update().",
    );
    check(done !== "stepped", "unscale_() is being called after step().");
    const inverse = f(1 / this.lossScaling);
    this.#found = false;
    this.#infinite.delete(optimizer);
    for (const { grad } of optimizer.parameters) {
      if (grad === null) continue;
      if (!multiply(grad instanceof SelectedRows ? grad.value : grad, inverse)) this.#found = true;
    }
    if (this.#found) this.#infinite.add(optimizer);
    this.#done.set(optimizer, "unscaled");
  }

  /**
   * Paddle's name of {@linkcode GradScaler.unscale}.
   *
   * @throws {ValueError} as `unscale` does
   */
  unscale_(optimizer: Optimizer): void {
    this.unscale(optimizer);
  }

  /**
   * Call `optimizer.step()` with gradients divided by the scale; skipped if one of them is infinite or NaN.
   *
   * @throws {ValueError} `INVALID_VALUE` if that was done since the last update
   */
  step(optimizer: Optimizer): void {
    if (!this.#isEnabled) return optimizer.step();
    check(this.#done.get(optimizer) !== "stepped", "step() has already been called since the last update().");
    this.#stepIfFinite(optimizer);
    this.#done.set(optimizer, "stepped");
    if (!this.#isDynamic) this.#done.clear();
  }

  #stepIfFinite(optimizer: Optimizer): void {
    if (!this.#done.has(optimizer)) this.unscale(optimizer);
    this.#wasSkipped = this.#found || this.#infinite.has(optimizer);
    // As in Paddle, a step that is skipped still creates the optimizer's state.
    if (this.#wasSkipped) optimizer["skipStep"]?.();
    else optimizer.step();
  }

  /** Step and update in one call. Paddle's takes the scaled loss, too, without looking at it: the gradients are there. */
  minimize(optimizer: Optimizer): void {
    if (!this.#isEnabled) return optimizer.step();
    this.#stepIfFinite(optimizer);
    this.update();
    this.#done.clear();
  }

  /** Adjust the scale after a step. */
  update(): void {
    if (!this.#isDynamic) return;
    if (this.#wasSkipped) {
      this.incrCount = 0;
      if (++this.decrCount === this.decrEveryNNanOrInf) {
        this.lossScaling = f(this.lossScaling * f(this.decrRatio));
        this.decrCount = 0;
      }
    } else {
      this.decrCount = 0;
      if (++this.incrCount === this.incrEveryNSteps) {
        this.lossScaling = f(this.lossScaling * f(this.incrRatio));
        this.incrCount = 0;
      }
    }
    this.#done.clear();
  }

  /** The state, with Paddle's keys in Paddle's order; empty if scaling is disabled. */
  stateDict(): Map<string, Value> {
    const state = new Map<string, Value>();
    if (!this.#isEnabled) return state;
    state.set("scale", full([1], this.lossScaling));
    for (const [key, field] of NUMBERS) {
      state.set(key, this[field]);
      if (key.endsWith("ratio")) rememberFloat(state, key, this[field]);
    }
    state.set("use_dynamic_loss_scaling", this.#isDynamic);
    return state;
  }

  /**
   * Restore a saved state; does nothing if scaling is disabled. If some value cannot be set, none is.
   *
   * @throws {ValueError} `INVALID_VALUE` if it is empty, or a key is missing or has the wrong type
   */
  loadStateDict(state: ReadonlyMap<Value, Value>): void {
    if (!this.#isEnabled) return;
    check(state instanceof Map, `A scaler's state is a Map: got ${kindOf(state)}`);
    check(
      state.size > 0,
      "The input state dict is empty, possibly because it was saved from a disabled instance of GradScaler.",
    );
    const scale = state.get("scale");
    const numbers = NUMBERS.map(([key, field]) => [field, numberOf(state, key)] as const);
    const isDynamic = state.get("use_dynamic_loss_scaling");
    if (!(scale instanceof NDArray) || scale.size < 1) throw missing("scale", scale);
    if (typeof isDynamic !== "boolean") throw missing("use_dynamic_loss_scaling", isDynamic);
    this.lossScaling = f(Number(scale.reshape([scale.size]).at(0)));
    this.#initLossScaling = this.lossScaling;
    for (const [field, number] of numbers) this[field] = number;
    this.#isDynamic = isDynamic;
  }
}

function numberOf(state: ReadonlyMap<Value, Value>, key: string): number {
  let value = state.get(key);
  if (value instanceof Float || value instanceof NumpyScalar) value = value.value;
  if (typeof value !== "number") throw missing(key, value);
  return value;
}

function missing(key: string, value: Value): ValueError {
  return new ValueError("INVALID_VALUE", `${key} of a scaler's state has the wrong type: got ${kindOf(value)}`, {
    at: `["${key}"]`,
  });
}

function checkNumber(name: string, value: unknown): void {
  checkType(`GradScaler: "${name}"`, value, "number");
}

/** Multiply in place; returns whether all products are finite in the array's dtype. */
function multiply(array: NDArray, factor: number): boolean {
  const numbers = numbersOf(array);
  const { lanes: [, lane], call } = windowFor(array.size, precisionOf(array.dtype));
  let isFinite = true;
  for (let start = 0; start < array.size; start += LANE) {
    const n = Math.min(LANE, array.size - start);
    numbers.read(start, n, lane);
    call.scale(n, factor);
    numbers.write(start, n, lane);
    // A product may be too large for the dtype, even if the gradient was not: it is looked at as it was written. Multiplying by 0 detects
    // every non-finite value; a sum of squares could overflow.
    numbers.read(start, n, lane);
    for (let i = 0; isFinite && i < n; i++) isFinite = lane[i] * 0 === 0;
  }
  return isFinite;
}
