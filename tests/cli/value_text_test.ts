import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  ByteArray,
  Complex,
  decode,
  DenseTensor,
  DTypeValue,
  encode,
  Float,
  FrozenSet,
  NDArray,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PythonRecord,
  Range,
  SelectedRows,
  Slice,
  Tensor,
  Tuple,
} from "../../mod.ts";
import { table } from "../../src/cli/text.ts";
import { typeText, valueText } from "../../src/cli/value_text.ts";

/** A value, Python's name for its type, and how it is shown. */
const VALUES: [value: unknown, type: string, text: string][] = [
  [null, "None", "None"],
  [undefined, "None", "None"],
  [true, "bool", "True"],
  [false, "bool", "False"],
  [5, "int", "5"],
  [2n ** 70n, "int", "1180591620717411303424"],
  [0.5, "float", "0.5"],
  [-0, "float", "-0.0"],
  [NaN, "float", "nan"],
  [-Infinity, "float", "-inf"],
  [new Float(2), "float", "2.0"],
  [new Float(1e300), "float", "1e+300"],
  ['a"\n', "str", '"a\\"\\n"'],
  [new Uint8Array(3), "bytes", "3 bytes"],
  [new ByteArray(new ArrayBuffer(2)), "bytearray", "2 bytes"],
  [new Complex(1, -2), "complex", "(1-2j)"],
  [new Complex(0, 2), "complex", "(0+2j)"],
  [new NumpyScalar("int64", 3), "numpy.int64", "3"],
  [new NumpyScalar("float32", 3), "numpy.float32", "3.0"],
  [new NumpyScalar("datetime64[D]", 7), "numpy.datetime64[D]", "7"],
  [new NumpyScalar("bool", true), "numpy.bool", "True"],
  [new NumpyScalar("str16", "ab"), "numpy.str16", '"ab"'],
  [new NDArray("float32", [2, 3]), "float32", "NDArray float32 [2, 3]"],
  [new Tensor("int8", []), "int8", "Tensor int8 []"],
  [new DenseTensor("bool", [0]), "bool", "DenseTensor bool [0]"],
  [new OpaqueArray("<M8[D]", [4], new Uint8Array(32)), "ndarray <M8[D]", "[4]"],
  [new SelectedRows([1], 2, new NDArray("float32", [1, 2])), "SelectedRows", "SelectedRows"],
  [new DTypeValue("float32", false), "dtype", "float32"],
  [new Slice(1, null, 2), "slice", "1:None:2"],
  [new Range(0, 5, 1), "range", "0:5:1"],
  [Tuple.of<unknown>(1, "a"), "tuple", '(1, "a")'],
  [Tuple.of(), "tuple", "()"],
  [[1, [2, [3, [4]]]], "list", "[1, [2, [3, [...]]]]"],
  [Array.from({ length: 20 }, (_, i) => i), "list", "[0, 1, 2, 3, 4, 5, 6, 7, ... 20 in all]"],
  [new Map<unknown, unknown>([["a", 1], [2, "b"]]), "dict", '{"a": 1, 2: "b"}'],
  [new OrderedDict([["a", null]]), "OrderedDict", '{"a": None}'],
  [new Set([1, 2]), "set", "{1, 2}"],
  [new FrozenSet(), "frozenset", "{}"],
  [new PythonRecord("a.b", "C", new Map([["x", 1]])), "a.b.C", '{"x": 1}'],
  [{}, "object", "object"],
];

describe("a short description of a value", () => {
  for (const [value, type, text] of VALUES) {
    it(`of type ${type} is ${text}`, () => assert.deepEqual([typeText(value), valueText(value)], [type, text]));
  }

  it("shows floats of the file as floats, in lists and dicts too", () => {
    const made = decode(encode(new Map<string, unknown>([["a", [new Float(1), 1]], ["b", new Float(2)]])));
    assert.equal(valueText(made), '{"a": [1.0, 1], "b": 2.0}');
  });
});

describe("a table", () => {
  it("is aligned as a terminal shows it: control characters escaped, East Asian ones and emoji in two columns", () => {
    const lines = table([["ab", "x"], ["a\u202eb", "x"], ["重み", "x"], ["e\u0301", "x"], ["😀", "x"]]);
    assert.deepEqual(lines, [
      "ab        x",
      "a\\u202eb  x",
      "重み      x",
      "e\u0301         x",
      "😀        x",
    ]);
  });

  it("is not as wide as its longest name", () => {
    const lines = table([["x".repeat(3000), "y"], ["a", "y"]]);
    assert.deepEqual(lines.map((line) => line.length), [3003, 63]);
  });
});
