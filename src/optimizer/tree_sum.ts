/**
 * Sums in the order of Paddle's CPU kernels: Eigen's recursive halving, whose leaves have at most 8192 float32 or 4096 float64 elements.
 *
 * @module
 */

import type { Precision } from "../kernel/lanes.ts";
import { roundingOf } from "./numbers.ts";

/** The sum of `leaf(start, n)` over all leaves of `count` elements. A leaf has at most 1024 packets of 256 bits. */
export function treeSum(count: number, precision: Precision, leaf: (start: number, n: number) => number): number {
  const round = roundingOf(precision);
  const packet = precision === "float64" ? 4 : 8;
  function sum(start: number, n: number): number {
    if (n <= 1024 * packet) return leaf(start, n);
    // The recursion depth is log2(count / 4096), less than 40 for anything that fits in memory.
    const half = Math.ceil(Math.ceil(n / 2) / packet) * packet;
    return round(sum(start, half) + sum(start + half, n - half));
  }
  return round(sum(0, count));
}

/** The sum of `at(0)` to `at(count - 1)`, already rounded to the precision, in Eigen's order: packets of 256 bits, two at a time. */
export function sumOf(count: number, precision: Precision, at: (i: number) => number): number {
  const round = roundingOf(precision);
  const packet = precision === "float64" ? 4 : 8;
  const Numbers = precision === "float64" ? Float64Array : Float32Array;
  return treeSum(count, precision, (start, n) => {
    const sums = new Numbers(2 * packet);
    const [whole, pairs] = [n - n % packet, n - n % (2 * packet)];
    for (let i = 0; i < whole; i++) sums[i < pairs ? i % (2 * packet) : i - pairs] += at(start + i);
    let rest = 0;
    for (let i = whole; i < n; i++) rest = round(rest + at(start + i));
    for (let half = packet; half >= 1; half /= 2) for (let i = 0; i < half; i++) sums[i] += sums[i + half];
    return rest + sums[0];
  });
}
