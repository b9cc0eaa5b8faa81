/**
 * A loss with parameters.
 *
 * @module
 */
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import type { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need } from "./check.ts";
import type { WeightAndBias } from "./linear.ts";

/** Arguments of {@linkcode AdaptiveLogSoftmaxWithLoss}. */
export interface AdaptiveLogSoftmaxWithLossArguments extends WeightAndBias {
  /** Size of an input. */
  inFeatures: number;
  /** Number of classes. */
  nClasses: number;
  /** The first class of each group of rarer classes, in ascending order. */
  cutoffs: readonly number[];
  /** The factor by which the projection shrinks with each rarer group. @default {4} */
  divValue?: number;
  /** Whether the head has a bias. @default {false} */
  headBias?: boolean;
}

const SIGNATURE: Signature<AdaptiveLogSoftmaxWithLossArguments> = {
  name: "AdaptiveLogSoftmaxWithLoss",
  defaults: {
    inFeatures: REQUIRED,
    nClasses: REQUIRED,
    cutoffs: REQUIRED,
    weightAttr: null,
    biasAttr: null,
    divValue: 4,
    headBias: false,
    name: null,
  },
};

/**
 * `head_weight`, and `head_bias` if requested. As in Paddle, the projections of the rarer classes are not parameters of the layer: they are
 * not saved, and `parameters()` does not include them. Mirrors `paddle.nn.AdaptiveLogSoftmaxWithLoss` (3.0 to 3.3).
 */
export class AdaptiveLogSoftmaxWithLoss extends BuiltInLayer<AdaptiveLogSoftmaxWithLossArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "AdaptiveLogSoftmaxWithLoss";
  /** [inFeatures, cutoffs[0] + groups]. */
  head_weight: Parameter | null;
  /** [cutoffs[0] + groups], or null. */
  head_bias: Parameter | null;
  /** Two matrices per group of rarer classes: [inFeatures, n], [n, classes]. */
  readonly tailWeights: (Parameter | null)[][];

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` if the cutoffs do not ascend between 1 and `nClasses - 1`
   */
  constructor(
    ...args: Call<
      AdaptiveLogSoftmaxWithLossArguments,
      ["inFeatures", "nClasses", "cutoffs", "weightAttr", "biasAttr", "divValue", "headBias", "name"]
    >
  ) {
    super(SIGNATURE, args);
    const { inFeatures, nClasses, cutoffs, weightAttr, biasAttr, divValue, headBias } = this.config;
    const isRising = cutoffs.length > 0 &&
      cutoffs.every((c, i) => Number.isInteger(c) && c > (cutoffs[i - 1] ?? 0) && c < nClasses);
    need(isRising, `AdaptiveLogSoftmaxWithLoss: cutoffs rise between 1 and ${nClasses - 1}: got [${cutoffs}]`);
    const head = cutoffs[0] + cutoffs.length;
    this.head_weight = this.createParameter([inFeatures, head], { attr: weightAttr });
    this.head_bias = headBias ? this.createParameter([head], { attr: biasAttr, isBias: true }) : null;
    this.tailWeights = cutoffs.map((from, i) => {
      const narrow = Math.floor(inFeatures / divValue ** (i + 1));
      const classes = (cutoffs[i + 1] ?? nClasses) - from;
      return [[inFeatures, narrow], [narrow, classes]].map((shape) =>
        this.createParameter(shape, { attr: weightAttr })
      );
    });
  }
}
