/**
 * Adaptive gradients.
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

/** Options of {@linkcode Adagrad} that a group may have, too. */
export interface AdagradRules {
  /** Keeps the divisor from 0. @default {1e-6} */
  epsilon?: number;
  /** The state before the first step. @default {0} */
  initialAccumulatorValue?: number;
}

/** Options of {@linkcode Adagrad}. */
export interface AdagradOptions extends OptimizerOptions<AdagradRules>, AdagradRules {
  /** The rate, or what gives it. */
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
  /** Its name, also where a bundler changes it. */
  static readonly className = "Adagrad";

  /** Make one, with Paddle's arguments by position or by name. */
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

  /** Only present rows move. */
  protected override update(update: Update<AdagradRules>): void {
    const epsilon = f(update.rules.epsilon);
    const parts = update.gradient.isSparse ? rowParts(update.gradient.mergedRows) : undefined;
    update.pieces([update.state("moment")], (call, n) => call.adagrad(n, update.rate, epsilon), { parts });
  }
}
