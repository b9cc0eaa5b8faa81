import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { readVocab } from "../../src/codec/record/read_vocab.ts";
import { vocabBytes } from "../../src/codec/record/write_vocab.ts";
import { Budget, DEFAULT_LIMITS, type Limits } from "../../src/limits.ts";

const read = (bytes: Uint8Array, window = Infinity, limits: Partial<Limits> = {}) =>
  driveBytes((cursor) => readVocab(cursor, new Budget({ ...DEFAULT_LIMITS, ...limits })), bytes, { window }).words;

describe("a vocabulary", () => {
  const words = new Map([["a", 0], ["", -1], ["é😀", 2 ** 31 - 1], ["b", -(2 ** 31)]]);
  const bytes = vocabBytes(words);

  it("keeps its words, their order and their numbers, however the bytes arrive", () => {
    for (const window of [1, 7, Infinity]) assert.deepEqual([...read(bytes, window)], [...words]);
  });

  it("is refused when it is written, if a number has more than 32 bits or is none, or a word is none", () => {
    const wrong: [unknown, unknown][] = [["a", 2 ** 31], ["a", -(2 ** 31) - 1], ["a", 1.5], ["a", 2n ** 31n], [
      "a",
      "1",
    ]];
    for (const pair of [...wrong, ["a", null], [1, 1]] as [string, number][]) {
      assert.throws(() => vocabBytes(new Map([pair])), { code: "INVALID_VALUE" }, String(pair));
    }
    assert.deepEqual(vocabBytes(new Map([["a", 5n as unknown as number]])), vocabBytes(new Map([["a", 5]])));
  });

  it("is TRUNCATED when it is cut anywhere", () => {
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => read(bytes.slice(0, end)), { code: "TRUNCATED" }, `at ${end}`);
    }
  });

  it("is refused if it announces more words than its file can hold, or one that is repeated or no text", () => {
    const many = bytes.slice();
    many[0] = 200;
    assert.throws(() => read(many), { code: "TRUNCATED", message: /announces 200 words/ });
    const twice = bytes.slice();
    twice.set([0x61], twice.length - 5);
    assert.throws(() => read(twice), { code: "DUPLICATE_KEY", offset: bytes.length - 13 });
    const noText = bytes.slice();
    noText[16] = 0xff;
    assert.throws(() => read(noText), { code: "BAD_TEXT", offset: 8 });
  });

  it("stays within the limits for strings and memory", () => {
    assert.throws(() => read(bytes, Infinity, { maxStringBytes: 5 }), { code: "LIMIT", limit: "maxStringBytes" });
    assert.deepEqual(read(bytes, Infinity, { maxStringBytes: 6 }), words);
    assert.throws(() => read(bytes, Infinity, { maxStructureBytes: 100 }), {
      code: "LIMIT",
      limit: "maxStructureBytes",
    });
  });
});
