import { afterAll, describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { convert } from "../../src/words/convert.ts";
import type { DType } from "../../src/dtype.ts";
import { useTwins } from "../../src/kernel/core.ts";
import { rowMajor } from "../../src/kernel.ts";

// Hashes of numpy's and ml_dtypes' results, created by tests/kernel/make_tables.py.
const tables = JSON.parse(readFileSync("tests/kernel/tables.json", "utf8"));

function sha(view: ArrayBufferView): string {
  return createHash("sha256").update(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)).digest("hex");
}

/** xorshift32 from 1. */
function words(n: number): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(n);
  let x = 1;
  for (let i = 0; i < n; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    out[i] = x;
  }
  return out;
}

function concat(...parts: Uint32Array[]): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(parts.flatMap((part) => [...part]));
}

const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const random = words(100000);
const edges = new Uint32Array(4 * 65536).map((_, i) => ((i >> 2) << 16) | [0, 0x7fff, 0x8000, 0x8001][i & 3]);
const patterns = new Uint16Array(65536).map((_, i) => i);
const halves = new Uint32Array(convert(bytes(patterns), "float16", "float32").buffer);
const floats = concat(
  edges,
  halves.map((x) => x | 0x1000),
  halves.map((x) => x | 0x1001),
  halves.map((x) => x | 0xfff),
  random,
);
const numbers = (bits: Uint32Array) => Array.from(new Float32Array(bits.buffer as ArrayBuffer)).filter((x) => x === x);
const small = numbers(halves);
const doubles = Float64Array.from([
  ...numbers(edges),
  ...new Float64Array(random.buffer, 0, 49999),
  ...small.map((x) => x * (1 + 2 ** -11)),
  ...small.map((x) => x * (1 + 2 ** -11 + 2 ** -45)),
  ...small.map((x) => x * (1 + 2 ** -11 - 2 ** -45)),
]);
const known = doubles.filter((x) => x === x);
const long = [...new BigInt64Array(random.buffer)];
const longs = BigInt64Array.from([
  ...long,
  ...long.map((x) => x >> 10n),
  ...long.map((x) => x >> 34n),
  ...long.map((x) => (x | 0x3fffff0000000000n) & ~0xffffffffn),
]);

for (const only of [false, true]) {
  describe(`conversions with numpy's bits, ${only ? "in TypeScript" : "in the core"}`, () => {
    afterAll(() => useTwins(false));

    for (const [name, hash] of Object.entries(tables.widen)) {
      it(`cast every pattern of ${name} to float32`, () => {
        useTwins(only);
        const all = name.startsWith("float8") ? new Uint8Array(256).map((_, i) => i) : bytes(patterns);
        assert.equal(sha(convert(all, name as DType, "float32")), hash);
        const askew = new Uint8Array(all.length + 1).subarray(1);
        askew.set(all);
        assert.equal(sha(convert(askew, name as DType, "float32")), hash);
        // 256 values are too few for the WebAssembly core; repeated, they are enough.
        const often = new Uint8Array(all.length * 16).map((_, i) => all[i % all.length]);
        const once = new Uint8Array(
          convert(often, name as DType, "float32").buffer,
          15 * 4 * (all.length / (name.startsWith("float8") ? 1 : 2)),
        );
        assert.equal(sha(once), hash);
      });
    }

    for (const [name, hash] of Object.entries(tables.narrow)) {
      it(`cast edges, ties, NaN and random bits of float32 to ${name}`, () => {
        useTwins(only);
        assert.equal(sha(floats), tables.inputs.floats);
        assert.equal(sha(convert(bytes(floats), "float32", name as DType)), hash);
      });
    }

    for (const [name, hash] of Object.entries(tables.double)) {
      it(`cast float64 to ${name}, rounded as numpy rounds`, () => {
        useTwins(only);
        assert.equal(sha(convert(bytes(known), "float64", name as DType)), hash);
      });
    }

    for (const [name, hash] of Object.entries(tables.long)) {
      it(`cast int64 to ${name}, rounded once`, () => {
        useTwins(only);
        assert.equal(sha(longs), tables.inputs.longs);
        const [from, to] = name.includes(" ") ? name.split(" to ") : ["int64", name];
        assert.equal(sha(convert(bytes(longs), from as DType, to as DType)), hash);
      });
    }

    for (const [size, hash] of Object.entries(tables.fortran)) {
      it(`reorder a column-major array of ${size}-byte elements to row-major`, () => {
        useTwins(only);
        const all = bytes(random).subarray(0, 7 * 33 * 5 * Number(size));
        assert.equal(sha(rowMajor(all, { shape: [7, 33, 5], itemsize: Number(size), axes: null })), hash);
        const askew = new Uint8Array(all.length + 1).subarray(1);
        askew.set(all);
        assert.equal(sha(rowMajor(askew, { shape: [7, 1, 33, 5], itemsize: Number(size), axes: null })), hash);
      });
    }
  });
}
