/**
 * Exponential decay with base e.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check } from "../arguments.ts";
import { exp } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode NaturalExpDecay}. */
export interface NaturalExpDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** The decay rate; above 0. */
  gamma: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "NaturalExpDecay",
  required: ["learningRate", "gamma"],
  optional: [],
};

/**
 * `learningRate * exp(-gamma * epoch)`.
 *
 * Mirrors `paddle.optimizer.lr.NaturalExpDecay` (3.3).
 */
export class NaturalExpDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "NaturalExpDecay";
  readonly #gamma: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<NaturalExpDecayOptions, ["learningRate", "gamma", "lastEpoch", "verbose"]>) {
    const options = byName<NaturalExpDecayOptions>(ARGUMENTS, args);
    check(options.gamma > 0, "'gamma' must be a positive number so that the learning rate will decay.");
    super(options);
    this.#gamma = options.gamma;
    if (new.target === NaturalExpDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    return this.baseLr * exp(-this.#gamma * this.lastEpoch);
  }
}
