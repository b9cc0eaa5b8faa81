/**
 * Adadelta.
 *
 * @module
 */
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";
import { isBefore } from "./version.ts";
const f = Math.fround;

/** Options of {@linkcode Adadelta} that a parameter group can override. */
export interface AdadeltaRules {
  /** Keeps the denominator from being zero. @default {1e-6} */
  epsilon?: number;
  /** The decay rate of the averages. @default {0.95} */
  rho?: number;
}

/** Options of {@linkcode Adadelta}. */
export interface AdadeltaOptions extends OptimizerOptions<AdadeltaRules>, AdadeltaRules {
}

const ARGUMENTS: Signature<AdadeltaOptions> = /* @__PURE__ */ signature("Adadelta", {
  learningRate: 0.001,
  epsilon: 1e-6,
  rho: 0.95,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  name: null,
});

/**
 * `a = rho*a + (1-rho)*(g*g); d = -(sqrt(b + epsilon) / sqrt(a + epsilon)) * g; b = rho*b + (1-rho)*(d*d); p + lr*d`.
 *
 * Mirrors `paddle.optimizer.Adadelta` (3.3).
 */
export class Adadelta extends Optimizer<AdadeltaRules> {
  /** The class name, which survives minification. */
  static readonly className = "Adadelta";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<AdadeltaOptions, ["learningRate", "epsilon", "rho", "parameters", "weightDecay", "gradClip", "name"]>
  ) {
    const options = bind(ARGUMENTS, args);

    super(options, ["epsilon", "rho"]);
  }

  /** `_avg_squared_grad`, `_avg_squared_update`. */
  protected override kinds(): readonly Kind[] {
    return [{ kind: "_avg_squared_grad" }, { kind: "_avg_squared_update" }];
  }

  /** Up to 2.4 there is no learning rate, and the step uses the average of squared updates after it was updated. */
  protected override update(update: Update<AdadeltaRules>): void {
    const [rho, epsilon] = [f(update.rules.rho), f(update.rules.epsilon)];
    const isOld = isBefore(this.paddle, "2.5");
    update.pieces([update.state("_avg_squared_grad"), update.state("_avg_squared_update")], (call, n) => {
      if (isOld) call.adadeltaOld(n, rho, update.round(1 - rho), epsilon);
      else call.adadelta(n, rho, update.round(1 - rho), epsilon, update.rate);
    });
  }

  /** Paddle's results for row-sparse gradients are not reproducible. */
  protected override get takesSparse(): boolean {
    return false;
  }
}
