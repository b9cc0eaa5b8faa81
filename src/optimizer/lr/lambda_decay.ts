/**
 * A rate given by a function of the epoch.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, kindOf } from "../arguments.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode LambdaDecay}. */
export interface LambdaDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** Returns the factor for an epoch; `lr.pow` is Python's `**`. */
  lrLambda: (epoch: number) => number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "LambdaDecay",
  required: ["learningRate", "lrLambda"],
  optional: [],
};

/**
 * `learningRate * lrLambda(epoch)`.
 *
 * Mirrors `paddle.optimizer.lr.LambdaDecay` (3.3).
 */
export class LambdaDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "LambdaDecay";
  readonly #lrLambda: (epoch: number) => number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<LambdaDecayOptions, ["learningRate", "lrLambda", "lastEpoch", "verbose"]>) {
    const options = byName<LambdaDecayOptions>(ARGUMENTS, args);
    const { lrLambda } = options;
    const kind = kindOf(lrLambda);
    check(kind === "function", `The type of 'lr_lambda' in 'LambdaDecay' must be 'function', but received ${kind}.`);
    super(options);
    this.#lrLambda = lrLambda;
    if (new.target === LambdaDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    return this.baseLr * this.#lrLambda(this.lastEpoch);
  }
}
