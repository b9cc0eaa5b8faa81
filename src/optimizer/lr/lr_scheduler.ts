/**
 * What all schedulers have in common.
 *
 * @module
 */
import { ValueError, type Warning } from "../../errors.ts";
import { rememberFloat } from "../../words/floats.ts";
import { NDArray } from "../../ndarray.ts";
import { Float, NumpyScalar, type Value } from "../../values.ts";
import { check, checkArguments, isNumber, kindOf } from "../arguments.ts";
import { floatText } from "../python_text.ts";

/** Options that every scheduler takes. */
export interface ScheduleOptions {
  /** The last completed epoch; -1 to start from the beginning. @default {-1} */
  lastEpoch?: number;
  /** Print each new rate to the console, or pass the line to a function. @default {false} */
  verbose?: boolean | ((line: string) => void);
}

/** Options of {@linkcode LRScheduler}. */
export interface LRSchedulerOptions extends ScheduleOptions {
  /** The initial rate. @default {0.1} */
  learningRate?: number;
}

/** Options of `setStateDict`. */
export interface SetStateOptions {
  /** Called for each warning that Paddle would print. */
  onWarning?: (warning: Warning) => void;
}

/**
 * Base class of all schedulers, including custom ones: extend it and implement `getLr()`, which returns the rate at `this.lastEpoch`.
 *
 * Mirrors `paddle.optimizer.lr.LRScheduler` (3.3). Rates are float64, computed in Python's order of operations.
 *
 * @example A custom scheduler
 * ```ts
 * import { optimizer } from "@oarlock/paddle";
 * class Halving extends optimizer.lr.LRScheduler {
 *   getLr(): number {
 *     return this.baseLr / 2 ** this.lastEpoch;
 *   }
 * }
 * const scheduler = new Halving({ learningRate: 0.5 });
 * scheduler.step();
 * if (scheduler.lastLr !== 0.25 || scheduler.stateDict().get("last_epoch") !== 1) throw new Error("not halved");
 * ```
 */
export abstract class LRScheduler {
  /** The initial rate. */
  baseLr: number;
  /** Whether each new rate is printed, or the function that receives the line. */
  verbose: boolean | ((line: string) => void);
  #lastEpoch: number;
  #lastLr: number;
  #begun = false;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for a rate that is negative or not a number
   */
  constructor(options: LRSchedulerOptions | number = {}, epoch?: number, say?: ScheduleOptions["verbose"]) {
    const byPosition = typeof options === "number"
      ? { learningRate: options, lastEpoch: epoch, verbose: say }
      : options;
    const { learningRate = 0.1, lastEpoch = -1, verbose = false } = byPosition;
    check(isNumber(learningRate), `The type of learning rate must be float, but received ${kindOf(learningRate)}`);
    check(!(learningRate < 0), `Invalid learning rate: ${learningRate}`);
    check(isNumber(lastEpoch), `lastEpoch must be a number, but received ${kindOf(lastEpoch)}`);
    this.baseLr = learningRate;
    this.verbose = verbose;
    this.#lastLr = learningRate;
    this.#lastEpoch = lastEpoch;
  }

  /** The last completed epoch; 0 in a new scheduler. */
  get lastEpoch(): number {
    this.begin();
    return this.#lastEpoch;
  }
  set lastEpoch(epoch: number) {
    this.#lastEpoch = epoch;
  }

  /** The current rate, which Paddle's `scheduler()` returns. */
  get lastLr(): number {
    this.begin();
    return this.#lastLr;
  }
  set lastLr(rate: number) {
    this.#lastLr = rate;
  }

  /** The rate at `this.lastEpoch`. */
  abstract getLr(): number;

  /** The rate at `this.lastEpoch`, computed without the previous rate; used by `step(epoch)`. */
  protected getClosedFormLr(): number {
    return this.getLr();
  }

