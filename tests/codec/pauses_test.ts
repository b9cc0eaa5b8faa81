import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { Cursor } from "../../src/codec/cursor.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { readPickle } from "../../src/codec/pickle/read_pickle.ts";
import type { Decoder } from "../../src/codec/cursor.ts";
import { readFile } from "../../src/codec/read_file.ts";
import { sizeOfPickleInSteps } from "../../src/codec/pickle/write/write_pickle.ts";
import { planSafetensors } from "../../src/codec/safetensors/write_safetensors.ts";
import { draftEncoding } from "../../src/encode.ts";
import { fromFileInSteps } from "../../src/model/from_file.ts";
import { fromPickleInSteps } from "../../src/model/from_pickle.ts";
import { namedArraysInSteps } from "../../src/model/named_arrays.ts";
import { replaceLeavesInSteps, someInSteps } from "../../src/model/walk.ts";
import { NDArray } from "../../src/ndarray.ts";
import { sortInSteps } from "../../src/words/steps.ts";
import { Tensor } from "../../src/tensor.ts";

/** Maximum number of members that are processed without a pause. */
const MOST = 20_000;
const COUNT = 200_000;
/** Enough members for three pauses. */
const MANY = 61_000;

/** A list of tuples with one None each. */
const bytes = Uint8Array.from([
  ...[0x80, 2, 0x5d, 0x28],
  ...Array.from({ length: COUNT }, () => [0x4e, 0x85]).flat(),
  ...[0x65, 0x2e],
]);

function stepsOf(steps: Generator<unknown, unknown>): number {
  let count = 1;
  while (!steps.next().done) count++;
  return count;
}

function pausesOf(bytes: Uint8Array, make: (cursor: Cursor) => Decoder<unknown> = readPickle): number {
  const cursor = new Cursor();
  cursor.total = bytes.length;
  cursor.window(bytes, 0, bytes.length, 0);
  cursor.ended = true;
  let pauses = 0;
  const decoder = make(cursor);
  for (let step = decoder.next(); !step.done; step = decoder.next()) if (step.value.kind === "pause") pauses++;
  return pauses;
}

describe("a pickle of many containers", () => {
  it("is checked with pauses that give others a turn", () => {
    const pauses = pausesOf(bytes);
    assert.ok(pauses >= Math.floor(COUNT / MOST), `${pauses} pauses`);
  });

  for (const [opcode, empty, item] of [["APPENDS", 0x5d, "N"], ["SETITEMS", 0x7d, "key"], ["ADDITEMS", 0x8f, "key"]]) {
    it(`is filled with pauses by a single ${opcode}`, () => {
      const number = (i: number) => [0x4a, i & 255, (i >> 8) & 255, (i >> 16) & 255, 0];
      const items = Array.from({ length: COUNT }, (_, i) => item === "N" ? [0x4e] : number(i)).flat();
      const last = { APPENDS: 0x65, SETITEMS: 0x75, ADDITEMS: 0x90 }[opcode]!;
      assert.ok(pausesOf(Uint8Array.from([0x80, 4, empty as number, 0x28, ...items, last, 0x2e])) >= COUNT / 40_000);
    });
  }

  it("is turned into a value, and into arrays by name, in steps", () => {
    const pickle = driveBytes((cursor) => readPickle(cursor), bytes);
    assert.ok(stepsOf(fromPickleInSteps(pickle, { borrowed: true })) >= Math.floor(COUNT / MOST));
    assert.ok(stepsOf(namedArraysInSteps(pickle.root)) >= Math.floor(COUNT / MOST));
  });
});

describe("a set, list or tuple of many members that protocol 2 builds from a list", () => {
  const number = (i: number) => [0x4a, i & 255, (i >> 8) & 255, (i >> 16) & 255, 0];
  const text = (text: string) => [...new TextEncoder().encode(text)];
  for (const name of ["set", "frozenset", "list", "tuple"]) {
    it(`is filled with pauses: ${name}`, () => {
      const items = Array.from({ length: MANY }, (_, i) => number(i)).flat();
      const called = [0x80, 2, 0x63, ...text(`__builtin__\n${name}\n`), 0x5d, 0x28, ...items, 0x65, 0x85, 0x52, 0x2e];
      // Filling and checking the list take that many each.
      assert.ok(pausesOf(Uint8Array.from(called)) >= 2 * Math.floor(MANY / MOST));
    });
  }
});

