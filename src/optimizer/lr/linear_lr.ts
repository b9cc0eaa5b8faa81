/**
 * A rate that changes linearly.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, divide, isNumber } from "../arguments.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode LinearLR}. */
export interface LinearLROptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** Epochs until the end factor is reached; above 0. */
  totalSteps: number;
  /** Factor at the start; above 0, at most 1. @default {1 / 3} */
  startFactor?: number;
  /** Factor at the end; 0 to 1. @default {1} */
  endFactor?: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "LinearLR",
  required: ["learningRate", "totalSteps"],
  optional: ["startFactor", "endFactor"],
};

/**
 * From `learningRate * startFactor` to `learningRate * endFactor` in `totalSteps` epochs. As in Paddle, each rate is computed from the
 * previous one, even by `step(epoch)`.
 *
 * Mirrors `paddle.optimizer.lr.LinearLR` (3.3).
 */
export class LinearLR extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "LinearLR";
  readonly #totalSteps: number;
  readonly #startFactor: number;
  readonly #endFactor: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<LinearLROptions, ["learningRate", "totalSteps", "startFactor", "endFactor", "lastEpoch", "verbose"]>
  ) {
    const options = byName<LinearLROptions>(ARGUMENTS, args);
    const { totalSteps, startFactor = 1 / 3, endFactor = 1 } = options;
    check(
      startFactor > 0 && startFactor <= 1,
      `\`start_factor\` must be greater than 0 and less or equal to 1, but got ${startFactor}`,
    );
    check(
      isNumber(endFactor) && endFactor >= 0 && endFactor <= 1,
      `\`end_factor\` must be greater than 0 and less than 1, but got ${endFactor}`,
    );
    check(totalSteps > 0, `\`total_steps\` must be greater than 0, but got ${totalSteps}`);
    super(options);
    this.#totalSteps = totalSteps;
    this.#startFactor = startFactor;
    this.#endFactor = endFactor;
    if (new.target === LinearLR) this.begin();
  }

  /** The rate at `this.lastEpoch`, computed from the previous rate. */
  override getLr(): number {
    const epoch = this.lastEpoch;
    if (epoch === 0) return this.baseLr * this.#startFactor;
    if (epoch > this.#totalSteps) return this.lastLr;
    const slope = this.#endFactor - this.#startFactor;
    return this.lastLr * (1 + divide(slope, this.#totalSteps * this.#startFactor + (epoch - 1) * slope));
  }
}
