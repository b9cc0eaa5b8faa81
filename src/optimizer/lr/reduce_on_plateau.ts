/**
 * A rate that drops when a metric stops improving.
 *
 * @module
 */
import { isFloatByNature, wasFloat } from "../../words/floats.ts";
import { Tensor } from "../../tensor.ts";
import { NumpyScalar, type Value } from "../../values.ts";
import type { Call } from "../../nn/arguments.ts";
import { check, isNumber, kindOf } from "../arguments.ts";
import { checkVersion, isBefore, NEWEST, type PaddleVersion } from "../version.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, numberOf } from "./lr_scheduler.ts";
import { isBetter, type Metric, numberOfMetric } from "./metric.ts";

/** Options of {@linkcode ReduceOnPlateau}. */
export interface ReduceOnPlateauOptions {
  /** The initial rate. */
  learningRate: number;
  /** Whether a lower metric is better, or a higher one. @default {"min"} */
  mode?: "min" | "max";
  /** The factor of each drop; below 1. @default {0.1} */
  factor?: number;
  /** Epochs without improvement before the rate drops. @default {10} */
  patience?: number;
  /** The minimum change that counts as an improvement. @default {0.0001} */
  threshold?: number;
  /** Whether the threshold is relative to the best metric, or absolute. @default {"rel"} */
  thresholdMode?: "rel" | "abs";
  /** Epochs after a drop during which metrics are ignored. @default {0} */
  cooldown?: number;
  /** The minimum rate. @default {0} */
  minLr?: number;
  /** Drops no greater than this are skipped. @default {1e-8} */
  epsilon?: number;
  /** Print each drop to the console, or pass the line to a function. @default {false} */
  verbose?: boolean | ((line: string) => void);
  /**
   * The Paddle version whose rules apply. Before 3.0, numpy's float32 scalars are compared in float64 and thresholds for float64 Tensors are
   * float32; before 2.5, the best of several Tensors is saved as a numpy scalar. @default {"3.3"}
   */
  paddle?: PaddleVersion;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "ReduceOnPlateau",
  required: ["learningRate"],
  optional: ["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "epsilon"],
  common: ["verbose"],
  named: ["paddle"],
};

/**
 * Multiplies the rate by `factor` when the metric has not improved for more than `patience` steps.
 *
 * Mirrors `paddle.optimizer.lr.ReduceOnPlateau` (3.3). `best` is kept as the caller passed it, in the state, too; a JavaScript number is a
 * float.
 */
export class ReduceOnPlateau extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "ReduceOnPlateau";
  /** Remaining steps of the cooldown. */
  cooldownCounter = 0;
  /** The best metric so far, or null. */
  best: Metric | null = null;
  /** Steps without improvement. */
  numBadEpochs = 0;
  readonly #sign: 1 | -1;
  readonly #isRelative: boolean;
  readonly #factor: number;
  readonly #patience: number;
  readonly #threshold: number;
  readonly #cooldown: number;
  readonly #minLr: number;
  readonly #epsilon: number;
  readonly #paddle: PaddleVersion;
  #bestIsInt = false;

  /**
   * Takes Paddle's arguments by position or by name; takes no step.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<
      ReduceOnPlateauOptions,
      [
        "learningRate",
        "mode",
        "factor",
        "patience",
        "threshold",
        "thresholdMode",
        "cooldown",
        "minLr",
        "epsilon",
        "verbose",
      ]
    >
  ) {
    const options = byName<ReduceOnPlateauOptions>(ARGUMENTS, args);
    const { learningRate, mode = "min", factor = 0.1, patience = 10, threshold = 1e-4 } = options;
    const { thresholdMode = "rel", cooldown = 0, minLr = 0, epsilon = 1e-8, verbose = false, paddle = NEWEST } =
      options;
    checkVersion(paddle);
    const [direction, measure] = [String(mode).toLowerCase(), String(thresholdMode).toLowerCase()];
    check(direction === "min" || direction === "max", `mode: ${direction} is unknown!`);
    check(factor < 1, "new_lr = origin_lr * gamma and gamma should be < 1.0.");
    check(measure === "rel" || measure === "abs", `threshold mode: ${measure} is unknown!`);
    check(
      isNumber(learningRate),
      `The type of 'learning_rate' in 'ReduceOnPlateau' must be 'float', but received ${kindOf(learningRate)}.`,
    );
    for (const [name, value] of Object.entries({ factor, patience, threshold, cooldown, minLr, epsilon })) {
      check(isNumber(value), `The type of ${name} must be a number, but received ${kindOf(value)}`);
    }
    super({ learningRate, lastEpoch: 0, verbose });
    this.#sign = direction === "min" ? 1 : -1;
    this.#isRelative = measure === "rel";
    this.#factor = factor;
    this.#patience = patience;
    this.#threshold = threshold;
    this.#cooldown = cooldown;
    this.#minLr = minLr;
    this.#epsilon = epsilon;
    this.#paddle = paddle;
  }

  /** Does nothing: the first step needs a metric. */
  protected override firstStep(): void {}

  /** The current rate. */
  override getLr(): number {
    return this.lastLr;
  }

  /**
   * Take the metric of the next epoch, or of `epoch`.
   *
   * @throws {ValueError} `INVALID_VALUE` if the metric is not a number
   */
  override step(metric?: Metric, epoch?: number): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    numberOfMetric(metric);
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      return;
    }
    if (this.best === null || this.#isBetter(metric as Metric, this.best)) {
      this.best = metric as Metric;
      this.#bestIsInt = false;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.numBadEpochs > this.#patience) {
      this.cooldownCounter = this.#cooldown;
      this.numBadEpochs = 0;
      const rate = Math.max(this.lastLr * this.#factor, this.#minLr);
      if (this.lastLr - rate > this.#epsilon) {
        this.lastLr = rate;
        this.sayRate();
      }
    }
  }

  #isBetter(metric: Metric, best: Metric): boolean {
    return isBetter(metric, best, {
      sign: this.#sign,
      threshold: this.#threshold,
      isRelative: this.#isRelative,
      paddle: this.#paddle,
    });
  }

  /** The keys of the state, in order. */
  protected override stateKeys(): readonly string[] {
    return ["cooldown_counter", "best", "num_bad_epochs", "last_epoch", "last_lr"];
  }

  /** The keys whose values are floats in Python. */
  protected override floatKeys(): readonly string[] {
    return this.#bestIsInt ? ["last_lr"] : ["last_lr", "best"];
  }

  /** The state, with Paddle's keys in Paddle's order; a best metric that is a Tensor is saved as a number. */
  override stateDict(): Map<string, Value> {
    const { best } = this;
    if (best instanceof Tensor) {
      const number = numberOfMetric(best);
      this.best = isBefore(this.#paddle, "2.5") ? new NumpyScalar(best.dtype, number) : number;
    }
    const state = super.stateDict();
    this.best = best;
    return state;
  }

  /** Set the field for `key` to `value`; `state` is the state it comes from. */
  protected override setState(key: string, value: Value, state: ReadonlyMap<Value, Value>): void {
    if (key !== "best") return super.setState(key, numberOf(key, value), state);
    if (value !== null) numberOfMetric(value);
    this.best = value as Metric | null;
    this.#bestIsInt = typeof value === "number" && !isFloatByNature(value) && !wasFloat(state, key, value);
  }
}
