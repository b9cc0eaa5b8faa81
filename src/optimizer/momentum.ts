/**
 * Gradient descent with momentum.
 *
 * @module
 */
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Regularizer } from "../regularizer/mod.ts";
import type { Kind } from "./accumulators.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";
import { isBefore } from "./version.ts";
const f = Math.fround;

/** Options of {@linkcode Momentum} that a parameter group can override. */
export interface MomentumRules {
  /** The decay rate of the velocity. @default {0.9} */
  momentum?: number;
  /** Use Nesterov momentum. @default {false} */
  useNesterov?: boolean;
}

/** Options of {@linkcode Momentum}. */
export interface MomentumOptions extends OptimizerOptions<MomentumRules>, MomentumRules {
  /** Has no effect, as in Paddle's dynamic graph mode. @default {1} */
  rescaleGrad?: number;
  /** Has no effect on the results. @default {false} */
  useMultiTensor?: boolean;
}

const ARGUMENTS: Signature<MomentumOptions> = /* @__PURE__ */ signature("Momentum", {
  learningRate: 0.001,
  momentum: 0.9,
  parameters: null,
  useNesterov: false,
  weightDecay: null,
  gradClip: null,
  multiPrecision: false,
  rescaleGrad: 1,
  useMultiTensor: false,
  name: null,
});

/**
 * `u = momentum*u + g; p - lr*u`, with Nesterov `p - (g + momentum*u)*lr`.
 *
 * Paddle's kernel misses some rows of a row-sparse gradient whose rows are distinct but not in ascending order; so does this class, so that
 * a training run gives the same results here. No rows are missed if they are in order.
 *
 * Mirrors `paddle.optimizer.Momentum` (3.3).
 */
export class Momentum extends Optimizer<MomentumRules> {
  /** The class name, which survives minification. */
  static readonly className = "Momentum";

  readonly #isNumber: boolean;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      MomentumOptions,
      [
        "learningRate",
        "momentum",
        "parameters",
        "useNesterov",
        "weightDecay",
        "gradClip",
        "multiPrecision",
        "rescaleGrad",
        "useMultiTensor",
        "name",
      ]
    >
  ) {
    const options = bind(ARGUMENTS, args);

    super(options, ["momentum", "useNesterov"]);
    this.#isNumber = typeof options.weightDecay === "number";
    // Paddle 2.0 creates the state together with the optimizer.
    if (isBefore(this.paddle, "2.1")) this.accumulateAll();
  }

  /** `velocity`. */
  protected override kinds(): readonly Kind[] {
    return [{ kind: "velocity" }];
  }

  /** L2 decay of the optimizer or a group is fused; in Paddle 2.0, decay given as a number is added to the gradient. */
  protected override fusesDecay(decay: Regularizer | null): boolean {
    return decay?.kind === "L2" && !(isBefore(this.paddle, "2.1") && this.#isNumber);
  }

  /** Paddle's kernel applies L2 decay itself, and takes the coefficient as float32 even for float64 parameters. */
  protected override decaysInFloat(decay: Regularizer): boolean {
    return decay.kind === "L2" || super.decaysInFloat(decay);
  }

  /** Rows that are absent from the gradient, or that Paddle misses, count as zeros. */
  protected override update(update: Update<MomentumRules>): void {
    const { gradient, rate, rules } = update;
    const mu = f(rules.momentum);
    const velocity = update.state("velocity");
    if (gradient.isEmpty) return;
    gradient.dropMissedRows();
    update.pieces([velocity], (call, n) => {
      if (rules.useNesterov) call.nesterov(n, mu, rate);
      else call.momentum(n, mu, rate);
    });
  }
}
