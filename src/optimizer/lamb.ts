/**
 * LAMB: layer-wise adaptive moments.
 *
 * @module
 */
import type { Window } from "../kernel/lanes.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Kind } from "./accumulators.ts";
import { check } from "./arguments.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import { treeSum } from "./tree_sum.ts";
import type { Update } from "./update.ts";
import { isBefore } from "./version.ts";

const f = Math.fround;

/** Options of {@linkcode Lamb} that a parameter group can override. */
export interface LambRules {
  /** The weight decay, which does not go through the moments. @default {0.01} */
  lambWeightDecay?: number;
  /** The decay rate of the first moment. @default {0.9} */
  beta1?: number;
  /** The decay rate of the second moment. @default {0.999} */
  beta2?: number;
  /** Keeps the denominator from being zero. @default {1e-6} */
  epsilon?: number;
  /** Whether a parameter is excluded from the decay. @default {null} */
  excludeFromWeightDecayFn?: ((parameter: Parameter) => boolean) | null;
}

/** Options of {@linkcode Lamb}. */
export interface LambOptions extends Omit<OptimizerOptions<LambRules>, "weightDecay">, LambRules {
  /** Adapt the rate even without decay; since Paddle 2.6. @default {false} */
  alwaysAdapt?: boolean;
}

const ARGUMENTS: Signature<LambOptions> = /* @__PURE__ */ signature("Lamb", {
  learningRate: 0.001,
  lambWeightDecay: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-6,
  parameters: null,
  gradClip: null,
  excludeFromWeightDecayFn: null,
  multiPrecision: false,
  alwaysAdapt: false,
  name: null,
});

/**
 * Adam's direction `d = (m/(1-beta1^t)) / (sqrt(v/(1-beta2^t)) + epsilon) + decay*p`, then `p - (lr * norm(p) / norm(d)) * d`.
 *
 * Mirrors `paddle.optimizer.Lamb` (3.3). Before 2.6 the rate is adapted even without decay; before 2.3 the CPU multiplies the powers of the
 * betas once per element, so each element is corrected by powers of its own.
 */
export class Lamb extends Optimizer<LambRules> {
  /** The class name, which survives minification. */
  static readonly className = "Lamb";
  readonly #alwaysAdapt: boolean;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      LambOptions,
      [
        "learningRate",
        "lambWeightDecay",
        "beta1",
        "beta2",
        "epsilon",
        "parameters",
        "gradClip",
        "excludeFromWeightDecayFn",
        "multiPrecision",
        "alwaysAdapt",
        "name",
      ]
    >
  ) {
    const options = bind(ARGUMENTS, args) as Required<OptimizerOptions<LambRules>> & Required<LambOptions>;
    const { alwaysAdapt, excludeFromWeightDecayFn: exclude } = options;
    check(exclude === null || typeof exclude === "function", "excludeFromWeightDecayFn is a function of a parameter");
    super(options, ["lambWeightDecay", "beta1", "beta2", "epsilon", "excludeFromWeightDecayFn"]);
    check(!alwaysAdapt || !isBefore(this.paddle, "2.6"), "always_adapt is there since Paddle 2.6");
    this.#alwaysAdapt = alwaysAdapt;
  }

  /** `moment1`, `moment2`, `beta1_pow_acc`, `beta2_pow_acc`. */
  protected override kinds({ beta1, beta2 }: Required<LambRules>): readonly Kind[] {
    return [
      { kind: "moment1" },
      { kind: "moment2" },
      { kind: "beta1_pow_acc", shape: [1], value: beta1 },
      { kind: "beta2_pow_acc", shape: [1], value: beta2 },
    ];
  }

  /** Rows that are absent from the gradient count as zeros. */
  protected override update(update: Update<LambRules>): void {
    const { rules, rate, round, target, gradient } = update;
    const { precision } = gradient;
    const isExcluded = rules.excludeFromWeightDecayFn?.(update.parameter) ?? false;
    const decay = isExcluded ? 0 : f(rules.lambWeightDecay);
    const [b1, b2, epsilon] = [f(rules.beta1), f(rules.beta2), f(rules.epsilon)];
    const [power1, power2] = [update.scalar("beta1_pow_acc"), update.scalar("beta2_pow_acc")];
    const [first1, first2] = [power1[0], power2[0]];
    const [d1, d2] = [round(1 - first1), round(1 - first2)];
    const isOld = isBefore(this.paddle, "2.3");
    const direct = ({ lanes: [p, g, m, v], call }: Window, start: number, n: number) => {
      if (!isOld) {
        call.lambDirection(n, d1, d2, epsilon, decay);
        return;
      }
      if (start === 0) [power1[0], power2[0]] = [first1, first2];
      for (let i = 0; i < n; i++) {
        const below = round(round(Math.sqrt(round(v[i] / round(1 - power2[0])))) + epsilon);
        g[i] = round(round(m[i] / round(1 - power1[0])) / below) + round(decay * p[i]);
        power1[0] *= b1;
        power2[0] *= b2;
      }
    };
    const states = [update.state("moment1"), update.state("moment2")];
    if (gradient.isEmpty) return;
    update.pieces(states, (call, n) => call.moments(n, b1, round(1 - b1), b2, round(1 - b2)));
    let step = rate;
    if (decay > 0 || this.#alwaysAdapt || isBefore(this.paddle, "2.6")) {
      const ofParameter = treeSum(target.size, precision, (start, n) => update.look([], start, n).call.squares(0, n));
      // The direction is computed twice, since storing it would take as much memory as the parameter.
      const ofDirection = treeSum(target.size, precision, (start, n) => {
        const window = update.look(states, start, n);
        direct(window, start, n);
        return window.call.squares(1, n);
      });
      const [p, d] = [round(Math.sqrt(ofParameter)), round(Math.sqrt(ofDirection))];
      if (p > 0 && d > 0) step = round(rate * round(p / d));
    }
    update.pieces(states, (call, n, start, window) => {
      direct(window, start, n);
      call.sgd(n, step);
    }, { withGradient: false, keepStates: false });
    if (isOld) return;
    power1[0] *= b1;
    power2[0] *= b2;
  }
}
