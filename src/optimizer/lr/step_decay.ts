/**
 * Decay at equal intervals.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, isNumber } from "../arguments.ts";
import { pow } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode StepDecay}. */
export interface StepDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** Epochs from one drop to the next; a positive integer. */
  stepSize: number;
  /** The factor of each drop; below 1. @default {0.1} */
  gamma?: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "StepDecay",
  required: ["learningRate", "stepSize"],
  optional: ["gamma"],
};

/**
 * `learningRate * gamma ** floor(epoch / stepSize)`.
 *
 * Mirrors `paddle.optimizer.lr.StepDecay` (3.3).
 */
export class StepDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "StepDecay";
  readonly #stepSize: number;
  readonly #gamma: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<StepDecayOptions, ["learningRate", "stepSize", "gamma", "lastEpoch", "verbose"]>) {
    const options = byName<StepDecayOptions>(ARGUMENTS, args);
    const { stepSize, gamma = 0.1 } = options;
    check(Number.isInteger(stepSize), `The type of 'step_size' must be 'int', but received ${stepSize}.`);
    check(isNumber(gamma) && gamma < 1, "gamma should be < 1.0.");
    check(stepSize > 0, "'step_size' must be a positive integer.");
    super(options);
    this.#stepSize = stepSize;
    this.#gamma = gamma;
    if (new.target === StepDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    return this.baseLr * pow(this.#gamma, Math.floor(this.lastEpoch / this.#stepSize));
  }
}
