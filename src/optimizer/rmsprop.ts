/**
 * RMSProp: gradients divided by their root mean square.
 *
 * @module
 */
import { bind, type Call, REQUIRED, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { check } from "./arguments.ts";
import type { LRScheduler } from "./lr/lr_scheduler.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";
const f = Math.fround;

/** Options of {@linkcode RMSProp} that a parameter group can override. */
export interface RMSPropRules {
  /** The decay rate of the averages. @default {0.95} */
  rho?: number;
  /** Keeps the denominator from being zero. @default {1e-6} */
  epsilon?: number;
  /** The momentum factor. @default {0} */
  momentum?: number;
  /** Normalize by the variance of the gradient instead of its mean square. @default {false} */
  centered?: boolean;
}

/** Options of {@linkcode RMSProp}. */
export interface RMSPropOptions extends OptimizerOptions<RMSPropRules>, RMSPropRules {
  /** The rate, or a scheduler that sets it. */
  learningRate: number | LRScheduler;
}

const ARGUMENTS: Signature<RMSPropOptions> = /* @__PURE__ */ signature("RMSProp", {
  learningRate: REQUIRED,
  rho: 0.95,
  epsilon: 1e-6,
  momentum: 0,
  centered: false,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  name: null,
});

/**
 * `s = rho*s + ((1-rho)*g)*g; u = momentum*u + (lr*g) / sqrt(s + epsilon); p - u`. Centered: `s - c*c` under the root, where `c` is the
 * running mean of g.
 *
 * Paddle's kernel misses some rows of a row-sparse gradient whose rows are distinct but not in ascending order; so does this class, so that
 * a training run gives the same results here. No rows are missed if they are in order.
 *
 * Mirrors `paddle.optimizer.RMSProp` (3.3).
 */
export class RMSProp extends Optimizer<RMSPropRules> {
  /** The class name, which survives minification. */
  static readonly className = "RMSProp";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      RMSPropOptions,
      ["learningRate", "rho", "epsilon", "momentum", "centered", "parameters", "weightDecay", "gradClip", "name"]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    check(options.epsilon >= 0, "Invalid value of epsilon, expect epsilon >= 0.");
    check(options.momentum >= 0, "Invalid value of momentum, expect momentum >= 0.");
    check(options.rho >= 0, "Invalid value of rho, expect rho >= 0.");
    super(options, ["rho", "epsilon", "momentum", "centered"]);
  }

  /** `momentum`, `mean_square`, `mean_grad`, which all exist whether they are used or not. */
  protected override kinds(): readonly Kind[] {
    return [{ kind: "momentum" }, { kind: "mean_square" }, { kind: "mean_grad" }];
  }

  /** Rows that are absent from the gradient, or that Paddle misses, count as zeros. */
  protected override update(update: Update<RMSPropRules>): void {
    update.gradient.dropMissedRows();
    const { centered } = update.rules;
    const [rho, epsilon, mu] = [f(update.rules.rho), f(update.rules.epsilon), f(update.rules.momentum)];
    const states = [update.state("momentum"), update.state("mean_square")];
    if (centered) states.push(update.state("mean_grad"));
    update.pieces(states, (call, n) => {
      if (centered) call.rmspropCentered(n, rho, update.round(1 - rho), epsilon, mu, update.rate);
      else call.rmsprop(n, rho, update.round(1 - rho), epsilon, mu, update.rate);
    });
  }
}
