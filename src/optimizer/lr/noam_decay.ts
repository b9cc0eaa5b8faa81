/**
 * Noam decay.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, isNumber, kindOf } from "../arguments.ts";
import { pow } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode NoamDecay}. */
export interface NoamDecayOptions extends ScheduleOptions {
  /** The width of the model. */
  dModel: number;
  /** Epochs during which the rate rises. */
  warmupSteps: number;
  /** A factor applied to all rates. @default {1} */
  learningRate?: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "NoamDecay",
  required: ["dModel", "warmupSteps"],
  optional: ["learningRate"],
};

/**
 * `learningRate * dModel ** -0.5 * min(epoch ** -0.5, warmupSteps ** -1.5 * epoch)`.
 *
 * Mirrors `paddle.optimizer.lr.NoamDecay` (3.3).
 */
export class NoamDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "NoamDecay";
  readonly #scale: number;
  readonly #warmupSteps: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<NoamDecayOptions, ["dModel", "warmupSteps", "learningRate", "lastEpoch", "verbose"]>) {
    const options = byName<NoamDecayOptions>(ARGUMENTS, args);
    const { dModel, warmupSteps, learningRate = 1 } = options;
    check(
      isNumber(warmupSteps),
      `The type of 'warmup_steps' must be int or float, but received ${kindOf(warmupSteps)}`,
    );
    check(isNumber(dModel) && dModel > 0, "d_model should be grater than 0");
    super({ ...options, learningRate });
    this.#scale = pow(dModel, -0.5);
    this.#warmupSteps = warmupSteps;
    if (new.target === NoamDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    const epoch = this.lastEpoch;
    const falling = epoch === 0 ? 1 : pow(epoch, -0.5);
    const rising = pow(this.#warmupSteps, -1.5) * epoch;
    return this.baseLr * this.#scale * Math.min(falling, rising);
  }
}
