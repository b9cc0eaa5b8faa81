/**
 * Noam decay.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { byName, check, checkArguments, isNumber, kindOf } from "../arguments.ts";
import { pow } from "./correctly_rounded.ts";
import { LRScheduler, SCHEDULE_OPTIONS, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode NoamDecay}. */
export interface NoamDecayOptions extends ScheduleOptions {
  /** The width of the model. */
  dModel: number;
  /** Epochs during which the rate rises. */
  warmupSteps: number;
  /** A factor applied to all rates. @default {1} */
  learningRate?: number;
}

/** The order of Paddle's positional arguments. */
const ORDER = ["dModel", "warmupSteps", "learningRate", "lastEpoch", "verbose"];

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
    const options = byName<NoamDecayOptions>("NoamDecay", ORDER, args);
    checkArguments("NoamDecay", options, ["dModel", "warmupSteps"], ["learningRate", ...SCHEDULE_OPTIONS]);
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
