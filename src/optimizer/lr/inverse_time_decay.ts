/**
 * Inverse time decay.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, divide, isNumber, kindOf } from "../arguments.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode InverseTimeDecay}. */
export interface InverseTimeDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** The decay rate. */
  gamma: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "InverseTimeDecay",
  required: ["learningRate", "gamma"],
  optional: [],
};

/**
 * `learningRate / (1 + gamma * epoch)`.
 *
 * Mirrors `paddle.optimizer.lr.InverseTimeDecay` (3.3).
 */
export class InverseTimeDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "InverseTimeDecay";
  readonly #gamma: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<InverseTimeDecayOptions, ["learningRate", "gamma", "lastEpoch", "verbose"]>) {
    const options = byName<InverseTimeDecayOptions>(ARGUMENTS, args);
    check(isNumber(options.gamma), `The type of 'gamma' must be float, but received ${kindOf(options.gamma)}`);
    super(options);
    this.#gamma = options.gamma;
    if (new.target === InverseTimeDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    return divide(this.baseLr, 1 + this.#gamma * this.lastEpoch);
  }
}
