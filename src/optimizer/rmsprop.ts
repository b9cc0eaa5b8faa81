/**
 * Gradients by their root mean square.
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

/** Options of {@linkcode RMSProp} that a group may have, too. */
export interface RMSPropRules {
  /** How much of the averages stays. @default {0.95} */
  rho?: number;
  /** Keeps the divisor from 0. @default {1e-6} */
  epsilon?: number;
  /** How much of the step before stays. @default {0} */
  momentum?: number;
  /** Divide by the deviation from the mean. @default {false} */
  centered?: boolean;
}

/** Options of {@linkcode RMSProp}. */
export interface RMSPropOptions extends OptimizerOptions<RMSPropRules>, RMSPropRules {
  /** The rate, or what gives it. */
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
 * `s = rho*s + ((1-rho)*g)*g; u = momentum*u + (lr*g) / sqrt(s + epsilon); p - u`; centered: `s - c*c` under the root, `c` being the mean of g.
 *
 * Of row-sparse gradients Paddle's kernel misses some rows where each comes once and they are not in rising order; so do we, since a run that
 * goes on elsewhere must not change. Rows in order lose none.
 *
 * Mirrors `paddle.optimizer.RMSProp` (3.3).
 */
export class RMSProp extends Optimizer<RMSPropRules> {
  /** Its name, also where a bundler changes it. */
  static readonly className = "RMSProp";

  /** Make one, with Paddle's arguments by position or by name. */
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

  /** `momentum`, `mean_square`, `mean_grad`, which are there whether they are used or not. */
  protected override kinds(): readonly Kind[] {
    return [{ kind: "momentum" }, { kind: "mean_square" }, { kind: "mean_grad" }];
  }

  /** Absent rows have the gradient 0, and those that Paddle misses. */
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