describe("saving a value of many members", () => {
  const least = Math.floor(MANY / MOST);
  const numbers = Array.from({ length: MANY }, (_, i) => i);
  const values: [string, unknown][] = [
    ["a list of numbers", new Map([["l", numbers]])],
    ["a dict", new Map(numbers.map((i) => [`k${i}`, i]))],
    ["a dict with numeric keys", new Map(numbers.map((i) => [i, i]))],
    ["an object literal", Object.fromEntries(numbers.map((i) => [`k${i}`, i]))],
    ["a set", new Set(numbers)],
    ["lists", numbers.map((i) => [i])],
    ["tensors", new Map(numbers.map((i) => [`k${i}`, new Tensor("float32", [0], undefined, { name: "" })]))],
  ];
  for (const [what, value] of values) {
    it(`checks, prepares and measures it in steps: ${what}`, () => {
      const draft = draftEncoding(value as never, {});
      let checked = 1, step = draft.next();
      for (; !step.done; step = draft.next()) checked++;
      assert.ok(checked >= least, `${checked} steps to check`);
      const counted = stepsOf(sizeOfPickleInSteps(step.value.pickled, { protocol: 4 }));
      assert.ok(counted >= least, `${counted} steps to count`);
      const walked = stepsOf(someInSteps(value, () => false, () => true));
      // Values read from a file, which are walked, have no plain objects.
      if (what !== "an object literal") assert.ok(walked >= least, `${walked} steps to walk`);
    });
  }

  it("replaces its leaves in steps", () => {
    for (
      const value of [numbers.map(() => ({})), new Map(numbers.map((i) => [i, {}])), new Set(numbers.map(() => ({})))]
    ) {
      assert.ok(stepsOf(replaceLeavesInSteps(value, (item) => item)) >= least);
    }
  });

  it("takes the members of an object literal in steps, also of one with a layer and for safetensors", () => {
    const tensor = new Tensor("float32", [0], undefined, { name: "" });
    const layer = { stateDict: () => new Map() };
    const literal = (member: unknown) => Object.fromEntries(numbers.map((i) => [`k${i}`, member]));
    const cases: [Record<string, unknown>, Parameters<typeof draftEncoding>[1]][] = [
      [literal(1), {}],
      [{ ...literal(1), layer }, {}],
      [literal(tensor), { safetensors: true }],
    ];
    for (const [object, options] of cases) {
      let taken = 0, most = 0;
      const watched = new Proxy(object, { get: (from, key: string) => (taken++, from[key]) });
      for (const draft = draftEncoding(watched as never, options); !draft.next().done; taken = 0) {
        most = Math.max(most, taken);
      }
      assert.ok(most > 0 && Math.max(most, taken) <= 2 * MOST, `${most} members`);
    }
  });

  it("plans a safetensors file in steps", () => {
    const arrays = new Map(numbers.map((i) => [`k${i}`, new NDArray("float32", [0])]));
    assert.ok(stepsOf(planSafetensors(arrays, new Map())) >= least);
  });
});

describe("a header or program of many parts", () => {
  const least = Math.floor(MANY / MOST);
  const utf8 = (parts: string[]) => new TextEncoder().encode(parts.join(""));
  const list = (item: (i: number) => string) => Array.from({ length: MANY }, (_, i) => item(i)).join(",");

  it("in safetensors is read and turned into arrays in steps", () => {
    const header = utf8(["{", list((i) => `"t${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`), "}"]);
    const file = new Uint8Array(8 + header.length);
    new DataView(file.buffer).setUint32(0, header.length, true);
    file.set(header, 8);
    assert.ok(pausesOf(file, (cursor) => readFile(cursor)) >= 2 * least);
    const content = driveBytes((cursor) => readFile(cursor), file);
    assert.ok(stepsOf(fromFileInSteps(content, { borrowed: true })) >= 3);
  });

  it("in PIR is read with pauses", () => {
    const op = (i: number) => `{"#":"1.relu","A":[],"I":[],"O":[{"%":${i + 1},"TT":{"#":"0.t_f32"}}],"OA":[]}`;
    const file = utf8([
      '{"base_code":{"magic":"pir","trainable":false,"version":1},"program":{"regions":[{"#":"r","blocks":[{"#":"b",',
      `"args":[],"ops":[${list(op)}]}]}]}}`,
    ]);
    assert.ok(pausesOf(file, (cursor) => readFile(cursor)) >= 4 * least);
  });

  it("in a ProgramDesc is read with pauses", () => {
    // Operators of type "a" in block 0.
    const op = [0x22, 3, 0x1a, 1, 0x61];
    const minusOne = [...Array(9).fill(0xff), 1];
    const size = 2 + 1 + minusOne.length + op.length * MANY;
    const length = [(size & 127) | 128, ((size >> 7) & 127) | 128, (size >> 14) & 127];
    const block = [8, 0, 16, ...minusOne, ...Array.from({ length: MANY }, () => op).flat()];
    assert.ok(pausesOf(Uint8Array.from([0x0a, ...length, ...block]), (cursor) => readFile(cursor)) >= least);
  });
});

describe("sorting a list in steps", () => {
  for (const size of [0, 1, 4096, 4097, 10_000, 50_001]) {
    it(`gives what sort() gives for ${size} items, equal ones in their original order`, () => {
      const items = Array.from({ length: size }, (_, i) => ({ key: (i * 7919) % 1009, i }));
      const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
      const expected = [...items].sort(compare);
      for (const _ of sortInSteps(items, compare));
      assert.deepEqual(items, expected);
    });
  }
});
