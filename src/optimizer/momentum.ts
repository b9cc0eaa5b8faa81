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

/** Options of {@linkcode Momentum} that a group may have, too. */
export interface MomentumRules {
  /** How much of the velocity stays. @default {0.9} */
  momentum?: number;
  /** Look one step ahead. @default {false} */
  useNesterov?: boolean;
}

/** Options of {@linkcode Momentum}. */
export interface MomentumOptions extends OptimizerOptions<MomentumRules>, MomentumRules {
  /** Without effect, as in dynamic graphs of Paddle. @default {1} */
  rescaleGrad?: number;
  /** The same numbers. @default {false} */
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
 * Of row-sparse gradients Paddle's kernel misses some rows where each comes once and they are not in rising order; so do we, since a run that
 * goes on elsewhere must not change. Rows in order lose none.
 *
 * Mirrors `paddle.optimizer.Momentum` (3.3).
 */
export class Momentum extends Optimizer<MomentumRules> {
  /** Its name, also where a bundler changes it. */
  static readonly className = "Momentum";

  readonly #isNumber: boolean;

  /** Make one, with Paddle's arguments by position or by name. */
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
    // Paddle 2.0 makes the state with the optimizer.
    if (isBefore(this.paddle, "2.1")) this.accumulateAll();
  }

  /** `velocity`. */
  protected override kinds(): readonly Kind[] {
    return [{ kind: "velocity" }];
  }

  /** L2 decay of the optimizer or a group; Paddle 2.0 adds a number to the gradient. */
  protected override fusesDecay(decay: Regularizer | null): boolean {
    return decay?.kind === "L2" && !(isBefore(this.paddle, "2.1") && this.#isNumber);
  }

  /** Paddle's kernel does L2 decay itself, and takes a float32, also for float64 parameters. */
  protected override decaysInFloat(decay: Regularizer): boolean {
    return decay.kind === "L2" || super.decaysInFloat(decay);
  }

  /** Absent rows have the gradient 0, and those that Paddle misses. */
  protected override update(update: Update<MomentumRules>): void {
    update.gradient.dropMissedRows();
    const { rate, rules } = update;
    const mu = f(rules.momentum);
    update.pieces([update.state("velocity")], (call, n) => {
      if (rules.useNesterov) call.nesterov(n, mu, rate);
      else call.momentum(n, mu, rate);
    });
  }
}
