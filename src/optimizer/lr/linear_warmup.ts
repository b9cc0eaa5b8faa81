/**
 * A rate that rises linearly before another schedule begins.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import type { Value } from "../../values.ts";
import type { Call } from "../../nn/arguments.ts";
import { check, isNumber, kindOf } from "../arguments.ts";
import { isBefore, NEWEST, type PaddleVersion } from "../version.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions, type SetStateOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode LinearWarmup}. */
export interface LinearWarmupOptions extends ScheduleOptions {
  /** The rate after the warmup, or the scheduler that gives it. */
  learningRate: number | LRScheduler;
  /** Epochs in the warmup; a positive integer. */
  warmupSteps: number;
  /** The rate at the start. */
  startLr: number;
  /** The rate at the end of the warmup; above `startLr`. */
  endLr: number;
  /** The Paddle version whose rules apply: before 2.1 the inner scheduler is one epoch ahead. @default {"3.3"} */
  paddle?: PaddleVersion;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "LinearWarmup",
  required: ["learningRate", "warmupSteps", "startLr", "endLr"],
  optional: [],
  named: ["paddle"],
};

/**
 * `(endLr - startLr) * epoch / warmupSteps + startLr`, then `learningRate`: a number, or a scheduler that is stepped from epoch 0.
 *
 * Mirrors `paddle.optimizer.lr.LinearWarmup` (3.3).
 */
export class LinearWarmup extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "LinearWarmup";
  /** The rate after the warmup, or the scheduler that gives it. */
  readonly learningRate: number | LRScheduler;
  readonly #warmupSteps: number;
  readonly #startLr: number;
  readonly #endLr: number;
  readonly #isOneAhead: boolean;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<LinearWarmupOptions, ["learningRate", "warmupSteps", "startLr", "endLr", "lastEpoch", "verbose"]>
  ) {
    const options = byName<LinearWarmupOptions>(ARGUMENTS, args);
    const { learningRate, warmupSteps, startLr, endLr, paddle = NEWEST } = options;
    check(
      isNumber(learningRate) || learningRate instanceof LRScheduler,
      `the type of learning_rate should be [int, float or LRScheduler], the current type is ${kindOf(learningRate)}`,
    );
    check(Number.isInteger(warmupSteps) && warmupSteps > 0, "'warmup_steps' must be a positive integer.");
    check(endLr > startLr, `end_lr ${endLr} must be greater than start_lr ${startLr}`);
    super({ ...options, learningRate: startLr });
    this.learningRate = learningRate;
    this.#warmupSteps = warmupSteps;
    this.#startLr = startLr;
    this.#endLr = endLr;
    this.#isOneAhead = isBefore(paddle, "2.1");
    if (new.target === LinearWarmup) this.begin();
  }

  /** The rate at `this.lastEpoch`; steps the inner scheduler. */
  override getLr(): number {
    const epoch = this.lastEpoch;
    if (epoch < this.#warmupSteps) {
      return (this.#endLr - this.#startLr) * epoch / this.#warmupSteps + this.#startLr;
    }
    const after = this.learningRate;
    if (typeof after === "number") return after;
    if (this.#isOneAhead) {
      const rate = after.lastLr;
      after.step();
      return rate;
    }
    after.step(epoch - this.#warmupSteps);
    return after.lastLr;
  }

  /** The state, with that of the inner scheduler under `LinearWarmup_LR`. */
  override stateDict(): Map<string, Value> {
    const state = super.stateDict();
    if (this.learningRate instanceof LRScheduler) state.set("LinearWarmup_LR", this.learningRate.stateDict());
    return state;
  }

  /**
   * Resume from `state`. As in Paddle, the outer scheduler warns if there is an inner one.
   *
   * @throws {ValueError} `INVALID_VALUE` if a key is missing
   */
  override setStateDict(state: ReadonlyMap<Value, Value>, options: SetStateOptions = {}): void {
    super.setStateDict(state, options);
    if (!(this.learningRate instanceof LRScheduler)) return;
    const inner = state.get("LinearWarmup_LR");
    if (!(inner instanceof Map)) {
      throw new ValueError("INVALID_VALUE", "The state of the scheduler inside, LinearWarmup_LR, is not in the state", {
        at: '["LinearWarmup_LR"]',
      });
    }
    this.learningRate.setStateDict(inner, options);
  }
}
