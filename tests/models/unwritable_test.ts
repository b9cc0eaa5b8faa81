import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  Complex,
  decode,
  encode,
  Float,
  fromArray,
  FrozenSet,
  NDArray,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PythonRecord,
  Slice,
  Tuple,
} from "../../mod.ts";
import { thrownBy } from "../helpers/thrown_by.ts";

function detached(): NDArray {
  const data = new Float32Array(2), array = new NDArray("float32", [2], data);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return array;
}

const METADATA = "paddle.distributed.checkpoint.metadata";
// deno-lint-ignore no-explicit-any
const wrong = (value: unknown): any => value;

function withAttribute(value: unknown): OrderedDict {
  const dict = new OrderedDict([["a", 1]]);
  dict.attributes = new Map([["b", wrong(value)]]);
  return dict;
}

/** Values that no reader would accept, or that Python cannot represent. */
const VALUES: [string, unknown, string?][] = [
  ["a key that is a list", new Map([[[1], 1]])],
  ["a key that is an object", new Map([[{}, 1]])],
  ["a key that is NaN", new Map([[NaN, 1]])],
  ["a key that is an array", new Map([[fromArray([1], "float32"), 1]])],
  ["a key with a list in it", new Map([[Tuple.of([1]), 1]])],
  ["a member that is a list", new Set([[1]])],
  ["a member that is NaN", new Set([NaN])],
  ["keys that are equal in Python", new Map<unknown, unknown>([[1, "a"], [true, "b"]]), "NAME_COLLISION"],
  ["members that are equal in Python", new Set<unknown>([1, 1n]), "NAME_COLLISION"],
  [
    "a string and a numpy string that are equal",
    new Map<unknown, unknown>([["w", 1], [new NumpyScalar("str32", "w"), 2]]),
    "NAME_COLLISION",
  ],
  ["a set with bytes in it", new Set([Uint8Array.of(1)])],
  ["a record of a class that would run code", new PythonRecord("os", "system")],
  ["a record whose class name has a line break", new PythonRecord("a\nb", "c")],
  ["a record with numbers for names", new PythonRecord(wrong(1), wrong(2))],
  ["a record with a field of its own", new PythonRecord(METADATA, "Metadata", new Map([["x", 1]]))],
  ["a record without a Map", new PythonRecord(METADATA, "Metadata", wrong({}))],
  ["a record without a module or class name", new PythonRecord(wrong(undefined), wrong(Symbol()))],
  ["a numpy scalar of a dtype that is a number", new NumpyScalar(wrong(5), 1)],
  ["an array of objects with a fraction as a length", new OpaqueArray("|O", wrong([0.5, 2]), new Uint8Array(0), [1])],
  ["a slice that begins at -0", new Slice(-0, 1)],
  ["a float of a bigint", new Float(wrong(1n))],
  ["a complex number of strings", new Complex(wrong("1"), 0)],
  ["an array of objects without a list", new OpaqueArray("|O", [1], new Uint8Array(0), wrong("x"))],
  ["an array whose buffer was detached", detached()],
  ["a key that is a record of such a class", new Map([[new PythonRecord("os", "system"), 1]])],
  ["a key with such a record in it", new Map([[Tuple.of(new PythonRecord("os", "system")), 1]])],
  ["a key that is a numpy scalar out of range", new Map([[new NumpyScalar("int8", 1000), 1]])],
  ["a member that is a numpy scalar out of range", new Set([new NumpyScalar("int8", 1000)])],
  ["a list with a hole", Object.assign([1], { 2: 3 })],
  ["an object with a function in it", { a: [() => 1] }],
  ["an array of objects with a function in it", new OpaqueArray("|O", [1], new Uint8Array(0), [wrong(() => 1)])],
  ["an array of objects with bytes", new OpaqueArray("<U1", [1], new Uint8Array(4), ["a"])],
  ["an OrderedDict with a function as an attribute", withAttribute(() => 1)],
  ["an OrderedDict with a number for attributes", Object.assign(new OrderedDict(), { attributes: 5 })],
];

describe("a value that could not be loaded again", () => {
  for (const [what, value, code = "INVALID_VALUE"] of VALUES) {
    it(`is refused, alone and inside others: ${what}`, () => {
      assert.equal(thrownBy(() => encode(value)).code, code);
      for (const protocol of [2, 3, 4]) {
        assert.equal(thrownBy(() => encode(new Map([["a", [value]]]), { protocol })).code, code);
      }
    });
  }

  it("is refused in the other formats too: an array with a detached buffer", () => {
    assert.equal(thrownBy(() => encode(detached(), { useBinaryFormat: true })).code, "INVALID_VALUE");
    assert.equal(thrownBy(() => encode(new Map([["w", detached()]]), { safetensors: true })).code, "INVALID_VALUE");
  });

  it("is not a matter of hashable keys: numbers, tuples, null, floats, bytes, frozensets and numpy scalars are written and read", () => {
    const keys = [
      1,
      2.5,
      10n ** 20n,
      "1",
      false,
      null,
      Tuple.of<unknown>(1, "a", Tuple.of(null)),
      Uint8Array.of(1, 2),
      new Complex(0, 1),
      new FrozenSet<unknown>([1, Uint8Array.of(1), new FrozenSet()]),
      new NumpyScalar("int64", 7),
      new NumpyScalar("str32", "w"),
      Tuple.of<unknown>(Uint8Array.of(1), new NumpyScalar("datetime64[D]", 7)),
    ];
    const map = new Map<unknown, unknown>([...keys.map((key, i) => [key, i] as const), [new Float(3), "float"]]);
    const back = decode(encode(map)) as Map<unknown, unknown>;
    assert.deepEqual([...back.keys()], [...keys, 3]);
    assert.deepEqual(encode(back), encode(map));
  });
});
