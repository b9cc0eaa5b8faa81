import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, it } from "@std/testing/bdd";
import { Float } from "../../mod.ts";
import { PropertiesSchema } from "../../proto/gen/property_pb.ts";
import { type Property, readProperties, writeProperties } from "../../src/codec/program/properties.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const BIG = 2n ** 63n - 1n;

/** A property, its type and field on the wire as protobuf's own runtime reads them, and the value read back. */
const KINDS: [written: Property | boolean, type: number, field: string, onWire: unknown, read?: Property][] = [
  [true, 2, "i", 1n, 1],
  [false, 2, "i", 0n, 0],
  [-5, 2, "i", -5n],
  [BIG, 2, "i", BIG],
  [0.5, 1, "f", 0.5, new Float(0.5)],
  [new Float(2), 1, "f", 2],
  ["größer", 3, "s", utf8("größer")],
  [Uint8Array.of(0xff), 3, "s", Uint8Array.of(0xff)],
  [[1, -2, BIG], 7, "ints", [1n, -2n, BIG]],
  [1e20, 1, "f", Math.fround(1e20), new Float(Math.fround(1e20))],
  [2 ** 63, 1, "f", 2 ** 63, new Float(2 ** 63)],
  [[1, 2 ** 63], 6, "floats", [1, 2 ** 63], [new Float(1), new Float(2 ** 63)]],
  [[1, 0.5] as unknown as Property, 6, "floats", [1, 0.5], [new Float(1), new Float(0.5)]],
  [[new Float(1)], 6, "floats", [1]],
  [["a", Uint8Array.of(0xff)], 8, "strings", [utf8("a"), Uint8Array.of(0xff)]],
];

describe("the properties of an exported Layer", () => {
  for (const [written, type, field, onWire, read = written as Property] of KINDS) {
    it(`are written as protobuf expects, and read back: ${field} ${String(written)}`, () => {
      const bytes = writeProperties("Net", new Map([["b", written], ["a", 1]]));
      const { entries } = fromBinary(PropertiesSchema, bytes);
      assert.deepEqual(entries.map(({ name }) => new TextDecoder().decode(name)), ["Net.a", "Net.b"]);
      assert.deepEqual([entries[1].type, entries[1][field as "i"]], [type, onWire]);
      assert.deepEqual([...readProperties(bytes)], [["a", 1], ["b", read]]);
    });
  }

  it("are refused when Paddle has no such value", () => {
    for (const wrong of [null, {}, [1, "a"], [true], [[1]], new Map(), 2n ** 63n, [1, -(2n ** 63n) - 1n]]) {
      const write = () => writeProperties("Net", new Map([["odd", wrong as unknown as Property]]));
      assert.throws(write, { code: "INVALID_VALUE", at: "odd" }, String(wrong));
    }
    assert.throws(() => writeProperties("Net", new Map([["odd", "\ud800"]])), { code: "LONE_SURROGATE" });
  });

  it("skip kinds that no Paddle writes, keep further dots in names, and refuse names that are not UTF-8", () => {
    const entry = (name: Uint8Array, type: number) => ({ name, type, i: 3n });
    const bytesOf = (...entries: ReturnType<typeof entry>[]) =>
      toBinary(PropertiesSchema, create(PropertiesSchema, { entries }));
    const bytes = bytesOf(entry(utf8("Net.a.b"), 2), entry(utf8("Net.tensor"), 4), entry(utf8("bare"), 2));
    assert.deepEqual([...readProperties(bytes)], [["a.b", 3], ["bare", 3]]);
    assert.throws(() => readProperties(bytesOf(entry(Uint8Array.of(0xff), 2))), { code: "BAD_TEXT" });
  });
});
