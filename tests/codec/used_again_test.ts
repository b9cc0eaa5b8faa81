import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { audit, isPaddleError, type Limits, load, type NDArray } from "../../mod.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { readPickle } from "../../src/codec/pickle/read_pickle.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";

const chars = (text: string) => [...new TextEncoder().encode(text)];
const u32 = (n: number) => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24];
const int = (n: number) => [0x4a, ...u32(n)];
const text = (text: string) => [0x58, ...u32(text.length), ...chars(text)];
const bytes = (length: number) => [0x42, ...u32(length), ...Array.from({ length }, (_, i) => i & 63)];
const symbol = (module: string, name: string) => [0x63, ...chars(`${module}\n${name}\n`)];
/** The opcodes, followed by those that move the value they leave on the stack to the memo. */
const kept = (opcodes: number[], index: number) => [...opcodes, 0x71, index, 0x30];
const get = (index: number) => [0x68, index];
const [MARK, LIST, DICT, APPENDS, SETITEMS, TUPLE, TUPLE1, TUPLE2, REDUCE, BUILD, NEWOBJ, NONE] = //
  [0x28, 0x5d, 0x7d, 0x65, 0x75, 0x74, 0x85, 0x86, 0x52, 0x62, 0x81, 0x4e];

function pickle(...parts: (number[] | { times: number; opcodes: number[] })[]): Uint8Array<ArrayBuffer> {
  const all = parts.map((part) =>
    Array.isArray(part)
      ? Uint8Array.from(part)
      : Uint8Array.from({ length: part.times * part.opcodes.length }, (_, i) => part.opcodes[i % part.opcodes.length])
  );
  const file = new Uint8Array(all.reduce((n, part) => n + part.length, 3));
  file.set([0x80, 3]);
  let at = 2;
  for (const part of all) {
    file.set(part, at);
    at += part.length;
  }
  file[at] = 0x2e;
  return file;
}

const dtype = (order: "<" | ">") => [
  ...[...symbol("numpy", "dtype"), ...text("f4"), 0x89, 0x88, 0x87, REDUCE],
  ...[MARK, 0x4b, 3, ...text(order), NONE, NONE, NONE, ...int(-1), ...int(-1), 0x4b, 0, TUPLE, BUILD],
];
const array = (order: "C" | "F") => [...get(0), MARK, ...get(1), ...get(2), ...get(3), ...text(order), TUPLE, REDUCE];
/** Puts what {@linkcode array} needs into the memo, 16 KiB of data among it. */
const arrayParts = (order: "<" | ">") => [
  ...kept(symbol("numpy.core.numeric", "_frombuffer"), 0),
  ...kept(bytes(16_384), 1),
  ...kept(dtype(order), 2),
  ...kept([...int(2048), ...int(2), TUPLE2], 3),
];
const names = Array.from({ length: 300 }, (_, i) => [...text(`name${i}`), NONE]).flat();
const TIMES = 300;
const many = (opcodes: number[]) => ({ times: TIMES, opcodes });

/** Files of some ten thousand bytes whose values need hundreds of times as much memory. */
const FILES: [string, Uint8Array<ArrayBuffer>][] = [
  ["bytes for many arrays", pickle(arrayParts("<"), [LIST, MARK], many(array("C")), [APPENDS])],
  ["big-endian bytes for many arrays", pickle(arrayParts(">"), [LIST, MARK], many(array("C")), [APPENDS])],
  ["bytes for many arrays in Fortran order", pickle(arrayParts("<"), [LIST, MARK], many(array("F")), [APPENDS])],
  [
    "an array for many named tensors",
    pickle(arrayParts("<"), kept(array("C"), 4), [LIST, MARK], many([...text("name"), ...get(4), TUPLE2]), [APPENDS]),
  ],
  [
    "bytes for many bytearrays",
    pickle(
      [...kept(symbol("builtins", "bytearray"), 0), ...kept(bytes(4000), 1), LIST, MARK],
      many([...get(0), ...get(1), TUPLE1, REDUCE]),
      [APPENDS],
    ),
  ],
  [
    "a string for many bytes objects",
    pickle(
      [...kept(symbol("_codecs", "encode"), 0), ...kept(text("x".repeat(4000)), 1), ...kept(text("latin1"), 2)],
      [LIST, MARK],
      many([...get(0), ...get(1), ...get(2), TUPLE2, REDUCE]),
      [APPENDS],
    ),
  ],
  [
    "a dict for the state of many generators",
    pickle(
      kept(symbol("paddle.base.libpaddle", "GeneratorState"), 0),
      kept([DICT, MARK, ...names, SETITEMS], 1),
      [LIST, MARK],
      many([...get(0), 0x29, NEWOBJ, ...get(1), BUILD]),
      [APPENDS],
    ),
  ],
  [
    "a tuple of a long string for many keys",
    pickle(
      [...kept(text("x".repeat(4000)), 0), ...kept([...get(0), ...get(0), TUPLE2], 1), DICT, MARK],
      many([...get(1), NONE]),
      [SETITEMS],
    ),
  ],
];

/** Less than 300 copies need. */
const limits: Partial<Limits> = { maxStructureBytes: 2 ** 20 };

