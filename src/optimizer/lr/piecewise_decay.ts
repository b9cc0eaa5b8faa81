/**
 * A piecewise constant rate.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check } from "../arguments.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode PiecewiseDecay}. */
export interface PiecewiseDecayOptions extends ScheduleOptions {
  /** The epochs at which the rate changes, in ascending order. */
  boundaries: readonly number[];
  /** The rates, one more than there are boundaries. */
  values: readonly number[];
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "PiecewiseDecay",
  required: ["boundaries", "values"],
  optional: [],
};

/**
 * `values[i]` for the first i with `epoch < boundaries[i]`, then the last value.
 *
 * Mirrors `paddle.optimizer.lr.PiecewiseDecay` (3.3).
 */
export class PiecewiseDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "PiecewiseDecay";
  readonly #boundaries: readonly number[];
  readonly #values: readonly number[];

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<PiecewiseDecayOptions, ["boundaries", "values", "lastEpoch", "verbose"]>) {
    const options = byName<PiecewiseDecayOptions>(ARGUMENTS, args);
    const { boundaries, values } = options;
    check(Array.isArray(boundaries) && Array.isArray(values), "boundaries and values are arrays");
    check(boundaries.length > 0, "The boundaries cannot be empty.");
    check(
      values.length > boundaries.length,
      `The values have one more element than boundaries, but received len(values) [${values.length}] < ` +
        `len(boundaries) + 1 [${boundaries.length + 1}].`,
    );
    super(options);
    this.#boundaries = [...boundaries];
    this.#values = [...values];
    if (new.target === PiecewiseDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`. */
  override getLr(): number {
    const interval = this.#boundaries.findIndex((boundary) => this.lastEpoch < boundary);
    return this.#values[interval === -1 ? this.#values.length - 1 : interval];
  }
}
