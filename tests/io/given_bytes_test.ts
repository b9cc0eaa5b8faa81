import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as pickle from "../../src/pickle.ts";
import * as safetensors from "../../src/safetensors.ts";
import { tarOf } from "../helpers/tar_of.ts";

// deno-lint-ignore no-explicit-any
type Verb = (given: any) => unknown;

const array = paddle.fromArray(Array.from({ length: 1500 }, (_, i) => i));
const state = paddle.encode(new Map<string, unknown>([["é", "ü".repeat(99)], ["w", array]]));
const tensors = safetensors.encode(new Map([["w", array]]));
const program = new Uint8Array(readFileSync("tests/fixtures/programs/plain-3.3.1.pdmodel"));
const VERBS: [name: string, file: Uint8Array, verb: Verb][] = [
  ["decode", state, (given) => paddle.decode(given)],
  ["load", state, (given) => paddle.load(given)],
  ["open", state, async (given) => (await paddle.open(given)).close()],
  ["detect", state, (given) => paddle.detect(given)],
  ["audit", state, (given) => paddle.audit(given)],
  ["deserializeProgram", program, (given) => paddle.static.deserializeProgram(given)],
  ["decode of pickles", state, (given) => pickle.decode(given)],
  ["decode of safetensors", tensors, (given) => safetensors.decode(given)],
  ["load of safetensors", tensors, (given) => safetensors.load(given)],
  ["decode of .npy", npy.encode(array), (given) => npy.decode(given)],
  ["load of .npy", npy.encode(array), (given) => npy.load(given)],
  ["decode of .npz", await npy.encodeNpz(new Map([["w", array]])), (given) => npy.decodeNpz(given)],
];

function shared(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
}

function resizable(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new ArrayBuffer(bytes.length, { maxByteLength: 2 * bytes.length }));
  view.set(bytes);
  return view;
}

function detached(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  structuredClone(copy, { transfer: [copy.buffer] });
  return copy;
}

const MEMORY: Record<string, (bytes: Uint8Array) => unknown> = {
  "an ArrayBuffer": (bytes) => bytes.slice().buffer,
  "a DataView": (bytes) => new DataView(bytes.slice().buffer),
  "a Buffer": (bytes) => Buffer.from(bytes),
  "an odd address": (bytes) => Uint8Array.of(0, 0, 0, ...bytes).subarray(3),
  "shared memory": shared,
  "a SharedArrayBuffer": (bytes) => shared(bytes).buffer,
  "a resizable buffer": resizable,
};

describe("bytes in memory", () => {
  for (const [name, file, verb] of VERBS) {
    it(`are read by ${name} from every kind of memory`, async () => {
      for (const [kind, make] of Object.entries(MEMORY)) {
        await assert.doesNotReject(async () => await verb(make(file)), kind);
      }
    });

    it(`are refused by ${name} with a clear TypeError when they are detached or not bytes at all`, async () => {
      await assert.rejects(async () => await verb(detached(file)), {
        name: "TypeError",
        message: /The bytes are gone/,
      });
      for (const wrong of [null, 7, [1, 2], {}]) {
        await assert.rejects(
          async () => await verb(wrong),
          { name: "TypeError", message: /^(Expected bytes|Cannot read from)/ },
          JSON.stringify(wrong),
        );
      }
    });
  }
});

describe("a file in a folder in memory, or in an archive in memory", () => {
  const files: [name: string, bytes: Uint8Array, load: (name: string, folder: paddle.Folder) => Promise<unknown>][] = [
    ["m.pdparams", state, (name, folder) => paddle.load(name, { folder })],
    ["m.safetensors", tensors, (name, folder) => safetensors.load(name, { folder })],
    ["m.npy", npy.encode(array), (name, folder) => npy.load(name, { folder })],
    ["small.pdparams", paddle.encode(new Map([["w", paddle.full([10], 1)]])), async (name, folder) => {
      await using checkpoint = await paddle.open(name, { folder });
      return await checkpoint.value();
    }],
  ];
  const tar = tarOf(...files.map(([name, data]) => ({ name, data })));

  it("does not change with the arrays that were loaded from it", async () => {
    for (
      const folder of [
        new paddle.MemoryFolder(files.map(([name, bytes]) => [name, bytes])),
        await paddle.openArchive(tar),
      ]
    ) {
      for (const [name, bytes, load] of files) {
        const before = bytes.slice(), value = await load(name, folder);
        (value instanceof Map ? value.get("w") : value as paddle.NDArray).fill(9);
        assert.deepEqual(await paddle.static.loadFromFile(name, { folder }), before, name);
      }
    }
  });
});

describe("an array whose buffer was transferred or resized", () => {
  const OPERATIONS: Record<string, (a: paddle.NDArray) => unknown> = {
    at: (a) => a.at(0),
    set: (a) => a.set(1, 0),
    fill: (a) => a.fill(1),
    astype: (a) => a.astype("int8"),
    slice: (a) => a.slice(0, 1),
    clone: (a) => a.clone(),
    equals: (a) => a.equals(paddle.zeros([2])),
    toArray: (a) => a.toArray(),
    toFloat32Array: (a) => a.toFloat32Array(),
    encode: (a) => paddle.encode(a),
    "encode of .npy": (a) => npy.encode(a),
    "encode of safetensors": (a) => safetensors.encode(new Map([["w", a]])),
  };
  for (const [name, run] of Object.entries(OPERATIONS)) {
    it(`is refused by ${name}, whether it was accessed before or not`, () => {
      for (const isLookedAt of [false, true]) {
        const bytes = resizable(new Uint8Array(8));
        const array = new paddle.NDArray("float32", [2], bytes);
        if (isLookedAt) array.at(0);
        (bytes.buffer as ArrayBuffer).resize(4);
        assert.throws(() => run(array), { code: "INVALID_VALUE", message: /detached or resized/ });
        const copy = new Uint8Array(8);
        const other = new paddle.NDArray("float32", [2], copy);
        if (isLookedAt) other.at(0);
        structuredClone(copy, { transfer: [copy.buffer] });
        assert.throws(() => run(other), { code: "INVALID_VALUE", message: /detached or resized/ });
      }
    });
  }

  it("cannot be created from something that is not memory", () => {
    // deno-lint-ignore no-explicit-any
    for (const wrong of [null, 7, [1, 2], {}] as any[]) {
      assert.throws(() => new paddle.NDArray("float32", [2], wrong), TypeError);
    }
    assert.equal(new paddle.NDArray("float32", [2], new SharedArrayBuffer(8) as never).at(1), 0);
  });
});
