/**
 * A rate that cycles between two bounds.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, isNumber, kindOf } from "../arguments.ts";
import { pow } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode CyclicLR}. */
export interface CyclicLROptions extends ScheduleOptions {
  /** The minimum rate. */
  baseLearningRate: number;
  /** The maximum rate of the first cycle. */
  maxLearningRate: number;
  /** Epochs in a rise; a positive integer. */
  stepSizeUp: number;
  /** Epochs in a fall; null for as many as in a rise. @default {null} */
  stepSizeDown?: number | null;
  /** How the amplitude changes: not at all, by half each cycle, or by `expGamma` each epoch. @default {"triangular"} */
  mode?: "triangular" | "triangular2" | "exp_range";
  /** The factor of `"exp_range"`. @default {1} */
  expGamma?: number;
  /** A custom factor for the amplitude, in place of `mode`; `lr.pow` is Python's `**`. @default {null} */
  scaleFn?: ((x: number) => number) | null;
  /** Whether `scaleFn` gets the number of the cycle, from 1, or the epoch. @default {"cycle"} */
  scaleMode?: "cycle" | "iterations";
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "CyclicLR",
  required: ["baseLearningRate", "maxLearningRate", "stepSizeUp"],
  optional: ["stepSizeDown", "mode", "expGamma", "scaleFn", "scaleMode"],
};

/**
 * Moves linearly between `baseLearningRate` and `maxLearningRate`.
 *
 * Mirrors `paddle.optimizer.lr.CyclicLR` (3.3).
 */
export class CyclicLR extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "CyclicLR";
  readonly #cycle: number;
  readonly #peak: number;
  readonly #height: number;
  readonly #scale: (cycle: number, epoch: number) => number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<
      CyclicLROptions,
      [
        "baseLearningRate",
        "maxLearningRate",
        "stepSizeUp",
        "stepSizeDown",
        "mode",
        "expGamma",
        "scaleFn",
        "scaleMode",
        "lastEpoch",
        "verbose",
      ]
    >
  ) {
    const options = byName<CyclicLROptions>(ARGUMENTS, args);
    const { baseLearningRate, maxLearningRate, stepSizeUp, stepSizeDown = null, mode = "triangular" } = options;
    const { expGamma = 1, scaleFn = null, scaleMode = "cycle" } = options;
    check(
      isNumber(maxLearningRate),
      `'max_learning_rate' must be 'float' or 'int', but received ${kindOf(maxLearningRate)}`,
    );
    check(maxLearningRate >= 0, `'max_learning_rate' must be a positive integer, but received ${maxLearningRate}`);
    for (
      const [name, size] of [["step_size_up", stepSizeUp], ["step_size_down", stepSizeDown ?? stepSizeUp]] as const
    ) {
      check(Number.isInteger(size), `The type of '${name}' must be int, but received ${size}`);
      check(size > 0, `'${name}' must be a positive integer, but received ${size}`);
    }
    check(isNumber(expGamma), `The type of 'exp_gamma' must be float, but received ${kindOf(expGamma)}`);
    check(
      scaleFn !== null || ["triangular", "triangular2", "exp_range"].includes(mode),
      "'mode' is invalid and 'scale_fn' is not specified, make sure one of 'mode' or 'scale_fn' is valid",
    );
    check(scaleMode === "cycle" || scaleMode === "iterations", "'scale_mode' must be one of 'cycle' or 'iterations");
    super({ ...options, learningRate: baseLearningRate });
    this.#cycle = stepSizeUp + (stepSizeDown ?? stepSizeUp);
    this.#peak = stepSizeUp / this.#cycle;
    this.#height = maxLearningRate - baseLearningRate;
    if (scaleFn) this.#scale = (cycle, epoch) => scaleFn(scaleMode === "cycle" ? cycle : epoch);
    else if (mode === "triangular") this.#scale = () => 1;
    else if (mode === "triangular2") this.#scale = (cycle) => 1 / pow(2, cycle - 1);
    else this.#scale = (_, epoch) => pow(expGamma, epoch);
    if (new.target === CyclicLR) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    const epoch = this.lastEpoch;
    const cycle = 1 + Math.floor(epoch / this.#cycle);
    const place = 1 + epoch / this.#cycle - cycle;
    const part = place <= this.#peak ? place / this.#peak : (1 - place) / (1 - this.#peak);
    return this.baseLr + this.#height * part * this.#scale(cycle, epoch);
  }
}
