/**
 * Rprop: steps by the sign of the gradient.
 *
 * @module
 */
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { check } from "./arguments.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";

/** Options of {@linkcode Rprop}. */
export interface RpropOptions extends OptimizerOptions<object> {
  /** The minimum and maximum rate of an element. @default {[1e-5, 50]} */
  learningRateRange?: readonly [low: number, high: number];
  /** The factors for an element's rate if the sign of its gradient changed, and if it stayed the same. @default {[0.5, 1.2]} */
  etas?: readonly [minus: number, plus: number];
}

const ARGUMENTS: Signature<RpropOptions> = /* @__PURE__ */ signature("Rprop", {
  learningRate: 0.001,
  learningRateRange: [1e-5, 50],
  parameters: null,
  etas: [0.5, 1.2],
  gradClip: null,
  multiPrecision: false,
  name: null,
});

/**
 * Each element has a rate of its own, which grows while the sign of its gradient stays the same and shrinks when it changes.
 *
 * Mirrors `paddle.optimizer.Rprop` (3.3).
 */
export class Rprop extends Optimizer<object> {
  /** The class name, which survives minification. */
  static readonly className = "Rprop";
  readonly #learningRateRange: readonly [low: number, high: number];
  /** The rate of every element before the first step. */
  readonly #first: number;
  readonly #etas: readonly [minus: number, plus: number];

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      RpropOptions,
      ["learningRate", "learningRateRange", "parameters", "etas", "gradClip", "multiPrecision", "name"]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    const { learningRate, learningRateRange: [low, high], etas: [minus, plus] } = options;
    const first = typeof learningRate === "number" || learningRate === null ? learningRate : learningRate.lastLr;
    check(
      low > 0 && low <= first && first <= high,
      "'0.0 < learning_rate_range[0] <= learning_rate <= learning_rate_range[1]' must be true",
    );
    check(minus > 0 && minus < 1 && plus > 1, "'0.0 < etas[0] < 1.0 < etas[1]' must be true");
    // Paddle passes a decay of 0, by which an infinite parameter turns its gradient into NaN, and a gradient of -0 becomes 0.
    super({ ...options, weightDecay: 0 }, []);
    this.#learningRateRange = options.learningRateRange;
    this.#etas = options.etas;
    this.#first = first;
  }

  /** `prevs`, `learning_rates`. */
  protected override kinds(): readonly Kind[] {
    return [
      { kind: "prevs", dtype: "parameter" },
      { kind: "learning_rates", dtype: "parameter", value: this.#first },
    ];
  }

  /** Rows that are absent from the gradient count as zeros. The optimizer's rate is not read again. */
  protected override update(update: Update<object>): void {
    const [low, high] = this.#learningRateRange.map(update.round);
    const [minus, plus] = this.#etas.map(update.round);
    const states = [update.state("prevs"), update.state("learning_rates")];
    update.pieces(states, (call, n) => call.rprop(n, minus, plus, low, high));
  }
}
