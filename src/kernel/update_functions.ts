/**
 * The update rules of optimizers as functions over lanes; `wasm/update.ts` and `update_twin.ts` implement the same rules.
 *
 * @module
 */

/** Elements per lane. */
export const LANE = 0x4000;

/** How many lanes there are: the parameter, its gradient, and up to six tensors of state. */
export const LANES = 8;

/**
 * One function per rule. Each reads and writes the first `n` elements of the lanes; lane 0 is the parameter, lane 1 the gradient. In
 * float32 windows every argument is a float32, and every operation is rounded to float32 once. `wasm/update.ts` has the formulas.
 */
export interface UpdateFunctions {
  /** Multiply the gradient by `s`. */
  scale(n: number, s: number): void;
  /** Clamp the gradient to `low` and `high`. */
  clamp(n: number, low: number, high: number): void;
  /** Add `c` times the parameter to the gradient. */
  decayL2(n: number, c: number): void;
  /** Add `c` times the sign of the parameter to the gradient. */
  decayL1(n: number, c: number): void;
  /** The sum of the squares of lane `k`. */
  squares(k: number, n: number): number;
  sgd(n: number, lr: number): void;
  momentum(n: number, mu: number, lr: number): void;
  nesterov(n: number, mu: number, lr: number): void;
  adagrad(n: number, lr: number, eps: number): void;
  shrink(n: number, f: number): void;
  shrinkPlain(n: number, f: number): void;
  shrinkTo(n: number, f: number): void;
  adam(n: number, b1: number, c1: number, b2: number, c2: number, rate: number, eps: number): void;
  amsgrad(n: number, b1: number, c1: number, b2: number, c2: number, rate: number, eps: number): void;
  adamPlain(n: number, b1: number, c1: number, b2: number, c2: number, rate: number): void;
  amsgradPlain(n: number, b1: number, c1: number, b2: number, c2: number, rate: number): void;
  adamax(n: number, b1: number, c1: number, b2: number, eps: number, rate: number): void;
  adadelta(n: number, rho: number, c: number, eps: number, lr: number): void;
  adadeltaOld(n: number, rho: number, c: number, eps: number): void;
  rmsprop(n: number, rho: number, c: number, eps: number, mu: number, lr: number): void;
  rmspropCentered(n: number, rho: number, c: number, eps: number, mu: number, lr: number): void;
  moments(n: number, b1: number, c1: number, b2: number, c2: number): void;
  lambDirection(n: number, d1: number, d2: number, eps: number, decay: number): void;
  nadam(n: number, b1: number, c1: number, b2: number, c2: number, s: number, lr: number, eps: number): void;
  radam(n: number, b1: number, c1: number, b2: number, c2: number, most: number, lr: number, eps: number): void;
  asgd(n: number, rate: number): void;
  rprop(n: number, minus: number, plus: number, low: number, high: number): void;
}
