/**
 * RAdam: rectified Adam.
 *
 * @module
 */
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { check } from "./arguments.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";
const f = Math.fround;

/** Options of {@linkcode RAdam} that a parameter group can override. */
export interface RAdamRules {
  /** The decay rate of the first moment. @default {0.9} */
  beta1?: number;
  /** The decay rate of the second moment. @default {0.999} */
  beta2?: number;
  /** Keeps the denominator from being zero. @default {1e-8} */
  epsilon?: number;
}

/** Options of {@linkcode RAdam}. */
export interface RAdamOptions extends OptimizerOptions<RAdamRules>, RAdamRules {
}

const ARGUMENTS: Signature<RAdamOptions> = /* @__PURE__ */ signature("RAdam", {
  learningRate: 0.001,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  name: null,
});

/**
 * Adam that ignores the second moment until its estimate is reliable; the formulas are in TRAINING.md 3.
 *
 * Mirrors `paddle.optimizer.RAdam` (3.3).
 */
export class RAdam extends Optimizer<RAdamRules> {
  /** The class name, which survives minification. */
  static readonly className = "RAdam";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      RAdamOptions,
      ["learningRate", "beta1", "beta2", "epsilon", "parameters", "weightDecay", "gradClip", "name"]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    const { learningRate, epsilon, beta1, beta2 } = options;
    const isRate = typeof learningRate !== "number" || learningRate >= 0;
    check(isRate, `Invalid learning rate: ${learningRate}, expect learning_rate >= 0.`);
    check(epsilon >= 0, `Invalid epsilon value: ${epsilon}, expect epsilon >= 0.`);
    check(beta1 >= 0 && beta1 < 1, `Invalid beta1: ${beta1}, expect 0. <= beta1 < 1.0.`);
    check(beta2 >= 0 && beta2 < 1, `Invalid beta2: ${beta2}, expect 0. <= beta2 < 1.0.`);
    super(options, ["beta1", "beta2", "epsilon"]);
  }

  /** `beta1_pow`, `beta2_pow`, `rho` (all of the parameter's shape), `moment1`, `moment2`. */
  protected override kinds(): readonly Kind[] {
    const powers = ["beta1_pow", "beta2_pow", "rho"].map((kind) => ({ kind, value: 1 }));
    return [...powers, { kind: "moment1" }, { kind: "moment2" }];
  }

  /** Update one parameter. */
  protected override update(update: Update<RAdamRules>): void {
    const { rules, rate, round } = update;
    const [b1, b2, epsilon] = [f(rules.beta1), f(rules.beta2), f(rules.epsilon)];
    const most = round(round(2 / round(1 - b2)) - 1);
    const states = ["moment1", "moment2", "beta1_pow", "beta2_pow", "rho"].map((kind) => update.state(kind));
    update.pieces(states, (call, n) => call.radam(n, b1, round(1 - b1), b2, round(1 - b2), most, rate, epsilon));
  }

  /** Paddle's results for row-sparse gradients are not reproducible. */
  protected override get takesSparse(): boolean {
    return false;
  }
}