describe("part of a pickle that is used many times", () => {
  for (const [what, file] of FILES) {
    it(`is charged for every copy: ${what}`, async () => {
      await load(file);
      await assert.rejects(load(file, { limits }), { code: "LIMIT", limit: "maxStructureBytes" });
    });
  }

  it("is charged for every copy: an array for many slices of a big parameter", async () => {
    const keys = Array.from({ length: TIMES }, (_, i) => `a@@.${i}`);
    const file = pickle(
      [...arrayParts("<"), ...kept(array("C"), 4), DICT, MARK, ...keys.flatMap((key) => [...text(key), ...get(4)])],
      [...text("UnpackBigParamInfor@@"), DICT, ...text("a"), DICT, MARK],
      [...text("OriginShape"), ...int(TIMES * 4096), TUPLE1],
      [...text("slices"), LIST, MARK, ...keys.flatMap(text), APPENDS, SETITEMS, 0x73, SETITEMS],
    );
    const whole = (await load(file) as Map<string, NDArray>).get("a")!;
    assert.deepEqual(whole.shape, [TIMES * 4096]);
    await assert.rejects(load(file, { limits }), { code: "LIMIT", limit: "maxStructureBytes" });
  });

  it("gives both arrays the same elements if it is big-endian bytes, whoever owns the file's bytes", async () => {
    const file = pickle(arrayParts(">"), [LIST, MARK], { times: 2, opcodes: array("C") }, [APPENDS]);
    for (const from of [file, new Blob([file])]) {
      const [one, other] = await load(from) as NDArray[];
      // The second float: its bytes are 4, 5, 6, 7.
      assert.equal(one.at(0, 1), new DataView(Uint8Array.of(4, 5, 6, 7).buffer).getFloat32(0));
      assert.deepEqual(other.toArray(), one.toArray());
      one.set(1, 0, 0);
      assert.equal(other.at(0, 0), new DataView(Uint8Array.of(0, 1, 2, 3).buffer).getFloat32(0));
    }
  });

  it("stays as it is if it is bytes that are also an array's, whatever happens to the array", async () => {
    for (const order of ["<", ">"] as const) {
      const file = pickle(arrayParts(order), [LIST, MARK, ...get(1)], array("C"), [...get(1), TUPLE1, APPENDS]);
      const first = new DataView(Uint8Array.of(4, 5, 6, 7).buffer).getFloat32(0, order === "<");
      for (const from of [file, new Blob([file])]) {
        const [one, values, [other]] = await load(from) as [Uint8Array, NDArray, [Uint8Array]];
        assert.equal(values.at(0, 1), first);
        values.fill(-1);
        for (const bytes of [one, other]) assert.deepEqual([...bytes.subarray(0, 8)], [0, 1, 2, 3, 4, 5, 6, 7], order);
      }
    }
  });

  it("gives the array and the tensors made from it the same elements if it is a big-endian array", async () => {
    const file = pickle(arrayParts(">"), kept(array("C"), 4), [LIST, MARK, ...get(4)], {
      times: 2,
      opcodes: [...text("name"), ...get(4), TUPLE2],
    }, [APPENDS]);
    for (const from of [file, new Blob([file])]) {
      const [one, ...others] = await load(from) as NDArray[];
      assert.equal(one.at(0, 1), new DataView(Uint8Array.of(4, 5, 6, 7).buffer).getFloat32(0));
      for (const other of others) assert.deepEqual(other.toArray(), one.toArray());
    }
  });

  it("is searched for symbols only once if it is a long tuple", async () => {
    const count = 50_000;
    const file = pickle(
      [MARK, ...Array(count).fill(NONE), TUPLE, 0x71, 0],
      { times: count, opcodes: [...get(0), 0x30] },
    );
    await takesLittle("it", () => timeOf(() => driveBytes((cursor) => readPickle(cursor), file)), 2000);
  });

  it("is measured only once if it is a long key", async () => {
    const file = pickle(
      kept(text("x".repeat(60_000)), 0),
      [DICT, MARK],
      { times: 100_000, opcodes: [...get(0), NONE] },
      [SETITEMS],
    );
    await takesLittle("it", () => timeOf(() => driveBytes((cursor) => readPickle(cursor), file)), 2000);
  });

  it("is a LIMIT if a tuple of it, as a key, would be longer than a string can be", () => {
    const file = pickle(
      kept(text("x".repeat(2 ** 22)), 0),
      [DICT, MARK, MARK],
      { times: 200, opcodes: get(0) },
      [TUPLE, NONE, SETITEMS],
    );
    assert.throws(
      () => driveBytes((cursor) => readPickle(cursor), file),
      (error) => isPaddleError(error) && error.code === "LIMIT",
    );
  });
});

describe("an audit", () => {
  it("lists a symbol of megabytes, however often it is named, by its first characters, until a limit is reached", async () => {
    const name = "x".repeat(2 ** 20), times = 2000;
    const file = pickle(kept(text(name), 0), [NONE], { times, opcodes: [...get(0), ...get(0), 0x93, 0x30] });
    const report = await audit(file);
    assert.equal(report.exitCode, 1);
    assert.equal(report.error?.code, "FORBIDDEN_SYMBOL");
    assert.equal(report.symbols.length, times);
    assert.ok(report.symbols.every(({ symbol, verdict }) => symbol.length < 500 && verdict === "refused"));
    await takesLittle("an audit", () => timeOf(() => audit(file)), 1000);
    const cut = await audit(file, { limits: { maxStructureBytes: 2.5 * 2 ** 20 } });
    assert.deepEqual([cut.exitCode, cut.error?.code], [1, "FORBIDDEN_SYMBOL"]);
    assert.ok(cut.symbols.length < times, `${cut.symbols.length} symbols`);
  });
});
