/**
 * Polynomial decay.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, divide, isNumber, kindOf } from "../arguments.ts";
import { pow } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode PolynomialDecay}. */
export interface PolynomialDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** Epochs until `endLr` is reached; a positive integer. */
  decaySteps: number;
  /** The rate at the end. @default {0.0001} */
  endLr?: number;
  /** The power; above 0. @default {1} */
  power?: number;
  /** Rise again after the end, in longer and longer cycles. @default {false} */
  cycle?: boolean;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "PolynomialDecay",
  required: ["learningRate", "decaySteps"],
  optional: ["endLr", "power", "cycle"],
};

/**
 * `(learningRate - endLr) * (1 - epoch / decaySteps) ** power + endLr`.
 *
 * Mirrors `paddle.optimizer.lr.PolynomialDecay` (3.3).
 */
export class PolynomialDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "PolynomialDecay";
  readonly #decaySteps: number;
  readonly #endLr: number;
  readonly #power: number;
  readonly #cycle: boolean;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<
      PolynomialDecayOptions,
      ["learningRate", "decaySteps", "endLr", "power", "cycle", "lastEpoch", "verbose"]
    >
  ) {
    const options = byName<PolynomialDecayOptions>(ARGUMENTS, args);
    const { decaySteps, endLr = 0.0001, power = 1, cycle = false } = options;
    check(isNumber(endLr), `The type of 'end_lr' must be float, but received ${kindOf(endLr)}`);
    check(Number.isInteger(decaySteps) && decaySteps > 0, "'decay_steps' must be a positive integer.");
    check(power > 0, "'power' must be greater than 0.0 so that the learning rate will decay.");
    super(options);
    this.#decaySteps = decaySteps;
    this.#endLr = endLr;
    this.#power = power;
    this.#cycle = cycle;
    if (new.target === PolynomialDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    let epoch = this.lastEpoch;
    let steps = this.#decaySteps;
    if (this.#cycle) steps *= epoch === 0 ? 1 : Math.ceil(epoch / steps);
    else epoch = Math.min(epoch, steps);
    return (this.baseLr - this.#endLr) * pow(1 - divide(epoch, steps), this.#power) + this.#endLr;
  }
}
