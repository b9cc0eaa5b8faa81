import { afterAll, describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { coreFor, init, useTwins } from "../../src/kernel/core.ts";
import * as kernel from "../../src/kernel.ts";
import { CORE_WASM } from "../../wasm/core.wasm.ts";

const WINDOW = 0x10000;
const LENGTHS = [
  0,
  1,
  7,
  15,
  16,
  17,
  31,
  1023,
  1024,
  1025,
  1039,
  WINDOW - 1,
  WINDOW,
  WINDOW + 1,
  2 * WINDOW + 13,
  300001,
];

/** Pseudorandom bytes; `ascii` in 256 of them are below 0x80. */
function bytesOf(length: number, seed: number, ascii = 128): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  let x = seed * 2654435761 | 1;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    out[i] = (x >>> 8 & 0xff) < ascii ? x & 0x7f : x | 0x80;
  }
  return out;
}

function askew(bytes: Uint8Array, by: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length + by);
  out.set(bytes, by);
  return out.subarray(by);
}

/** Check that `run` gives the same result in the core and in TypeScript. */
function same<T>(run: () => T, what: string): T {
  useTwins(false);
  const core = run();
  useTwins(true);
  assert.deepEqual(core, run(), what);
  useTwins(false);
  return core;
}

describe("the WebAssembly core and its TypeScript twin", () => {
  afterAll(() => useTwins(false));

  it("use the core from 1024 bytes on, so that the comparison means something", () => {
    useTwins(false);
    assert.notEqual(coreFor(1024), null);
    assert.equal(coreFor(1023), null);
  });

  it("have in the module the bytes of core.wasm", () => {
    assert.equal(CORE_WASM, readFileSync("wasm/core.wasm").toString("hex"));
  });

  it("can be initialized with a module that the host compiled", () => {
    init(new WebAssembly.Module(Buffer.from(CORE_WASM, "hex")));
    const bytes = bytesOf(5000, 3);
    const text = new Uint8Array(kernel.utf8Length(bytes));
    assert.equal(kernel.utf8FromLatin1(bytes, text), text.length);
    assert.deepEqual(Buffer.from(text), Buffer.from(Buffer.from(bytes).toString("latin1"), "utf8"));
  });

  it("refuse any other module with a TypeError that says which is expected, and keep the one they have", () => {
    const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const other = new WebAssembly.Module(readFileSync("wasm/update.wasm"));
    for (const wrong of [empty, other, {}, undefined, readFileSync("wasm/core.wasm")]) {
      assert.throws(() => init(wrong as WebAssembly.Module), { name: "TypeError", message: /core\.wasm/ });
    }
    assert.equal(kernel.latin1Length(bytesOf(2000, 1, 256)), 2000);
  });

  it("encode bytes as text and decode them at every length and offset", () => {
    for (const length of LENGTHS) {
      for (const ascii of [0, 128, 250, 256]) {
        const bytes = askew(bytesOf(length, length + ascii, ascii), length % 5);
        const text = same(() => {
          const into = askew(new Uint8Array(kernel.utf8Length(bytes)), length % 3);
          assert.equal(kernel.utf8FromLatin1(bytes, into), into.length);
          return Uint8Array.from(into);
        }, `text of ${length}`);
        const back = same(() => {
          assert.equal(kernel.latin1Length(text), length);
          const into = new Uint8Array(length);
          assert.equal(kernel.latin1FromUtf8(askew(text, length % 7), into), length);
          return into;
        }, `bytes of ${length}`);
        assert.ok(Buffer.from(back).equals(bytes));
      }
    }
  });

  it("report the first invalid byte of a text, wherever it is", () => {
    const bytes = bytesOf(WINDOW, 9);
    const text = new Uint8Array(kernel.utf8Length(bytes));
    kernel.utf8FromLatin1(bytes, text);
    const into = new Uint8Array(text.length);
    for (
      const at of [
        0,
        1,
        15,
        16,
        17,
        40,
        1000,
        WINDOW - 2,
        WINDOW - 1,
        WINDOW,
        WINDOW + 1,
        text.length - 2,
        text.length - 1,
      ]
    ) {
      for (const wrong of [0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xe0, 0xff, 0x41]) {
        const bad = text.slice();
        bad[at] = wrong;
        same(() => kernel.latin1FromUtf8(bad, into), `byte ${at} is ${wrong}`);
        same(() => kernel.latin1FromUtf8(bad.subarray(0, at + 1), into), `byte ${at} is ${wrong} and the last`);
      }
    }
    const ascii = new Uint8Array(3000).fill(0x61);
    ascii[2000] = 0xe2;
    assert.equal(same(() => kernel.latin1FromUtf8(ascii, into), "ascii"), -2001);
    assert.equal(same(() => kernel.latin1FromUtf8(ascii.subarray(0, 2001), into), "cut"), -2001);
  });

  it("write nothing beyond the given buffer", () => {
    const bytes = bytesOf(3000, 4);
    const text = new Uint8Array(kernel.utf8Length(bytes));
    kernel.utf8FromLatin1(bytes, text);
    same(() => {
      const room = new Uint8Array(4000).fill(7);
      assert.equal(kernel.latin1FromUtf8(text, room.subarray(10, 110)), 3000);
      assert.deepEqual(room.subarray(10, 110), bytes.subarray(0, 100));
      assert.ok(room.subarray(0, 10).every((b) => b === 7) && room.subarray(110).every((b) => b === 7));
      return room;
    }, "room");
  });

  it("swap byte order in place, and leave an incomplete last element", () => {
    for (const length of LENGTHS) {
      for (const size of [1, 2, 4, 8]) {
        const bytes = bytesOf(length, length);
        const turned = same(() => {
          const copy = askew(bytes, 3);
          kernel.swapBytes(copy, size);
          return Uint8Array.from(copy);
        }, `${size} bytes, ${length} long`);
        const whole = length - length % size;
        assert.ok(Buffer.from(turned.subarray(whole)).equals(bytes.subarray(whole)));
        if (whole > 0) assert.deepEqual(turned.slice(0, size).reverse(), bytes.slice(0, size));
      }
    }
  });

  for (const format of ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"] as const) {
    it(`convert ${format} both ways at every length and offset`, () => {
      const size = format.startsWith("float8") ? 1 : 2;
      for (const count of LENGTHS) {
        const narrow = askew(bytesOf(count * size, count), count % 3);
        const wide = same(() => {
          const into = askew(new Uint8Array(count * 4), count % 2);
          kernel.float32FromNarrow(format, narrow, into);
          return Uint8Array.from(into);
        }, `${count} to float32`);
        const bits = count % 2 ? wide : bytesOf(count * 4, count + 1);
        same(() => {
          const into = askew(new Uint8Array(count * size), count % 2);
          kernel.narrowFromFloat32(format, askew(bits, count % 4), into);
          return Uint8Array.from(into);
        }, `${count} to ${format}`);
      }
    });
  }

  it("give the same statistics and differences, to the last bit", () => {
    for (const length of LENGTHS) {
      const singles = new Float32Array(bytesOf(length * 4, length).buffer);
      const doubles = Float64Array.from({ length }, (_, i) => Math.sin(i * 1.7) * 10 ** (i % 30));
      const others = doubles.map((x, i) => i % 9 ? x : x + i * 1e-9);
      same(() => kernel.statisticsOf(singles), `${length} float32`);
      const found = same(() => kernel.statisticsOf(doubles), `${length} float64`);
      assert.equal(found.min, length ? doubles.reduce((a, b) => Math.min(a, b)) : NaN);
      assert.equal(found.max, length ? doubles.reduce((a, b) => Math.max(a, b)) : NaN);
      const far = same(() => kernel.maxDifferenceOf(doubles, others), `${length} differences`);
      assert.equal(far, doubles.reduce((most, x, i) => Math.max(most, Math.abs(x - others[i])), 0));
    }
    const odd = new Float64Array(2001);
    odd.set([NaN, Infinity, -Infinity, 5, NaN], 1000);
    assert.deepEqual(same(() => kernel.statisticsOf(odd), "odd"), {
      min: -Infinity,
      max: Infinity,
      mean: NaN,
      nanCount: 2,
      infCount: 2,
    });
    assert.equal(same(() => kernel.maxDifferenceOf(odd, odd), "itself"), 0);
    assert.equal(same(() => kernel.maxDifferenceOf(odd, new Float64Array(2001)), "NaN"), NaN);
  });

  it("refuse more than their window holds, and are as before after that", () => {
    useTwins(false);
    const core = coreFor(WINDOW)!, { call, input, output } = core;
    const bytes = input.length, size = input.buffer.byteLength;
    const most: { [Name in keyof typeof call]?: number } = {
      latin1FromUtf8: bytes,
      utf8FromLatin1: bytes,
      countBelow: bytes,
      swap2: bytes,
      swap4: bytes,
      swap8: bytes,
      float32FromFloat16: bytes / 2,
      float32FromBfloat16: bytes / 2,
      float32FromTable: output.length / 4,
      float16FromFloat32: bytes / 4,
      bfloat16FromFloat32: bytes / 4,
      e4m3FromFloat32: bytes / 4,
      e5m2FromFloat32: bytes / 4,
      statistics32: bytes / 4,
      statistics64: bytes / 8,
      difference64: bytes / 8,
    };
    const names = Object.keys(call).filter((name) => !/Address$/.test(name) && name !== "memory");
    assert.deepEqual(names.sort(), Object.keys(most).sort());
    for (const [name, count] of Object.entries(most)) {
      const run = call[name as keyof typeof call] as (n: number, limit: number) => unknown;
      run(count, 0);
      // 2^30 + 1 numbers of four bytes are four bytes, in 32 bits.
      for (const n of [count + 1, 2 ** 29 + 1, 2 ** 30 + 1, 2 ** 31, 2 ** 32 - 1]) {
        assert.throws(() => run(n, 0), WebAssembly.RuntimeError, `${name}(${n})`);
      }
    }
    assert.equal(input.buffer.byteLength, size);
    const text = bytesOf(WINDOW, 5);
    assert.equal(kernel.utf8Length(text), text.length + text.filter((byte) => byte > 127).length);
  });
});
