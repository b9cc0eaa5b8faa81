/**
 * Sums of squares in the order of Paddle's CPU kernels: Eigen's tree of halves, whose leaves have at most 8192 numbers.
 *
 * @module
 */

/** Numbers of a leaf: eight in a packet, 1024 packets. */
const LEAF = 8192;

/** The float32 sum of `leaf(start, n)` over all leaves of `count` numbers. */
export function treeSum(count: number, leaf: (start: number, n: number) => number): number {
  function sum(start: number, n: number): number {
    if (n <= LEAF) return leaf(start, n);
    // The depth is log2(count / LEAF): less than 40 for whatever fits in memory.
    const half = Math.ceil(Math.ceil(n / 2) / 8) * 8;
    return Math.fround(sum(start, half) + sum(start + half, n - half));
  }
  return Math.fround(sum(0, count));
}
