import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  decode,
  encode,
  Float,
  load,
  MemoryFolder,
  NDArray,
  open,
  save,
  static as paddleStatic,
  Tuple,
} from "../../mod.ts";
import { codeOf } from "../helpers/code_of.ts";

const { loadProgramState } = paddleStatic;
const MiB = 2 ** 20, SLICE = 5 * MiB;

/** A file of two slices and their marker, as Paddle splits a parameter that is too big for protocols 2 and 3. */
function sliced(
  protocol: number,
  more: [string, unknown][] = [],
  shape = [2, SLICE],
  dtype: "uint8" | "int32" = "uint8",
): Uint8Array<ArrayBuffer> {
  const slices = [0, 1].map((n) =>
    new NDArray(dtype, [shape[0] * shape[1] / 2], new Uint8Array(SLICE).map((_, i) => (i * 7 + n) & 255))
  );
  const marker = new Map([[
    "w",
    new Map<string, unknown>([["OriginShape", Tuple.of(...shape)], [
      "slices",
      ["w@@.0", "w@@.1"],
    ]]),
  ]]);
  return encode(
    new Map<string, unknown>([
      ["w@@.0", slices[0]],
      ["w@@.1", slices[1]],
      ...more,
      ["UnpackBigParamInfor@@", marker],
      ["StructuredToParameterName@@", new Map([["w", "linear_0.w_0"]])],
    ]),
    { protocol, mode: "static" },
  );
}

/** A source that records the sizes of the buffers it filled, and how many bytes it returned. */
function watched(
  file: Uint8Array,
): {
  size: number;
  buffers: Set<ArrayBufferLike>;
  read: (at: number, into: Uint8Array) => Promise<number>;
  room: () => number;
  given: number;
} {
  const source = {
    size: file.length,
    buffers: new Set<ArrayBufferLike>(),
    room: () => [...source.buffers].reduce((n, buffer) => n + buffer.byteLength, 0),
    given: 0,
    read(at: number, into: Uint8Array): Promise<number> {
      const part = file.subarray(at, at + into.length);
      into.set(part);
      source.buffers.add(into.buffer);
      source.given += part.length;
      return Promise.resolve(part.length);
    },
  };
  return source;
}

/** A file of slices with so many elements each, and a marker that gives this shape for the whole. */
function shaped(shape: readonly unknown[], sizes: readonly number[], isList = false): Uint8Array<ArrayBuffer> {
  const names = sizes.map((_, i) => `w@@.${i}`);
  const entry = new Map<string, unknown>([
    ["OriginShape", isList ? [...shape] : Tuple.from(shape)],
    ["slices", isList ? Tuple.from(names) : names],
  ]);
  return encode(
    new Map<string, unknown>([
      ...sizes.map((size, i): [string, unknown] => [names[i], new NDArray("uint8", [size])]),
      ["UnpackBigParamInfor@@", new Map([["w", entry]])],
    ]),
    { mode: "static" },
  );
}

describe("the shape of a parameter in slices", () => {
  it("may be a list, and the slices a tuple, as for Paddle, to which they are all sequences", () => {
    const state = decode(shaped([2, 3], [4, 2], true)) as Map<string, NDArray>;
    assert.deepEqual([...state].map(([key, array]) => [key, array.shape]), [["w", [2, 3]]]);
    assert.throws(() => decode(shaped([new Float(6)], [4, 2], true)), { code: "BAD_SHAPE" });
  });

  for (
    const [shape, sizes] of [[[4], [4]], [[2, 3], [4, 2]], [[0], [0]], [[0, 7], [0, 0]], [[], [1]], [[1, 1], [0, 1]]]
  ) {
    it(`is what the marker says: [${shape}] of slices of ${sizes}`, () => {
      const whole = (decode(shaped(shape, sizes)) as Map<string, NDArray>).get("w")!;
      assert.deepEqual(whole.shape, shape);
    });
  }

  for (
    const [shape, code] of [
      [[-1], "BAD_SHAPE"],
      [[-2, -2], "BAD_SHAPE"],
      [[0, -1], "BAD_SHAPE"],
      [[new Float(4)], "BAD_SHAPE"],
      [[0.5, 8], "BAD_SHAPE"],
      [["4"], "BAD_SHAPE"],
      [[true, 4], "BAD_SHAPE"],
      [[null], "BAD_SHAPE"],
      [[2n ** 64n], "BAD_SHAPE"],
      [[5], "SIZE_MISMATCH"],
      [[3], "SIZE_MISMATCH"],
      [[0], "SIZE_MISMATCH"],
      [[2 ** 32, 2 ** 32], "SIZE_MISMATCH"],
    ] as [unknown[], string][]
  ) {
    it(`is refused as ${code} when the slices have four elements and the marker says [${shape}]`, () => {
      assert.throws(() => decode(shaped(shape, [4])), { code, at: '["UnpackBigParamInfor@@"]' });
    });
  }
});

