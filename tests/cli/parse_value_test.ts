import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { elementOf, listOf, valueLike } from "../../src/cli/parse_value.ts";
import { Complex, type DType, Float } from "../../mod.ts";

/** Strings, and the results of Python's `complex(text)`. */
const COMPLEX: [string, number, number][] = [
  ["2j", 0, 2],
  ["-2.5j", 0, -2.5],
  ["j", 0, 1],
  ["-j", 0, -1],
  ["1+j", 1, 1],
  ["1-J", 1, -1],
  ["1+2j", 1, 2],
  ["(1-2j)", 1, -2],
  ["-1.5-.5j", -1.5, -0.5],
  ["1e5j", 0, 1e5],
  ["1e-3+2e-4j", 1e-3, 2e-4],
  ["-1E+3-2e+4j", -1e3, -2e4],
  ["3", 3, 0],
  ["-0.5", -0.5, 0],
  ["inf-infj", Infinity, -Infinity],
  ["nan+nanj", NaN, NaN],
  ["-infj", 0, -Infinity],
  ["10+20j", 10, 20],
];

/** What is typed for an element, and the value it becomes; null if it is refused. */
const ELEMENTS: [DType, string, unknown][] = [
  ["float32", "0.5", 0.5],
  ["float32", "-1e-3", -0.001],
  ["float32", ".5", 0.5],
  ["float32", "5.", 5],
  ["float32", "+7", 7],
  ["float32", "nan", NaN],
  ["float32", "-NaN", NaN],
  ["float32", "inf", Infinity],
  ["float32", "-Infinity", -Infinity],
  ["float32", "", null],
  ["float32", "1,5", null],
  ["float32", "0x10", null],
  ["float32", "1j", null],
  ["float32", "true", null],
  ["bool", "true", true],
  ["bool", "False", false],
  ["bool", "1", true],
  ["bool", "0", false],
  ["bool", "2", null],
  ["bool", "yes", null],
  ["int32", "-5", -5],
  ["int32", "1.0", null],
  ["int32", "nan", null],
  ["int64", "+9007199254740993", 9007199254740993n],
  ["uint64", "18446744073709551615", 18446744073709551615n],
  ["complex64", "+-1j", null],
  ["complex64", "1+2", null],
  ["complex64", "1 + 2j", null],
  ["complex64", "1j2j", null],
];

describe("input for one element", () => {
  for (const [text, re, im] of COMPLEX) {
    it(`${text} of a complex array is parsed as by Python's complex()`, () => {
      const value = elementOf(text, "complex128");
      assert.deepEqual(value instanceof Complex ? [value.re, value.im] : [value, 0], [re, im]);
    });
  }
  for (const [dtype, text, value] of ELEMENTS) {
    it(`${JSON.stringify(text)} of ${dtype} is ${value === null ? "refused" : value}`, () => {
      if (value !== null) assert.deepEqual(elementOf(text, dtype), value);
      else assert.throws(() => elementOf(text, dtype), { name: "UsageError" });
    });
  }
});

describe("input for an array", () => {
  it("is a list of elements, each exact, even beyond 2^53", () => {
    const array = listOf(" [[9007199254740993, -1],[0 , +2]]", "int64")!;
    assert.deepEqual([array.shape, array.toArray()], [[2, 2], [[9007199254740993n, -1n], [0n, 2n]]]);
    assert.deepEqual(listOf("[nan,inf, -1e3]", "float64")!.toArray(), [NaN, Infinity, -1000]);
    assert.deepEqual(listOf("[true,False]", "bool")!.toArray(), [true, false]);
    const complex = listOf("[1+2j, -j]", "complex64")!;
    assert.deepEqual([complex.at(0), complex.at(1)], [new Complex(1, 2), new Complex(0, -1)]);
    assert.equal(listOf("5", "int64"), undefined);
  });

  it("is refused when it is not a list, ragged, or has other elements", () => {
    for (const text of ["[1, 2", "[1]]", "[1 2]", "[,]", "[1.5]", '["a"]']) {
      assert.throws(() => listOf(text, "int32"), { name: "UsageError" }, text);
    }
    assert.throws(() => listOf("[[1],[2,3]]", "int32"), { code: "INVALID_VALUE" });
  });
});

/** The old value, whether it is a float in the file, what is typed, and the value it becomes; undefined if it is refused. */
const VALUES: [unknown, boolean, string, unknown][] = [
  ["old", false, "5", "5"],
  ["old", false, "None", "None"],
  [true, false, "false", false],
  [true, false, "True", true],
  [true, false, "1", undefined],
  [5, false, "True", true],
  [5, false, "None", null],
  [5, false, "7", 7],
  [5, false, "-9007199254740993", -9007199254740993n],
  [5, false, "0.5", new Float(0.5)],
  [5, false, "x", undefined],
  [5n, false, "6", 6],
  [0.5, false, "2", new Float(2)],
  [2, true, "3", new Float(3)],
  [2, true, "nan", new Float(NaN)],
  [null, false, "3", 3],
  [null, false, "1e3", new Float(1000)],
  [null, false, "text", "text"],
  [new Map(), false, "x", undefined],
  [[], false, "1", undefined],
];

describe("input for a value that is not an array", () => {
  for (const [old, wasFloat, text, value] of VALUES) {
    const shown = old instanceof Map ? "a dict" : Array.isArray(old) ? "a list" : wasFloat ? `${old}.0` : String(old);
    it(`${text} in place of ${shown} is ${value === undefined ? "refused" : String(value)}`, () => {
      if (value !== undefined) assert.deepEqual(valueLike(text, old, wasFloat), value);
      else assert.throws(() => valueLike(text, old, wasFloat), { name: "UsageError" });
    });
  }
});
