/**
 * Exponential decay.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check } from "../arguments.ts";
import { pow } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode ExponentialDecay}. */
export interface ExponentialDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** The factor per epoch; between 0 and 1. */
  gamma: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "ExponentialDecay",
  required: ["learningRate", "gamma"],
  optional: [],
};

/**
 * `learningRate * gamma ** epoch`.
 *
 * Mirrors `paddle.optimizer.lr.ExponentialDecay` (3.3).
 */
export class ExponentialDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "ExponentialDecay";
  readonly #gamma: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<ExponentialDecayOptions, ["learningRate", "gamma", "lastEpoch", "verbose"]>) {
    const options = byName<ExponentialDecayOptions>(ARGUMENTS, args);
    const { gamma } = options;
    check(gamma > 0 && gamma < 1, "'gamma' must be in interval (0.0, 1.0) so that the learning rate will decay.");
    super(options);
    this.#gamma = gamma;
    if (new.target === ExponentialDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    return this.baseLr * pow(this.#gamma, this.lastEpoch);
  }
}
