/**
 * A rate by a function of the epoch.
 *
 * @module
 */
import { check, checkArguments, kindOf } from "../arguments.ts";
import { LRScheduler, SCHEDULE_OPTIONS, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode LambdaDecay}. */
export interface LambdaDecayOptions extends ScheduleOptions {
  /** The rate to start from. */
  learningRate: number;
  /** A factor for an epoch; `lr.pow` is Python's `**`. */
  lrLambda: (epoch: number) => number;
}

/**
 * `learningRate * lrLambda(epoch)`.
 *
 * Mirrors `paddle.optimizer.lr.LambdaDecay` (3.3).
 */
export class LambdaDecay extends LRScheduler {
  /** The name that `verbose` says. */
  static readonly className = "LambdaDecay";
  readonly #lrLambda: (epoch: number) => number;

  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(options: LambdaDecayOptions) {
    checkArguments("LambdaDecay", options, ["learningRate", "lrLambda"], [...SCHEDULE_OPTIONS]);
    const { lrLambda } = options;
    const kind = kindOf(lrLambda);
    check(kind === "function", `The type of 'lr_lambda' in 'LambdaDecay' must be 'function', but received ${kind}.`);
    super(options);
    this.#lrLambda = lrLambda;
    if (new.target === LambdaDecay) this.begin();
  }

  /** The rate of `this.lastEpoch`. */
  override getLr(): number {
    return this.baseLr * this.#lrLambda(this.lastEpoch);
  }
}