  /**
   * Take the first step, as Paddle's constructor does: lastEpoch goes from -1 to 0. It is deferred until the scheduler is used, since a
   * subclass's fields do not exist before. Only the first call has an effect.
   */
  protected begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.firstStep();
  }

  /** What {@linkcode LRScheduler.begin} does. */
  protected firstStep(): void {
    this.step();
  }

  /** Advance to the next epoch, or to `epoch`. */
  step(epoch?: number): void {
    this.begin();
    if (epoch === undefined) {
      this.#lastEpoch += 1;
      this.#lastLr = this.getLr();
    } else {
      check(isNumber(epoch), `An epoch is a number, but received ${kindOf(epoch)}`);
      this.#lastEpoch = epoch;
      this.#lastLr = this.getClosedFormLr();
    }
    this.sayRate();
  }

  /** Print the line of Paddle's `verbose`. */
  protected sayRate(): void {
    if (!this.verbose) return;
    const line = `Epoch ${this.#lastEpoch}: ${nameOf(this.constructor)} set learning rate to ${
      floatText(this.#lastLr)
    }.`;
    if (typeof this.verbose === "function") this.verbose(line);
    else console.log(line);
  }

  /** The keys of the state, in order, each the snake_case name of a field. Override it to save more fields. */
  protected stateKeys(): readonly string[] {
    return ["last_epoch", "last_lr"];
  }

  /** The keys whose values are floats in Python. */
  protected floatKeys(): readonly string[] {
    return ["last_lr"];
  }

  /** The state, with Paddle's keys in Paddle's order. Undefined fields are omitted. */
  stateDict(): Map<string, Value> {
    this.begin();
    const state = new Map<string, Value>();
    const floats = this.floatKeys();
    for (const key of this.stateKeys()) {
      const value: unknown = Reflect.get(this, camelCase(key));
      if (value === undefined) continue;
      state.set(key, value);
      if (typeof value === "number" && floats.includes(key)) rememberFloat(state, key, value);
    }
    return state;
  }

  /**
   * An alias of {@linkcode LRScheduler.setStateDict}.
   *
   * @throws {ValueError} as `setStateDict` does
   */
  setDict(state: ReadonlyMap<Value, Value>, options: SetStateOptions = {}): void {
    this.setStateDict(state, options);
  }

  /**
   * Resume from `state`. As in Paddle, keys before a missing one are set.
   *
   * @throws {ValueError} `INVALID_VALUE` if a key is missing, or its value is not a number where one is needed
   */
  setStateDict(state: ReadonlyMap<Value, Value>, options: SetStateOptions = {}): void {
    this.begin();
    check(state instanceof Map, `A scheduler's state is a Map, but received ${kindOf(state)}`);
    checkArguments("setStateDict", options, [], ["onWarning"]);
    const keys = this.stateKeys();
    for (const key of keys) {
      if (!state.has(key)) {
        throw new ValueError(
          "INVALID_VALUE",
          `Please check whether state_dict is correct for optimizer. Can't find [ ${key} ] in state_dict`,
          { at: `["${key}"]` },
        );
      }
      this.setState(key, state.get(key), state);
    }
    this.restored();
    if (state.size > keys.length) {
      const message =
        "There are some unused values in state_dict. Maybe the optimizer have different 'LearningRateDecay' when " +
        "invoking state_dict and set_dict";
      options.onWarning?.({ code: "UNUSED_STATE", message });
    }
  }

  /** Set the field for `key` to `value`; `_state` is the state it comes from. */
  protected setState(key: string, value: Value, _state: ReadonlyMap<Value, Value>): void {
    Reflect.set(this, camelCase(key), key === "last_epoch" || key === "last_lr" ? numberOf(key, value) : value);
  }

  /** Called after a state was set, to derive what is not in it. */
  protected restored(): void {}
}

/** The name of a class: bundlers rename ours, so they keep their names in a field. */
function nameOf(constructor: object & { name?: string; className?: string }): string {
  return (Object.hasOwn(constructor, "className") ? constructor.className : constructor.name) ?? "";
}

/** A number in a state: a number itself, or the only element of an array. */
export function numberOf(key: string, value: Value): number {
  if (value instanceof NDArray && value.size === 1) value = value.reshape([1]).at(0);
  if (value instanceof NumpyScalar || value instanceof Float) value = value.value;
  if (typeof value === "bigint") value = Number(value);
  if (typeof value === "number") return value;
  throw new ValueError("INVALID_VALUE", `${key} of a scheduler's state is a number: got ${kindOf(value)}`, {
    at: `["${key}"]`,
  });
}

function camelCase(key: string): string {
  // A run of underscores is matched as a whole: searching for its end from each of them would take quadratic time.
  return key.replace(/_+[a-zA-Z0-9]?/g, (run) => run.endsWith("_") ? run : run[run.length - 1].toUpperCase());
}
