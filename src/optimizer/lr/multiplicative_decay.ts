/**
 * A rate that is multiplied by a function of the epoch.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, kindOf } from "../arguments.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode MultiplicativeDecay}. */
export interface MultiplicativeDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** Returns the factor for an epoch; `lr.pow` is Python's `**`. */
  lrLambda: (epoch: number) => number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "MultiplicativeDecay",
  required: ["learningRate", "lrLambda"],
  optional: [],
};

/**
 * `learningRate * lrLambda(1) * ... * lrLambda(epoch)`, recomputed from the start each time.
 *
 * Mirrors `paddle.optimizer.lr.MultiplicativeDecay` (3.3).
 */
export class MultiplicativeDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "MultiplicativeDecay";
  readonly #lrLambda: (epoch: number) => number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<MultiplicativeDecayOptions, ["learningRate", "lrLambda", "lastEpoch", "verbose"]>) {
    const options = byName<MultiplicativeDecayOptions>(ARGUMENTS, args);
    const { lrLambda } = options;
    const kind = kindOf(lrLambda);
    check(
      kind === "function",
      `The type of 'lr_lambda' in 'MultiplicativeDecay' must be 'function', but received ${kind}.`,
    );
    super(options);
    this.#lrLambda = lrLambda;
    if (new.target === MultiplicativeDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    check(Number.isInteger(this.lastEpoch), `Epochs are integers, but received ${this.lastEpoch}`);
    let rate = this.baseLr;
    for (let epoch = 1; epoch <= this.lastEpoch; epoch++) rate *= this.#lrLambda(epoch);
    return rate;
  }
}
