import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { type Layout, RowMajor, rowMajor } from "../../src/kernel.ts";

const product = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);

/** The same one element after the other. */
function slowly(stored: Uint8Array, { shape, itemsize, axes }: Layout): Uint8Array {
  const places = axes ?? shape.map((_, axis) => shape.length - 1 - axis);
  const inMemory: number[] = [];
  for (const [axis, place] of places.entries()) inMemory[place] = shape[axis];
  const turned = new Uint8Array(stored.length);
  for (let i = 0; i < product(shape); i++) {
    const index: number[] = [];
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      index[places[axis]] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    const from = index.reduce((at, n, place) => at * inMemory[place] + n, 0);
    turned.set(stored.subarray(from * itemsize, (from + 1) * itemsize), i * itemsize);
  }
  return turned;
}

const LAYOUTS: [shape: number[], axes: number[] | null][] = [
  [[7, 5], null],
  [[1, 9], null],
  [[40, 1, 35], null],
  [[3, 4, 2, 5], null],
  [[6, 0, 2], null],
  [[3, 2, 4], [1, 0, 2]],
  [[5, 4, 3], [2, 1, 0]],
  [[2, 3, 1, 4, 5], [3, 0, 2, 4, 1]],
  [[4, 6, 3], [0, 2, 1]],
];

describe("axes that lie in another order in memory", () => {
  for (const [shape, axes] of LAYOUTS) {
    it(`are put in row-major order, however the bytes come: [${shape}] ${axes ? `as (${axes})` : "column-major"}`, () => {
      for (const itemsize of [1, 2, 4, 16]) {
        const layout = { shape, itemsize, axes };
        const stored = Uint8Array.from({ length: product(shape) * itemsize }, (_, i) => i * 37 + (i >> 8));
        const expected = slowly(stored, layout);
        assert.deepEqual(rowMajor(stored, layout), expected);
        const row = expected.length / shape[0];
        for (const [first, last] of [[0, shape[0]], [0, 0], [shape[0] - 1, shape[0]], [0, Math.ceil(shape[0] / 2)]]) {
          for (const size of [1, 3, 2 * itemsize, 5 * itemsize + 1, 10_000]) {
            // At an odd offset, where no view of wider elements can start.
            const into = new Uint8Array((last - first) * row + 1).subarray(1);
            const turned = new RowMajor(into, layout, [first, last]);
            for (let at = 0; at < stored.length; at += size) turned.push(stored.slice(at, at + size));
            assert.deepEqual(into, expected.subarray(first * row, last * row));
          }
        }
      }
    });
  }
});
