/**
 * `paddle.regularizer`: what weight decay adds to a gradient.
 *
 * @module
 */

/** Decay by the sign of a parameter: `gradient + coeff * sign(parameter)`. Mirrors `paddle.regularizer.L1Decay` (3.3). */
export class L1Decay {
  /** Tells it from {@linkcode L2Decay}. */
  readonly kind = "L1" as const;
  /** The factor. */
  readonly coeff: number;
  /** Make one. */
  constructor(coeff = 0) {
    this.coeff = coeff;
  }
}

/** Decay in proportion to a parameter: `gradient + coeff * parameter`. Mirrors `paddle.regularizer.L2Decay` (3.3). */
export class L2Decay {
  /** Tells it from {@linkcode L1Decay}. */
  readonly kind = "L2" as const;
  /** The factor. */
  readonly coeff: number;
  /** Make one. */
  constructor(coeff = 0) {
    this.coeff = coeff;
  }
}

/** Either kind of decay. */
export type Regularizer = L1Decay | L2Decay;
