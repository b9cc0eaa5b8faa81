import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { Cursor } from "../../src/codec/cursor.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { readPickle } from "../../src/codec/pickle/read_pickle.ts";
import { fromPickleInSteps } from "../../src/model/from_pickle.ts";
import { namedArraysInSteps } from "../../src/model/named_arrays.ts";

/** Of this many members at most is looked at without a pause. */
const MOST = 20_000;
const COUNT = 200_000;

/** A list of tuples of one None. */
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

function pausesOf(bytes: Uint8Array): number {
  const cursor = new Cursor();
  cursor.total = bytes.length;
  cursor.window(bytes, 0, bytes.length, 0);
  cursor.ended = true;
  let pauses = 0;
  const decoder = readPickle(cursor);
  for (let step = decoder.next(); !step.done; step = decoder.next()) if (step.value.kind === "pause") pauses++;
  return pauses;
}

describe("a pickle of many containers", () => {
  it("is judged with pauses in which others have a turn", () => {
    const pauses = pausesOf(bytes);
    assert.ok(pauses >= Math.floor(COUNT / MOST), `${pauses} pauses`);
  });

  for (const [opcode, empty, item] of [["APPENDS", 0x5d, "N"], ["SETITEMS", 0x7d, "key"], ["ADDITEMS", 0x8f, "key"]]) {
    it(`is filled by one ${opcode} with pauses`, () => {
      const number = (i: number) => [0x4a, i & 255, (i >> 8) & 255, (i >> 16) & 255, 0];
      const items = Array.from({ length: COUNT }, (_, i) => item === "N" ? [0x4e] : number(i)).flat();
      const last = { APPENDS: 0x65, SETITEMS: 0x75, ADDITEMS: 0x90 }[opcode]!;
      assert.ok(pausesOf(Uint8Array.from([0x80, 4, empty as number, 0x28, ...items, last, 0x2e])) >= COUNT / 40_000);
    });
  }

  it("becomes a value, and arrays by name, in steps", () => {
    const pickle = driveBytes((cursor) => readPickle(cursor), bytes);
    assert.ok(stepsOf(fromPickleInSteps(pickle, { borrowed: true })) >= Math.floor(COUNT / MOST));
    assert.ok(stepsOf(namedArraysInSteps(pickle.root)) >= Math.floor(COUNT / MOST));
  });
});
