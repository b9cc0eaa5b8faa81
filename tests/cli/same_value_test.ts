/** Values that `diff` tells apart. */
import { equal } from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { isSameValue } from "../../src/cli/same_value.ts";
import { valueText } from "../../src/cli/value_text.ts";
import { Complex, Float, NumpyScalar, OpaqueArray, Range, Tuple } from "../../mod.ts";

const isSame = (one: unknown, other: unknown, tolerance = 0) =>
  isSameValue({ value: one, isFloat: false }, { value: other, isFloat: false }, tolerance);

const DIFFERENT: [unknown, unknown][] = [
  [[1], [new Float(1)]],
  [[Tuple.of(1)], [[1]]],
  [[true], [1]],
  [["NaN"], [NaN]],
  [[1], [1, 1]],
  [new Uint8Array([1]), new Uint8Array([2])],
  [new Map([[1, "x"]]), new Map([[new Float(1), "x"]])],
  [new NumpyScalar("float32", 1), new NumpyScalar("float64", 1)],
  [new OpaqueArray("<M8[D]", [1], new Uint8Array(8)), new OpaqueArray("<M8[D]", [1], new Uint8Array(8).fill(1))],
  [new Range(0, 2, 1), new Range(0, 3, 1)],
  [new Complex(1, 0), new Complex(1, 1)],
];

describe("two values of a file", () => {
  for (const [one, other] of DIFFERENT) {
    it(`differ: ${valueText(one)} and ${valueText(other)}`, () => {
      equal(isSame(one, other), false);
      equal(isSame(one, one) && isSame(other, other), true);
    });
  }

  it("are the same with ints of either type, NaN, a tolerance, or when they contain themselves", () => {
    equal(isSame([7n, NaN, 2n ** 70n], [7, NaN, 2n ** 70n]), true);
    equal(isSame([0.1], [0.1001], 0.001), true);
    const [round, circle]: unknown[][] = [[1], [1]];
    round.push(round);
    circle.push(circle);
    equal(isSame(round, circle), true);
  });
});
