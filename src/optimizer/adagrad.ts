/**
 * Adagrad: adaptive gradients.
 *
 * @module
 */
import { rowParts } from "./gradient.ts";
import { bind, type Call, REQUIRED, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import type { LRScheduler } from "./lr/lr_scheduler.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";
const f = Math.fround;

/** Options of {@linkcode Adagrad} that a parameter group can override. */
export interface AdagradRules {
  /** Keeps the denominator from being zero. @default {1e-6} */
  epsilon?: number;
  /** The value of the accumulator before the first step. @default {0} */
  initialAccumulatorValue?: number;
}

/** Options of {@linkcode Adagrad}. */
export interface AdagradOptions extends OptimizerOptions<AdagradRules>, AdagradRules {
  /** The rate, or a scheduler that sets it. */
  learningRate: number | LRScheduler;
}

const ARGUMENTS: Signature<AdagradOptions> = /* @__PURE__ */ signature("Adagrad", {
  learningRate: REQUIRED,
  epsilon: 1e-6,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  name: null,
  initialAccumulatorValue: 0,
});

/**
 * `h = h + g*g; p - (lr*g) / (sqrt(h) + epsilon)`.
 *
 * Mirrors `paddle.optimizer.Adagrad` (3.3).
 */
export class Adagrad extends Optimizer<AdagradRules> {
  /** The class name, which survives minification. */
  static readonly className = "Adagrad";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      AdagradOptions,
      ["learningRate", "epsilon", "parameters", "weightDecay", "gradClip", "name", "initialAccumulatorValue"]
    >
  ) {
    const options = bind(ARGUMENTS, args);

    super(options, ["epsilon", "initialAccumulatorValue"]);
  }

  /** `moment`. */
  protected override kinds(rules: Required<AdagradRules>): readonly Kind[] {
    return [{ kind: "moment", value: rules.initialAccumulatorValue }];
  }

  /** Updates only the rows that are present. */
  protected override update(update: Update<AdagradRules>): void {
    const epsilon = f(update.rules.epsilon);
    const parts = update.gradient.isSparse ? rowParts(update.gradient.mergedRows) : undefined;
    update.pieces([update.state("moment")], (call, n) => call.adagrad(n, update.rate, epsilon), { parts });
  }
}
