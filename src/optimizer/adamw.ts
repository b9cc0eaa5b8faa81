/**
 * AdamW: adaptive moments with decoupled weight decay.
 *
 * @module
 */
import type { UpdateFunctions } from "../kernel/lanes.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Parameter } from "../nn/parameter.ts";
import { L2Decay, type Regularizer } from "../regularizer/mod.ts";
import { AdamLike, type AdamRules } from "./adam.ts";
import { check } from "./arguments.ts";
import type { OptimizerOptions, ParameterGroup } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";
import { isBefore, NEWEST, type PaddleVersion } from "./version.ts";

const f = Math.fround;

/** Options of {@linkcode AdamW} that a parameter group can override; `weightDecay` is one of them. */
export interface AdamWRules extends AdamRules {
  /** The weight decay coefficient. @default {0.01} */
  weightDecay?: number;
}

/** Options of {@linkcode AdamW}. */
export interface AdamWOptions extends Omit<OptimizerOptions<AdamWRules>, "weightDecay">, AdamWRules {
  /** Paddle's switch for the state of float16 parameters; with master weights the state is float32. @default {false} */
  useLowprecisionMoment?: false;
  /**
   * A factor for a parameter's rate. From 2.2 to 2.5 it scales only the decay, as on Paddle's CPU; since 2.6 the whole step, as Paddle
   * documents for its GPU (its CPU refuses). @default {null}
   */
  lrRatio?: ((parameter: Parameter) => number) | null;
  /** Whether the parameter of this name is decayed; null: all are. @default {null} */
  applyDecayParamFun?: ((name: string) => boolean) | null;
  /** Divide by the maximum of the second moments so far; since Paddle 3.0. @default {false} */
  amsgrad?: boolean;
}

const ARGUMENTS: Signature<AdamWOptions> = /* @__PURE__ */ signature("AdamW", {
  learningRate: 0.001,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  parameters: null,
  weightDecay: 0.01,
  useLowprecisionMoment: false,
  lrRatio: null,
  applyDecayParamFun: null,
  gradClip: null,
  lazyMode: false,
  multiPrecision: false,
  amsgrad: false,
  name: null,
});

/**
 * First `p = p - (lr*weightDecay)*p` with a fused multiply-add, then Adam.
 *
 * Mirrors `paddle.optimizer.AdamW` (3.3). Before 2.4 the decay is computed in other ways (TRAINING.md 7).
 */
export class AdamW extends AdamLike<AdamWRules> {
  /** The class name, which survives minification. */
  static readonly className = "AdamW";
  readonly #lrRatio: ((parameter: Parameter) => number) | null;
  readonly #applyDecay: ((name: string) => boolean) | null;
  readonly #coefficient: number;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      AdamWOptions,
      [
        "learningRate",
        "beta1",
        "beta2",
        "epsilon",
        "parameters",
        "weightDecay",
        "useLowprecisionMoment",
        "lrRatio",
        "applyDecayParamFun",
        "gradClip",
        "lazyMode",
        "multiPrecision",
        "amsgrad",
        "name",
      ]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    const { weightDecay, lrRatio, applyDecayParamFun, amsgrad, paddle = NEWEST } = options;
    check(typeof weightDecay === "number", "weight_decay should be int, float or Tensor.");
    check(
      !options.useLowprecisionMoment,
      "use_lowprecision_moment changes the state of float16 parameters without master weights",
    );
    check(lrRatio === null || typeof lrRatio === "function", "lrRatio is a function of a parameter");
    check(lrRatio === null || !isBefore(paddle, "2.2"), "lr_ratio is there since Paddle 2.2");
    check(
      applyDecayParamFun === null || typeof applyDecayParamFun === "function",
      "applyDecayParamFun is a function of a name",
    );
    super(options, ["beta1", "beta2", "epsilon", "lazyMode", "weightDecay"], { amsgrad, useMultiTensor: false });
    this.#lrRatio = lrRatio;
    this.#applyDecay = applyDecayParamFun;
    this.#coefficient = weightDecay;
  }

  /** AdamW applies its decay itself. */
  protected override get decaysGradient(): boolean {
    return false;
  }

  /** None: the coefficient is one of the class's own rules. */
  protected override decayOf(): Regularizer | null {
    return null;
  }

  /** Paddle 2.2 and 2.3 add a group's decay to the gradient. */
  protected override extraDecay({ weightDecay }: ParameterGroup<AdamWRules>): Regularizer | null {
    return addsGroupDecay(this.paddle) && typeof weightDecay === "number" ? new L2Decay(weightDecay) : null;
  }

  /** Since 2.4, Paddle's results for row-sparse gradients are not reproducible. */
  protected override get takesSparse(): boolean {
    return isBefore(this.paddle, "2.4");
  }

  /** Update one parameter. */
  protected override update(update: Update<AdamWRules>): void {
    const { parameter, rules, round } = update;
    let { rate } = update;
    const ratio = this.#lrRatio ? round(this.#lrRatio(parameter)) : 1;
    const decayRate = round(rate * ratio);
    if (!isBefore(this.paddle, "2.6")) rate = decayRate;
    const isDecayed = this.#applyDecay === null || this.#applyDecay(parameter.name);
    const coefficient = f(isDecayed ? addsGroupDecay(this.paddle) ? this.#coefficient : rules.weightDecay : 0);
    // Up to 2.1, with a fixed rate, Python computes this itself, in float64 and without the parameter's own factor.
    const kept = f(1 - this.getLr() * rules.weightDecay);
    const factor = round(decayRate * coefficient);
    const shrink = (call: UpdateFunctions, n: number) => {
      if (isBefore(this.paddle, "2.2")) call.shrinkTo(n, this.hasFixedRate ? kept : round(1 - factor));
      else if (isBefore(this.paddle, "2.4")) call.shrinkPlain(n, factor);
      else call.shrink(n, factor);
    };
    const isShrunk = isDecayed && coefficient !== 0;
    // The parameter's own regularizer is computed from the parameter before it is shrunk.
    if (isShrunk && update.gradient.isSparse) update.pieces([], shrink, { withGradient: false });
    this.moments(update, rate, isShrunk && !update.gradient.isSparse ? shrink : undefined);
  }
}

/** Paddle 2.2 and 2.3: a group's decay is added to the gradient, and the decoupled decay remains the optimizer's. */
function addsGroupDecay(paddle: PaddleVersion): boolean {
  return !isBefore(paddle, "2.2") && isBefore(paddle, "2.4");
}
