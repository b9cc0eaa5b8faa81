/**
 * SGD: plain gradient descent.
 *
 * @module
 */
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";

/** Options of {@linkcode SGD}. */
export interface SGDOptions extends OptimizerOptions<object> {
}

const ARGUMENTS: Signature<SGDOptions> = /* @__PURE__ */ signature("SGD", {
  learningRate: 0.001,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  multiPrecision: false,
  name: null,
});

/**
 * `p - lr*g`.
 *
 * Mirrors `paddle.optimizer.SGD` (3.3).
 */
export class SGD extends Optimizer<object> {
  /** The class name, which survives minification. */
  static readonly className = "SGD";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<SGDOptions, ["learningRate", "parameters", "weightDecay", "gradClip", "multiPrecision", "name"]>
  ) {
    super(bind(ARGUMENTS, args), []);
  }

  /** SGD keeps no state. */
  protected override kinds(): readonly Kind[] {
    return [];
  }

  /** For raw sparse gradients, one subtraction per row as passed, including duplicates; dense otherwise. */
  protected override update(update: Update<object>): void {
    const { gradient, rate } = update;
    // As in Paddle's kernel, not even NaN or infinity times a rate of 0 changes anything.
    if (rate === 0) return;
    if (!gradient.isRaw) {
      update.pieces([], (call, n) => call.sgd(n, rate));
      return;
    }
    const { rows, values } = gradient.rawRows;
    const width = update.target.size / update.parameter.shape[0];
    for (const [k, row] of rows.entries()) {
      update.pieces([], (call, n, start, { lanes }) => {
        values.read(k * width + start - row * width, n, lanes[1]);
        call.sgd(n, rate);
      }, { parts: [[row * width, width]], withGradient: false });
    }
  }
}
