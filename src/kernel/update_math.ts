/**
 * Functions of Paddle's update rules that JavaScript has only with other results for NaN and -0.
 *
 * @module
 */

/** -1, 0 or 1; NaN for NaN. Unlike `Math.sign`, never -0. */
export function sign(x: number): number {
  return Math.sign(x) + 0;
}

/** C++'s `max`: the first one unless the second is larger, even if it is NaN. */
export function larger(a: number, b: number): number {
  return a < b ? b : a;
}
