/**
 * A scale for losses and gradients of float16.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { rememberFloat } from "../words/floats.ts";
import { LANE, windowFor } from "../kernel/lanes.ts";
import { full, NDArray } from "../ndarray.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import { check, kindOf } from "../optimizer/arguments.ts";
import { numbersOf, precisionOf } from "../optimizer/numbers.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import { Float, NumpyScalar, SelectedRows, type Value } from "../values.ts";

const f = Math.fround;

/** Arguments of {@linkcode GradScaler}. */
export interface GradScalerOptions {
  /** Whether it does anything. @default {true} */
  enable?: boolean;
  /** The scale at the start. @default {65536} */
  initLossScaling?: number;
  /** The factor of a rise; above 1. @default {2} */
  incrRatio?: number;
  /** The factor of a fall; below 1. @default {0.5} */
  decrRatio?: number;
  /** Steps without infinity or NaN before a rise. @default {2000} */
  incrEveryNSteps?: number;
  /** Steps with infinity or NaN before a fall. @default {1} */
  decrEveryNNanOrInf?: number;
  /** Whether the scale changes. @default {true} */
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
};

/** The state's keys in order, and the fields that they are. */
const NUMBERS = [
  ["incr_ratio", "incrRatio"],
  ["decr_ratio", "decrRatio"],
  ["incr_every_n_steps", "incrEveryNSteps"],
  ["decr_every_n_nan_or_inf", "decrEveryNNanOrInf"],
  ["incr_count", "incrCount"],
  ["decr_count", "decrCount"],
] as const;

/**
 * Keeps gradients of float16 from vanishing: the loss is scaled up, the gradients down again, and steps with infinite ones are left out.
 *
 * Mirrors `paddle.amp.GradScaler` (3.3) as it is on a GPU. Paddle turns its own off on a CPU, and then saves an empty state.
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
  /** The scale, a float32. */
  lossScaling: number;
  /** The factor of a rise. */
  incrRatio: number;
  /** The factor of a fall. */
  decrRatio: number;
  /** Steps without infinity or NaN before a rise. */
  incrEveryNSteps: number;
  /** Steps with infinity or NaN before a fall. */
  decrEveryNNanOrInf: number;
  /** Steps since the last rise, or since infinity or NaN. */
  incrCount = 0;
  /** Steps with infinity or NaN since the last fall. */
  decrCount = 0;
  #isEnabled: boolean;
  #isDynamic: boolean;
  /** What was done since the last update, by optimizer. */
  #done = new Map<Optimizer, "unscaled" | "stepped">();
  #found = false;

  /**
   * Make one, with Paddle's arguments by position or by name.
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
    this.lossScaling = f(options.initLossScaling);
    this.incrRatio = options.incrRatio;
    this.decrRatio = options.decrRatio;
    this.incrEveryNSteps = options.incrEveryNSteps;
    this.decrEveryNNanOrInf = options.decrEveryNNanOrInf;
  }

  /** Whether it does anything. */
  isEnable(): boolean {
    return this.#isEnabled;
  }

  /** Whether the scale changes. */
  isUseDynamicLossScaling(): boolean {
    return this.#isDynamic;
  }

  /** A loss times the scale; the loss itself where this is not enabled. */
  scale(loss: number): number {
    return this.#isEnabled ? f(f(loss) * this.lossScaling) : loss;
  }

  /**
   * Divide the gradients of an optimizer's parameters by the scale, in place, and look for infinity and NaN.
   *
   * @throws {ValueError} `INVALID_VALUE` where that was done since the last update
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
    for (const { grad } of optimizer.parameters) {
      if (grad === null) continue;
      if (!multiply(grad instanceof SelectedRows ? grad.value : grad, inverse)) this.#found = true;
    }
    this.#done.set(optimizer, "unscaled");
  }

  /**
   * `optimizer.step()` with gradients divided by the scale; left out where one of them is infinite or NaN.
   *
   * @throws {ValueError} `INVALID_VALUE` where that was done since the last update
   */
  step(optimizer: Optimizer): void {
    if (!this.#isEnabled) return optimizer.step();
    check(this.#done.get(optimizer) !== "stepped", "step() has already been called since the last update().");
    if (!this.#done.has(optimizer)) this.unscale(optimizer);
    if (!this.#found) optimizer.step();
    this.#done.set(optimizer, "stepped");
    if (!this.#isDynamic) this.#done.clear();
  }

  /** Change the scale after a step. */
  update(): void {
    if (!this.#isEnabled || !this.#isDynamic) return;
    if (this.#found) {
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

  /** The state, with Paddle's keys in Paddle's order; empty where this is not enabled. */
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
   * Go on where `state` was taken; nothing happens where this is not enabled. Where something can't be set, nothing is.
   *
   * @throws {ValueError} `INVALID_VALUE` where it is empty, or a key is missing or of another kind
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
  return new ValueError("INVALID_VALUE", `${key} of a scaler's state is not what it must be: got ${kindOf(value)}`, {
    at: `["${key}"]`,
  });
}

/** Multiply in place; whether all numbers were finite. Numbers that are not are left as they are. */
function multiply(array: NDArray, factor: number): boolean {
  const numbers = numbersOf(array);
  const { lanes: [, lane], call } = windowFor(array.size, precisionOf(array.dtype));
  let isFinite = true;
  for (let start = 0; start < array.size; start += LANE) {
    const n = Math.min(LANE, array.size - start);
    numbers.read(start, n, lane);
    // A sum of squares may overflow: the product with 0 tells every number that is not finite.
    for (let i = 0; isFinite && i < n; i++) isFinite = lane[i] * 0 === 0;
    call.scale(n, factor);
    numbers.write(start, n, lane);
  }
  return isFinite;
}
