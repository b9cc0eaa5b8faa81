/**
 * NAdam: Adam with Nesterov momentum.
 *
 * @module
 */
import { LANE } from "../kernel/lanes.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { check } from "./arguments.ts";
import type { LRScheduler } from "./lr/lr_scheduler.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";
const f = Math.fround;

/** Options of {@linkcode NAdam} that a parameter group can override. */
export interface NAdamRules {
  /** The decay rate of the first moment. @default {0.9} */
  beta1?: number;
  /** The decay rate of the second moment. @default {0.999} */
  beta2?: number;
  /** Keeps the denominator from being zero. @default {1e-8} */
  epsilon?: number;
  /** How fast the momentum grows. @default {0.004} */
  momentumDecay?: number;
}

/** Options of {@linkcode NAdam}. */
export interface NAdamOptions extends OptimizerOptions<NAdamRules>, NAdamRules {
  /** The rate, or a scheduler that sets it. @default {0.002} */
  learningRate?: number | LRScheduler;
}

const ARGUMENTS: Signature<NAdamOptions> = /* @__PURE__ */ signature("NAdam", {
  learningRate: 0.002,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  momentumDecay: 0.004,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  name: null,
});

/**
 * Adam with Nesterov momentum that grows from step to step; the formulas are in TRAINING.md 3.
 *
 * Mirrors `paddle.optimizer.NAdam` (3.3).
 */
export class NAdam extends Optimizer<NAdamRules> {
  /** The class name, which survives minification. */
  static readonly className = "NAdam";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      NAdamOptions,
      ["learningRate", "beta1", "beta2", "epsilon", "momentumDecay", "parameters", "weightDecay", "gradClip", "name"]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    const { learningRate, epsilon, beta1, beta2, momentumDecay } = options;
    const isRate = typeof learningRate !== "number" || learningRate >= 0;
    check(isRate, `Invalid learning rate: ${learningRate}, expect learning_rate >= 0.`);
    check(epsilon >= 0, `Invalid epsilon value: ${epsilon}, expect epsilon >= 0.`);
    check(beta1 >= 0 && beta1 < 1, `Invalid beta1: ${beta1}, expect 0. <= beta1 < 1.0.`);
    check(beta2 >= 0 && beta2 < 1, `Invalid beta2: ${beta2}, expect 0. <= beta2 < 1.0.`);
    check(momentumDecay >= 0, `Invalid momentum_decay value: ${momentumDecay}, expect momentum_decay >= 0.`);
    super(options, ["beta1", "beta2", "epsilon", "momentumDecay"]);
  }

  /** `momentum_decay_pow`, `beta2_pow`, `mu_product` (all of the parameter's shape), `moment1`, `moment2`. */
  protected override kinds(): readonly Kind[] {
    const powers = ["momentum_decay_pow", "beta2_pow", "mu_product"].map((kind) => ({ kind, value: 1 }));
    return [...powers, { kind: "moment1" }, { kind: "moment2" }];
  }

  /** Update one parameter. */
  protected override update(update: Update<NAdamRules>): void {
    const { rules, rate, round } = update;
    const [b1, b2, epsilon, psi] = [f(rules.beta1), f(rules.beta2), f(rules.epsilon), f(rules.momentumDecay)];
    const step = round(round(0.96) ** psi);
    const states = ["moment1", "moment2", "mu_product", "beta2_pow", "momentum_decay_pow"].map((kind) =>
      update.state(kind)
    );
    const powers = new Float64Array(LANE);
    update.pieces(states, (call, n, _, { lanes }) => {
      // Lane 6 holds powers of 0.96; the update needs them raised to psi.
      const lane = lanes[6];
      let [base, power] = [NaN, NaN];
      for (let i = 0; i < n; i++) {
        lane[i] *= round(0.96);
        powers[i] = lane[i];
        // Normally all elements are equal, so the power is computed once.
        if (lane[i] !== base) [base, power] = [lane[i], round(lane[i] ** psi)];
        lane[i] = power;
      }
      call.nadam(n, b1, round(1 - b1), b2, round(1 - b2), step, rate, epsilon);
      lane.set(powers.subarray(0, n));
    });
  }

  /** Paddle's results for row-sparse gradients are not reproducible. */
  protected override get takesSparse(): boolean {
    return false;
  }
}
