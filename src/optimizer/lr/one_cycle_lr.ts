/**
 * A single cycle: one rise and one fall.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, divide, isNumber, kindOf } from "../arguments.ts";
import { cos } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode OneCycleLR}. */
export interface OneCycleLROptions extends ScheduleOptions {
  /** The maximum rate. */
  maxLearningRate: number;
  /** The total number of steps; a positive integer. */
  totalSteps: number;
  /** The initial rate is the maximum rate divided by this. @default {25} */
  divideFactor?: number;
  /** The rate at the end. @default {0.0001} */
  endLearningRate?: number;
  /** The fraction of steps during which the rate rises; 0 to 1. @default {0.3} */
  phasePct?: number;
  /** The shape of the rise and fall. @default {"cos"} */
  annealStrategy?: "cos" | "linear";
  /** Fall back to the initial rate for as long as the rise took, then to the end; needs a `phasePct` below 0.5. @default {false} */
  threePhase?: boolean;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "OneCycleLR",
  required: ["maxLearningRate", "totalSteps"],
  optional: ["divideFactor", "endLearningRate", "phasePct", "annealStrategy", "threePhase"],
};

/**
 * From `maxLearningRate / divideFactor` up to `maxLearningRate` and down to `endLearningRate`.
 *
 * Mirrors `paddle.optimizer.lr.OneCycleLR` (3.3). As in Paddle, one step past the end is still allowed, and continues along the curve.
 */
export class OneCycleLR extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "OneCycleLR";
  readonly #totalSteps: number;
  readonly #isLinear: boolean;
  /** The epochs at which the phases begin and end. */
  readonly #ends: number[];
  /** The rates at those epochs. */
  readonly #rates: number[];

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<
      OneCycleLROptions,
      [
        "maxLearningRate",
        "totalSteps",
        "divideFactor",
        "endLearningRate",
        "phasePct",
        "annealStrategy",
        "threePhase",
        "lastEpoch",
        "verbose",
      ]
    >
  ) {
    const options = byName<OneCycleLROptions>(ARGUMENTS, args);
    const { maxLearningRate, totalSteps, divideFactor = 25, endLearningRate = 0.0001, phasePct = 0.3 } = options;
    const { annealStrategy = "cos", threePhase = false } = options;
    const numbers = { max_learning_rate: maxLearningRate, end_learning_rate: endLearningRate };
    for (const [name, value] of Object.entries(numbers)) {
      check(isNumber(value), `'${name}' must be 'float' or 'int', but received ${kindOf(value)}`);
      check(value >= 0, `'${name}' must be a positive integer.`);
    }
    check(Number.isInteger(totalSteps), `'total_step' must be 'int', but received ${totalSteps}`);
    check(totalSteps > 0, "'total_step' must be a positive integer.");
    check(isNumber(phasePct), `'phase_pct' must be 'float', but received ${kindOf(phasePct)}`);
    check(phasePct >= 0 && phasePct <= 1, `'phase_pct' must be between 0 and 1, but received ${phasePct}`);
    check(isNumber(divideFactor), `'divide_factor' must be 'float' or 'int', but received ${kindOf(divideFactor)}`);
    check(!threePhase || phasePct < 0.5, "When three_phase is True, 'phase_pct' must be less than 0.5");
    const isLinear = annealStrategy === "linear";
    check(
      isLinear || annealStrategy === "cos",
      `'anneal_strategy' must by one of 'cos' or 'linear', but received ${annealStrategy}`,
    );
    const start = divide(maxLearningRate, divideFactor);
    super({ ...options, learningRate: start });
    this.#totalSteps = totalSteps;
    this.#isLinear = isLinear;
    const rise = phasePct * totalSteps - 1;
    this.#ends = threePhase ? [0, rise, 2 * phasePct * totalSteps - 2, totalSteps - 1] : [0, rise, totalSteps - 1];
    this.#rates = threePhase
      ? [start, maxLearningRate, start, endLearningRate]
      : [start, maxLearningRate, endLearningRate];
    if (new.target === OneCycleLR) this.begin();
  }

  /**
   * The rate at `this.lastEpoch`.
   *
   * @throws {ValueError} `INVALID_VALUE` beyond `totalSteps`
   */
  override getLr(): number {
    const epoch = this.lastEpoch;
    const [ends, rates, total] = [this.#ends, this.#rates, this.#totalSteps];
    check(epoch <= total, `Tried to step ${epoch} times. However the number of total steps is ${total}`);
    let phase = 0;
    while (phase < ends.length - 2 && !(epoch <= ends[phase + 1])) phase++;
    const part = divide(epoch - ends[phase], ends[phase + 1] - ends[phase]);
    const [from, to] = [rates[phase], rates[phase + 1]];
    return this.#isLinear ? (to - from) * part + from : to + (from - to) / 2 * (cos(Math.PI * part) + 1);
  }
}
