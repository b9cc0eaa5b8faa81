import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import type { DType } from "../../mod.ts";
import { checkTensor } from "../../src/codec/record/read_combined.ts";

const thrown = (dtype: DType | null, shape: number[] | null, as: DType, stored: number[]): string | null => {
  try {
    checkTensor({ name: "w", kind: "dense_tensor", dtype, shape }, as, stored, 7);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("a parameter whose record differs from the program", () => {
  const DTYPES: readonly [described: DType | null, stored: DType, code: string | null][] = [
    [null, "float64", null],
    ["float32", "float32", null],
    ["uint16", "bfloat16", null],
    ["bfloat16", "uint16", "BAD_DTYPE"],
    ["float32", "float16", null],
    ["float16", "float32", "BAD_DTYPE"],
    ["float64", "float16", "BAD_DTYPE"],
    ["float32", "int8", null],
    ["float16", "int16", null],
    ["bfloat16", "int8", null],
    ["int8", "float32", "BAD_DTYPE"],
    ["int32", "int8", "BAD_DTYPE"],
    ["float32", "int32", "BAD_DTYPE"],
    ["float32", "uint8", "BAD_DTYPE"],
    ["float32", "bfloat16", "BAD_DTYPE"],
    ["int64", "int32", "BAD_DTYPE"],
  ];
  for (const [described, stored, code] of DTYPES) {
    it(`is ${code ? "refused: the files are of two saves" : "read, as Paddle stores it so"}: ${described} as ${stored}`, () => {
      assert.equal(thrown(described, [2], stored, [2]), code);
    });
  }

  const SHAPES: readonly [described: number[] | null, stored: number[], code: string | null][] = [
    [null, [2, 3], null],
    [[2, 3], [2, 3], null],
    [[2, 3], [3, 2], "BAD_SHAPE"],
    [[-1, 3], [7, 3], null],
    [[-1, 3], [7, 4], "BAD_SHAPE"],
    [[2, 3], [6], "BAD_SHAPE"],
    [[2, 3], [2, 3, 1], "BAD_SHAPE"],
    [[3], [1, 3], null],
    [[3], [3, 1, 1, 1], null],
    [[3], [1, 4], "BAD_SHAPE"],
    [[3], [3, 3], "BAD_SHAPE"],
    [[3], [], "BAD_SHAPE"],
    [[1], [], null],
    [[1], [1, 1], null],
    [[1], [2, 1], "BAD_SHAPE"],
    [[], [1], null],
    [[], [2], "BAD_SHAPE"],
  ];
  for (const [described, stored, code] of SHAPES) {
    const [from, to] = [described === null ? "any shape" : `[${described}]`, `[${stored}]`];
    it(`is ${code ? "refused: the files are of two saves" : "read, as Paddle stores it so"}: ${from} as ${to}`, () => {
      assert.equal(thrown("float32", described, "float32", stored), code);
    });
  }
});
