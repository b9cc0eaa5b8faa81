import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { decode, isPaddleError } from "../mod.ts";

const FILES = [
  "tests/fixtures/real/paddle-3.3.1/linear/linear.p2.pdparams",
  "tests/fixtures/real/paddle-3.3.1/linear/linear.p3.pdparams",
  "tests/fixtures/real/paddle-3.3.1/linear/linear.p4.pdparams",
  "tests/fixtures/real/paddle-2.6.2/binary/lod.dygraph.bin",
  "tests/fixtures/real/paddle-1.6.1/dygraph_v1/adam.pdparams",
];

/** Decode; any error that is not a PaddleError is a finding. */
function outcome(bytes: Uint8Array): string {
  try {
    decode(bytes);
    return "value";
  } catch (error) {
    assert.ok(isPaddleError(error), `${error}`);
    return error.code;
  }
}

/** Pseudorandom numbers that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

describe("damaged files", () => {
  for (const file of FILES) {
    const bytes = new Uint8Array(readFileSync(file));
    it(`are an error, never half a value, when cut anywhere: ${file.split("/").pop()}`, () => {
      for (let n = 0; n < bytes.length; n++) {
        assert.notEqual(outcome(bytes.subarray(0, n)), "value", `cut after ${n} bytes`);
      }
    });
    it(`are a PaddleError or a value with one bit flipped, 20,000 times: ${file.split("/").pop()}`, () => {
      const next = random(1);
      for (let i = 0; i < 20_000; i++) {
        const copy = bytes.slice();
        const bit = next() % (8 * copy.length);
        copy[bit >> 3] ^= 1 << (bit & 7);
        outcome(copy);
      }
    });
  }
});
