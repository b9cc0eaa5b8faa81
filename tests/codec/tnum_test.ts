import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import type { Cursor } from "../../src/codec/cursor.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { readTnum } from "../../src/codec/tnum/read_tnum.ts";
import { writeTnum } from "../../src/codec/tnum/write_tnum.ts";
import { bytesOf } from "../../src/words/unread_bytes.ts";
import { dtypeInfo, DTYPES } from "../../src/dtype.ts";
import { Budget, DEFAULT_LIMITS } from "../../src/limits.ts";
import { NDArray } from "../../src/ndarray.ts";
import { thrownBy } from "../helpers/thrown_by.ts";

const WINDOWS = [1, 7, Infinity];
const decoder = (cursor: Cursor) => readTnum(cursor, { budget: new Budget(DEFAULT_LIMITS) });
const read = (bytes: Uint8Array, window = Infinity) => driveBytes(decoder, bytes, { window });
const written = (tensors: Map<string, NDArray>) => Uint8Array.from(Buffer.concat([...writeTnum(tensors)].map(bytesOf)));
const real = () => new Uint8Array(readFileSync("tests/fixtures/binary/adam-1.6.pdparams"));
const arrays = (bytes: Uint8Array, window?: number) =>
  new Map([...read(bytes, window).tensors].map(([k, t]) => [k, new NDArray(t.dtype, t.shape, t.data as Uint8Array)]));

describe("binary state dicts of Paddle 1.6", () => {
  it("are read, and written back byte for byte after the reserved bytes", () => {
    const bytes = real();
    for (const window of WINDOWS) {
      const tensors = arrays(bytes, window);
      assert.ok(tensors.size > 0);
      assert.deepEqual(written(tensors).subarray(256), bytes.subarray(256));
    }
  });

  it("hold every dtype, however the bytes arrive", () => {
    const given = new Map(DTYPES.map((dtype) => [
      "größe." + dtype,
      new NDArray(dtype, [2, 3], Uint8Array.from({ length: 6 * dtypeInfo(dtype).itemsize }, (_, i) => i * 3 + 1)),
    ]));
    const bytes = written(given);
    for (const window of WINDOWS) {
      const { tensors, warnings } = read(bytes, window);
      assert.deepEqual(warnings, []);
      assert.deepEqual([...tensors.keys()], [...given.keys()]);
      for (const [name, { dtype, shape, data, offset }] of tensors) {
        const array = given.get(name)!;
        assert.deepEqual([dtype, shape], [array.dtype, [2, 3]]);
        assert.deepEqual(data, array.bytes);
        assert.deepEqual(bytes.subarray(offset, offset + array.nbytes), array.bytes);
      }
    }
  });

  it("may have the shortest possible entries, or none", () => {
    const bytes = written(new Map([["", new NDArray("bool", [], Uint8Array.of(1))]]));
    assert.deepEqual(read(bytes).tensors.get("")?.data, Uint8Array.of(1));
    assert.equal(read(written(new Map())).tensors.size, 0);
  });

  it("are TRUNCATED with an offset when they are cut anywhere", () => {
    const bytes = real();
    for (let n = 0; n < bytes.length; n++) {
      for (const window of WINDOWS) {
        const error = thrownBy(() => read(bytes.slice(0, n), window));
        assert.equal(error.code, "TRUNCATED", `${n}: ${error.message}`);
        assert.ok(error.offset !== undefined && error.offset <= n);
      }
    }
  });

  it("are refused when bytes follow the last tensor", () => {
    const bytes = real();
    const error = thrownBy(() => read(Uint8Array.from([...bytes, 0])));
    assert.deepEqual([error.code, error.offset], ["TRAILING_DATA", bytes.length]);
  });

  it("give the last tensor and a warning when a name comes twice", () => {
    const one = written(new Map([["w", new NDArray("int8", [1], Uint8Array.of(1))]]));
    const two = written(new Map([["w", new NDArray("int8", [1], Uint8Array.of(2))]]));
    const bytes = Uint8Array.from([...one, ...two.subarray(268)]);
    bytes[260] = 2;
    const { tensors, warnings } = read(bytes);
    assert.deepEqual(tensors.get("w")?.data, Uint8Array.of(2));
    assert.deepEqual(warnings.map(({ code }) => code), ["DUPLICATE_KEY"]);
  });

  it("give a hundred warnings at most, however often a name comes", () => {
    const one = written(new Map([["w", new NDArray("int8", [1], Uint8Array.of(1))]]));
    const bytes = Uint8Array.from([...one, ...Array(199).fill([...one.subarray(268)]).flat()]);
    bytes[260] = 200;
    const { tensors, warnings } = read(bytes);
    assert.deepEqual([tensors.size, warnings.length], [1, 100]);
  });

  it("are refused when a name is not UTF-8 or has too many bytes, or the word NAME is missing", () => {
    const good = written(new Map([["ab", new NDArray("int8", [1])]]));
    const patched = (at: number, value: number) => {
      const bytes = good.slice();
      bytes[at] = value;
      return bytes;
    };
    assert.equal(thrownBy(() => read(patched(280, 0xff))).code, "BAD_TEXT");
    assert.deepEqual([thrownBy(() => read(patched(271, 0x58))).code], ["BAD_FIELD"]);
    assert.equal(thrownBy(() => read(patched(275, 0xff))).code, "LIMIT");
  });
});
