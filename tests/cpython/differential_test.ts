import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe as suite, it } from "@std/testing/bdd";
import { isPaddleError } from "../../mod.ts";
import { writePickle } from "../../src/codec/pickle/write/write_pickle.ts";
import { decodePickle } from "../../src/model/decode_pickle.ts";
import { describe, expected, same } from "../real/describe.ts";
import { NO_NUMPY } from "../helpers/python.ts";
import { madeByCPython, readByCPython } from "./python.ts";
import { filesBelow } from "../helpers/files_below.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const show = (json: Json): string => JSON.stringify(json).slice(0, 300);

/** The value, or the code of a PaddleError. */
function read(bytes: Uint8Array): { value?: unknown; code?: string } {
  try {
    return { value: decodePickle(bytes) };
  } catch (error) {
    assert.ok(isPaddleError(error), `${error}`);
    return { code: error.code };
  }
}

suite("values that CPython made", () => {
  it("are read as the same values, at protocols 0 to 5", { skip: NO_NUMPY }, () => {
    for (const { value, pickles } of madeByCPython(11, 400)) {
      pickles.forEach((bytes, protocol) => {
        const ours = describe(decodePickle(bytes));
        assert.ok(same(ours, expected(value)), `protocol ${protocol}: ${show(ours)}, CPython: ${show(value)}`);
      });
    }
  });

  it("are read by CPython as the same values after a round trip, at protocols 2 to 4", { skip: NO_NUMPY }, () => {
    const made = madeByCPython(12, 400);
    for (const protocol of [2, 3, 4]) {
      const again = made.map(({ pickles }) => Buffer.concat([...writePickle(decodePickle(pickles[4]), { protocol })]));
      readByCPython(again).forEach((answer, i) => {
        const [ours, theirs] = [expected(answer?.value), expected(made[i].value)];
        assert.ok(answer && same(ours, theirs), `protocol ${protocol}: ${show(answer)}, it was ${show(made[i].value)}`);
      });
    }
  });
});

for (const root of ["tests/fixtures/real", "../shared/real"].filter((folder) => existsSync(folder))) {
  suite(`pickles that real Paddle wrote, in ${root.replace("../", "")}`, () => {
    it("are read by CPython as the same values after a round trip", { skip: NO_NUMPY }, () => {
      const files = filesBelow(root).filter((path) => !path.endsWith(".json"))
        .map((path) => ({ path, bytes: readFileSync(path) }))
        .filter(({ bytes }) => bytes[0] === 0x80 && bytes[1] <= 5 && bytes.at(-1) === 0x2e);
      const read = files.map(({ path, bytes }, i) => {
        try {
          return { path, bytes, value: decodePickle(bytes), protocol: 2 + i % 3 };
        } catch (error) {
          assert.ok(isPaddleError(error), `${path}: ${error}`);
          return null;
        }
      }).filter((file) => file !== null);
      const before = readByCPython(read.map(({ bytes }) => bytes));
      const after = readByCPython(
        read.map(({ value, protocol }) => Buffer.concat([...writePickle(value, { protocol })])),
      );
      let compared = 0;
      read.forEach(({ path, protocol }, i) => {
        if (before[i] === null) return;
        compared++;
        const [was, is] = [expected(before[i].value), expected(after[i]?.value)];
        assert.ok(
          after[i] && same(is, was),
          `${path} at protocol ${protocol}: ${show(after[i])}, was ${show(before[i])}`,
        );
      });
      assert.ok(compared > 300, `${compared} files`);
      console.log(`    ${compared} files`);
    });
  });
}

/** Pseudorandom numbers that are the same in every run (mulberry32). */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

const FLIPPED = [
  "paddle-3.3.1/linear/linear.p2.pdparams",
  "paddle-3.3.1/linear/linear.p3.pdparams",
  "paddle-3.3.1/linear/linear.p4.pdparams",
  "paddle-3.3.1/objects/nested.p2.pkl",
  "paddle-3.3.1/objects/nested.pkl",
  "paddle-3.3.1/objects/numbers.p2.pkl",
  "paddle-3.3.1/objects/strings.p3.pkl",
  "paddle-3.3.1/objects/ordered.pkl",
];
const FLIPS = 500;

suite("real pickles with one bit changed", () => {
  it("are read as the value that CPython gives, wherever both give one", { skip: NO_NUMPY }, () => {
    const next = generator(3);
    let both = 0, refused = 0;
    for (const file of FLIPPED) {
      const bytes = new Uint8Array(readFileSync(join("tests/fixtures/real", file)));
      const flipped = Array.from({ length: FLIPS }, () => {
        const copy = bytes.slice();
        const bit = next() % (8 * copy.length);
        copy[bit >> 3] ^= 1 << (bit & 7);
        return { copy, bit };
      });
      readByCPython(flipped.map(({ copy }) => copy)).forEach((answer, i) => {
        const { value, code } = read(flipped[i].copy);
        if (answer === null) return;
        if (code !== undefined) return void refused++;
        both++;
        const ours = describe(value);
        assert.ok(
          same(ours, expected(answer.value)),
          `${file}, bit ${flipped[i].bit}: ${show(ours)}, CPython: ${show(answer.value)}`,
        );
      });
    }
    assert.ok(both > 1000, `${both} values`);
    console.log(`    ${FLIPPED.length * FLIPS} files: ${both} values alike, ${refused} that only CPython reads`);
  });
});
