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

describe("a pickle of many containers", () => {
  it("is judged with pauses in which others have a turn", () => {
    const cursor = new Cursor();
    cursor.total = bytes.length;
    cursor.window(bytes, 0, bytes.length, 0);
    cursor.ended = true;
    let pauses = 0;
    const decoder = readPickle(cursor);
    for (let step = decoder.next(); !step.done; step = decoder.next()) if (step.value.kind === "pause") pauses++;
    assert.ok(pauses >= Math.floor(COUNT / MOST), `${pauses} pauses`);
  });

  it("becomes a value, and arrays by name, in steps", () => {
    const pickle = driveBytes((cursor) => readPickle(cursor), bytes);
    assert.ok(stepsOf(fromPickleInSteps(pickle, { borrowed: true })) >= Math.floor(COUNT / MOST));
    assert.ok(stepsOf(namedArraysInSteps(pickle.root)) >= Math.floor(COUNT / MOST));
  });
});
