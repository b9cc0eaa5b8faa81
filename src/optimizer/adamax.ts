/**
 * Adamax: Adam based on the infinity norm.
 *
 * @module
 */
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { checkBetas, signature } from "./signature.ts";
import type { Update } from "./update.ts";
const f = Math.fround;

/** Options of {@linkcode Adamax} that a parameter group can override. */
export interface AdamaxRules {
  /** The decay rate of the first moment. @default {0.9} */
  beta1?: number;
  /** The decay rate of the second moment. @default {0.999} */
  beta2?: number;
  /** Keeps the denominator from being zero. @default {1e-8} */
  epsilon?: number;
}

/** Options of {@linkcode Adamax}. */
export interface AdamaxOptions extends OptimizerOptions<AdamaxRules>, AdamaxRules {
}

const ARGUMENTS: Signature<AdamaxOptions> = /* @__PURE__ */ signature("Adamax", {
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
 * `m = beta1*m + (1-beta1)*g; u = max(abs(g), beta2*u + epsilon); p - (lr / (1 - beta1^t)) * (m / u)`.
 *
 * Mirrors `paddle.optimizer.Adamax` (3.3).
 */
export class Adamax extends Optimizer<AdamaxRules> {
  /** The class name, which survives minification. */
  static readonly className = "Adamax";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      AdamaxOptions,
      ["learningRate", "beta1", "beta2", "epsilon", "parameters", "weightDecay", "gradClip", "name"]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    checkBetas(options);
    super(options, ["beta1", "beta2", "epsilon"]);
  }

  /** `moment`, `inf_norm`, `beta1_pow_acc`. */
  protected override kinds({ beta1 }: Required<AdamaxRules>): readonly Kind[] {
    return [{ kind: "moment" }, { kind: "inf_norm" }, { kind: "beta1_pow_acc", shape: [1], value: beta1 }];
  }

  /** Update one parameter. */
  protected override update(update: Update<AdamaxRules>): void {
    const [b1, b2, epsilon] = [f(update.rules.beta1), f(update.rules.beta2), f(update.rules.epsilon)];
    const power = update.scalar("beta1_pow_acc");
    const rate = update.round(update.rate / update.round(1 - power[0]));
    const states = [update.state("moment"), update.state("inf_norm")];
    update.pieces(states, (call, n) => call.adamax(n, b1, update.round(1 - b1), b2, epsilon, rate));
    // Paddle multiplies outside the kernel.
    power[0] *= update.attribute(update.rules.beta1);
  }

  /** The power changes outside the kernel. */
  protected override get updatesEmpty(): boolean {
    return true;
  }

  /** Paddle's results for row-sparse gradients are not reproducible. */
  protected override get takesSparse(): boolean {
    return false;
  }
}
