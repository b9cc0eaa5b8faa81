/**
 * Decay at given epochs.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, isNumber, kindOf } from "../arguments.ts";
import { pow } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode MultiStepDecay}. */
export interface MultiStepDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** The epochs at which the rate drops, in ascending order. */
  milestones: readonly number[];
  /** The factor of each drop; below 1. @default {0.1} */
  gamma?: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "MultiStepDecay",
  required: ["learningRate", "milestones"],
  optional: ["gamma"],
};

/**
 * `learningRate * gamma ** n`, where n is the number of milestones reached.
 *
 * Mirrors `paddle.optimizer.lr.MultiStepDecay` (3.3).
 */
export class MultiStepDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "MultiStepDecay";
  readonly #milestones: readonly number[];
  readonly #gamma: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<MultiStepDecayOptions, ["learningRate", "milestones", "gamma", "lastEpoch", "verbose"]>) {
    const options = byName<MultiStepDecayOptions>(ARGUMENTS, args);
    const { milestones, gamma = 0.1 } = options;
    const kind = kindOf(milestones);
    check(
      Array.isArray(milestones),
      `The type of 'milestones' in 'MultiStepDecay' must be 'tuple, list', but received ${kind}.`,
    );
    check(
      milestones.every((m, i) => i === 0 || milestones[i - 1] < m),
      "The elements of milestones must be incremented",
    );
    check(isNumber(gamma) && gamma < 1, "gamma should be < 1.0.");
    super(options);
    this.#milestones = [...milestones];
    this.#gamma = gamma;
    if (new.target === MultiStepDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    const next = this.#milestones.findIndex((milestone) => this.lastEpoch < milestone);
    return this.baseLr * pow(this.#gamma, next === -1 ? this.#milestones.length : next);
  }
}
