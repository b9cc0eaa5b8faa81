import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { crc32, joinedCrc32 } from "../../src/codec/crc32.ts";
import { RunningSum } from "../../src/io/archives/running_sum.ts";
import { patterned } from "./source_contract.ts";

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
}

describe("the checksum of parts", () => {
  it("is that of the whole when they are joined, however long they are", () => {
    const bytes = patterned(5000), whole = crc32(bytes);
    for (const at of [0, 1, 7, 8, 255, 4096, 4999, 5000]) {
      assert.equal(joinedCrc32(crc32(bytes.subarray(0, at)), crc32(bytes.subarray(at)), 5000 - at), whole, `${at}`);
    }
  });

  it("is known once every byte was read, in whatever order and however often, and not before", () => {
    const bytes = patterned(600), next = numbers(7);
    for (let round = 0; round < 200; round++) {
      const sum = new RunningSum(), seen = new Uint8Array(bytes.length);
      for (let crc: number | null = null; crc === null;) {
        const at = next(bytes.length), part = bytes.subarray(at, at + next(150));
        seen.fill(1, at, at + part.length);
        crc = sum.add(at, part, bytes.length);
        assert.equal(crc, seen.includes(0) ? null : crc32(bytes));
      }
    }
  });

  it("is not computed for reads far from each other, as those of single arrays are", () => {
    const sum = new RunningSum();
    assert.equal(sum.add(2 ** 30, Uint8Array.of(1), 2 ** 30 + 1), null);
    for (let i = 0; i < 100; i++) assert.equal(sum.add(2 * i + 1, Uint8Array.of(1), 300), null);
  });

  it("is known once the file was read from its beginning to its end, whatever was read of it before", () => {
    const bytes = patterned(1000), sum = new RunningSum(), sums: (number | null)[] = [];
    for (let at = 999; at > 0; at -= 3) sum.add(at, bytes.subarray(at, at + 1), 1000);
    for (let at = 0; at < 1000; at += 100) sums.push(sum.add(at, bytes.subarray(at, at + 100), 1000));
    assert.deepEqual(sums.filter((crc) => crc !== null), [crc32(bytes)]);
  });
});