describe("a parameter in slices", () => {
  for (const protocol of [2, 3, 4]) {
    it(`gives some rows without holding the others, and keeps nothing: protocol ${protocol}`, async () => {
      const file = sliced(protocol, [], [2 * SLICE / 1024, 256], "int32"), source = watched(file);
      const wanted = (decode(file) as Map<string, NDArray>).get("w")!;
      await using checkpoint = await open(source);
      source.buffers.clear();
      source.given = 0;
      // The last row of the first slice and the first row of the second.
      const rows = await checkpoint.getSlice("w", [SLICE / 1024 - 1, SLICE / 1024 + 1]);
      assert.ok(rows.equals(wanted.slice(SLICE / 1024 - 1, SLICE / 1024 + 1)));
      assert.ok(source.room() < 3 * MiB, `${source.room()} bytes of buffers`);
      if (protocol > 2) assert.equal(source.given, 2048);
      assert.ok((await checkpoint.get("w")).equals(wanted));
      source.given = 0;
      await checkpoint.get("w");
      assert.ok(source.given >= 2 * SLICE, "the whole array was kept");
    });
  }

  for (const protocol of [2, 3, 4]) {
    it(`is read once, without holding a slice beside the whole: protocol ${protocol}`, async () => {
      const file = sliced(protocol), source = watched(file);
      const state = await load(source) as Map<string, NDArray>;
      assert.deepEqual([...state.keys()], ["w"]);
      const wanted = (decode(file) as Map<string, NDArray>).get("w")!;
      assert.ok(state.get("w")!.equals(wanted));
      assert.deepEqual(state.get("w")!.shape, [2, SLICE]);
      assert.ok(source.room() < 2 * SLICE + 4 * MiB, `${source.room()} bytes of buffers`);
      assert.ok(source.given < file.length + MiB, `${source.given} bytes read of ${file.length}`);
    });
  }

  it("is read on access if its file can be read synchronously, as other arrays are", async () => {
    const file = sliced(4);
    const readSync = (at: number, into: Uint8Array): number => {
      const part = file.subarray(at, at + into.length);
      into.set(part);
      return part.length;
    };
    await using opened = await open({ ...watched(file), readSync });
    const array = (await opened.value() as Map<string, NDArray>).get("w")!;
    assert.equal(array.isLoaded, false);
    assert.deepEqual([array.at(0, 3), array.at(1, 3), array.at(1, SLICE - 1)], [21, 22, (SLICE - 1) * 7 + 1 & 255]);
  });

  it("is whole in loadProgramState, too", async () => {
    const folder = new MemoryFolder([["m.pdparams", shaped([2, 3], [4, 2])]]);
    const state = await loadProgramState("m", { folder });
    assert.deepEqual([...state].map(([name, { shape }]) => [name, shape]), [["w", [2, 3]]]);
  });

  it("is given slice by slice when its marker is missing", async () => {
    const file = encode(new Map<string, unknown>([["w@@.0", new NDArray("uint8", [MiB])], ["x", 1]]));
    const value = await load(watched(file)) as Map<string, NDArray>;
    assert.equal(value.get("w@@.0")!.bytes.length, MiB);
  });

  it("is read correctly when its bytes are also a value of their own", async () => {
    // The array's bytes are in the memo; they occur once more as a value.
    const bytes = encode(new Map<string, unknown>([["w@@.0", new NDArray("uint8", [MiB])], ["x", 1]]));
    const at = bytes.length - bytes.slice().reverse().findIndex((_, i) => bytes[bytes.length - 1 - i] === 0x4b) - 1;
    const data = bytes.findIndex((_, i) => bytes[i] === 0x42 && bytes[i + 5] === 0 && bytes[i + 3] === 0x10);
    const memo = bytes.subarray(0, data);
    assert.ok(memo.length > 0 && at > data);
    // BINGET of the bytes in place of BININT1 1: both have a one-byte argument.
    const indices = [...bytes.keys()].filter((i) => i < data && bytes[i] === 0x94);
    bytes[at] = 0x68;
    bytes[at + 1] = indices.length;
    const [eager, later] = [decode(bytes), await load(watched(bytes))] as Map<string, unknown>[];
    assert.ok(eager.get("x") instanceof Uint8Array);
    assert.deepEqual(later.get("x"), eager.get("x"));
  });
});

describe("an array whose text at protocol 2 is too long", () => {
  it("is refused by load, and by a save of the opened file", async () => {
    const good = encode(new Map<string, unknown>([["w", new NDArray("int8", [MiB])], ["x", 1]]), { protocol: 2 });
    const text = good.findIndex((byte, i) => byte === 0x58 && good[i + 3] === 0x10 && good[i + 4] === 0);
    const bad = new Uint8Array(good.length + 9);
    bad.set(good.subarray(0, text + 5));
    bad[text + 1] = 9;
    bad.set(good.subarray(text + 5), text + 14);
    assert.equal(await codeOf(load(new Blob([bad]))), "SIZE_MISMATCH");
    await using checkpoint = await open(new Blob([bad]));

    assert.equal(await codeOf(save(checkpoint, "copy", { folder: new MemoryFolder() })), "SIZE_MISMATCH");
  });
});
