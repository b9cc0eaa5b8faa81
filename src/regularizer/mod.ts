/**
 * `paddle.regularizer`: weight decay that is added to a gradient.
 *
 * @module
 */

/** Decay by the sign of a parameter: `gradient + coeff * sign(parameter)`. Mirrors `paddle.regularizer.L1Decay` (3.3). */
export class L1Decay {
  /** Distinguishes it from {@linkcode L2Decay}. */
  readonly kind = "L1" as const;
  /** The coefficient. */
  readonly coeff: number;
  /** Creates an L1 decay. */
  constructor(coeff = 0) {
    this.coeff = coeff;
  }
}

/** Decay in proportion to a parameter: `gradient + coeff * parameter`. Mirrors `paddle.regularizer.L2Decay` (3.3). */
export class L2Decay {
  /** Distinguishes it from {@linkcode L1Decay}. */
  readonly kind = "L2" as const;
  /** The coefficient. */
  readonly coeff: number;
  /** Creates an L2 decay. */
  constructor(coeff = 0) {
    this.coeff = coeff;
  }
}

/** Either kind of decay. */
export type Regularizer = L1Decay | L2Decay;
