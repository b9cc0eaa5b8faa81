/**
 * Sums of squares in the order of Paddle's CPU kernels: Eigen's tree of halves, whose leaves have at most 8192 float32 or 4096 float64.
 *
 * @module
 */

import type { Precision } from "../kernel/lanes.ts";
import { roundingOf } from "./numbers.ts";

/** The sum of `leaf(start, n)` over all leaves of `count` numbers: those have 1024 packets of 256 bits. */
export function treeSum(count: number, precision: Precision, leaf: (start: number, n: number) => number): number {
  const round = roundingOf(precision);
  const packet = precision === "float64" ? 4 : 8;
  function sum(start: number, n: number): number {
    if (n <= 1024 * packet) return leaf(start, n);
    // The depth is log2(count / 4096): less than 40 for whatever fits in memory.
    const half = Math.ceil(Math.ceil(n / 2) / packet) * packet;
    return round(sum(start, half) + sum(start + half, n - half));
  }
  return round(sum(0, count));
}
