import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { type Json, JsonNumber, JsonObject } from "../../src/codec/json/json.ts";
import { readJsonInSteps } from "../../src/codec/json/read_json.ts";
import { writeJsonInSteps } from "../../src/codec/json/write_json.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/limits.ts";
import { atOnce } from "../../src/words/steps.ts";

const bytesOf = (text: string | number[]): Uint8Array =>
  typeof text === "string" ? new TextEncoder().encode(text) : Uint8Array.from(text);
/** Converts objects to lists of their members, in order. */
const plain = (value: Json): unknown =>
  value instanceof JsonObject
    ? { members: [...value].map(([key, member]) => [key, plain(member)]) }
    : Array.isArray(value)
    ? value.map(plain)
    : value;
const object = (...members: [string, Json][]) => ({ members });
const readJson = (bytes: Uint8Array, limits: Readonly<Limits> = DEFAULT_LIMITS): Json =>
  atOnce(readJsonInSteps(bytes, limits));
const read = (text: string | number[]): Json => readJson(bytesOf(text));

describe("the JSON of programs", () => {
  const VALUES: [string, unknown][] = [
    [" [ ] ", []],
    ["{}", object()],
    ['{"9":1,"10":2,"b":3}', object(["9", 1], ["10", 2], ["b", 3])],
    ['{"__proto__":1,"constructor":2}', object(["__proto__", 1], ["constructor", 2])],
    ["\t[true,\r\nfalse , null]\n", [true, false, null]],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-12345678901234567890", -12345678901234567890n],
    ["1.50E+2", new JsonNumber("1.50E+2")],
    ["-0", new JsonNumber("-0")],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9é😀"', '"\\/\b\f\n\r\téé😀'],
    ['"\\ud83d\\uDE00"', "😀"],
    ['"\\ud83d"', "\ud83d"],
    ['"\\ude00\\ud83d"', "\ude00\ud83d"],
    ['"\x7f\u2028"', "\x7f\u2028"],
    ['"\\u0000"', "\0"],
  ];
  for (const [text, value] of VALUES) {
    it(`reads ${text.trim()} exactly`, () => assert.deepEqual(plain(read(text)), value));
  }

  it("writes numbers back with the digits they were read with", () => {
    const text = '{"a":[1.50,1e400,-0,123456789012345678901234567890]}';
    assert.equal(new TextDecoder().decode(atOnce(writeJsonInSteps(read(text)))), text);
  });

  const REFUSED: [string | number[], string, number][] = [
    ['{"a":1,"a":2}', "DUPLICATE_KEY", 7],
    ['{"a":1,"\\u0061":2}', "DUPLICATE_KEY", 7],
    ["\ufeff{}", "BAD_JSON", 0],
    ["[1]x", "TRAILING_DATA", 3],
    ["[1] 2", "TRAILING_DATA", 4],
    ["[1,]", "BAD_JSON", 3],
    ["[,1]", "BAD_JSON", 1],
    ['{"a":1,}', "BAD_JSON", 7],
    ["{a:1}", "BAD_JSON", 1],
    ["{1:1}", "BAD_JSON", 1],
    ['{"a" 1}', "BAD_JSON", 5],
    ["[1 2]", "BAD_JSON", 3],
    ["[1}", "BAD_JSON", 2],
    ["[01]", "BAD_JSON", 1],
    ["[-]", "BAD_JSON", 1],
    ["[1.]", "BAD_JSON", 1],
    ["[1e]", "BAD_JSON", 1],
    ["[.5]", "BAD_JSON", 1],
    ["[+1]", "BAD_JSON", 1],
    ["[0x1]", "BAD_JSON", 2],
    ["[NaN]", "BAD_JSON", 1],
    ["[Infinity]", "BAD_JSON", 1],
    ["[nul]", "BAD_JSON", 1],
    ["[True]", "BAD_JSON", 1],
    ["[1]//", "TRAILING_DATA", 3],
    ["\x0b[]", "BAD_JSON", 0],
    ["\u00a0[]", "BAD_JSON", 0],
    ['"a\nb"', "BAD_JSON", 2],
    ['"a\0b"', "BAD_JSON", 2],
    ['"\\x41"', "BAD_JSON", 2],
    ['"\\u00g0"', "BAD_JSON", 5],
    ["'a'", "BAD_JSON", 0],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], "BAD_TEXT", 1],
    [[0x22, 0xc0, 0x80, 0x22], "BAD_TEXT", 1],
    [[0x22, 0x61, 0xff, 0x22], "BAD_TEXT", 1],
  ];
  for (const [text, code, offset] of REFUSED) {
    it(`refuses ${JSON.stringify(text)} with ${code} at byte ${offset}`, () => {
      assert.throws(() => read(text), { code, offset });
    });
  }

  it("finds, replaces and removes members of an object with any number of them, and refuses a repeated key wherever it is", () => {
    for (const count of [1, 8, 9, 40, 400]) {
      const keys = Array.from({ length: count }, (_, i) => `k${i}`);
      const text = (...more: string[]) => `{${[...keys, ...more].map((key, i) => `"${key}":${i}`).join(",")}}`;
      const made = read(text()) as JsonObject;
      assert.deepEqual(keys.map((key) => made.get(key)), keys.map((_, i) => i));
      assert.equal(made.get("k"), undefined);
      for (const key of new Set([keys[0], keys[count >> 1], keys[count - 1]])) {
        assert.throws(() => read(text(key)), { code: "DUPLICATE_KEY" }, `${key} of ${count}`);
        made.set(key, "new");
        assert.deepEqual([made.get(key), made.members.length], ["new", 2 * count]);
        assert.deepEqual([made.delete(key), made.get(key), made.delete(key)], [true, undefined, false]);
        made.set(key, "last");
        assert.deepEqual([[...made].at(-1), made.members.length], [[key, "last"], 2 * count]);
      }
      assert.deepEqual(keys.map((key) => made.get(key) === undefined), keys.map(() => false));
    }
  });

  it("is TRUNCATED when it is cut anywhere, even in the middle of a word", () => {
    const bytes = bytesOf('{"a":[true,false,null,-1.5e+3,"x\\u00e9é😀\\n"],"b":{"c":12345678901234567890}}');
    assert.throws(() => readJson(bytes.subarray(0, 0)), { code: "EMPTY", offset: 0 });
    for (let n = 1; n < bytes.length; n++) {
      assert.throws(() => readJson(bytes.subarray(0, n)), (error: { code: string; offset: number }) => {
        assert.deepEqual([error.code, error.offset <= n], ["TRUNCATED", true], `cut after ${n} bytes`);
        return true;
      });
    }
  });

  it("refuses too many levels or digits, and reads deep JSON without a deep call stack", () => {
    const deep = (n: number) => "[".repeat(n) + "]".repeat(n);
    assert.throws(() => read(deep(257)), { code: "LIMIT", limit: "maxJsonDepth", offset: 256 });
    assert.throws(() => read(`[${"7".repeat(4301)}]`), { code: "LIMIT", limit: "maxIntDigits", offset: 1 });
    const limits = { ...DEFAULT_LIMITS, maxJsonDepth: Infinity };
    const value = readJson(bytesOf(deep(200_000)), limits);
    assert.equal(atOnce(writeJsonInSteps(value)).length, 400_000);
  });

  it("has long strings read in steps, and as JSON.parse reads them wherever a step ends", () => {
    const step = 65_536;
    for (let shift = 0; shift < 12; shift++) {
      const text = `["${"x".repeat(step - shift)}\\u00e9é\\n€😀\\ud83d\\ude00${"€".repeat(step)}","y"]`;
      let steps = 1;
      const reading = readJsonInSteps(bytesOf(text), DEFAULT_LIMITS);
      let next = reading.next();
      for (; !next.done; next = reading.next()) steps++;
      assert.ok(steps >= 4, `${steps} steps`);
      assert.deepEqual(next.value, JSON.parse(text));
    }
    assert.throws(() => read(`["${"x".repeat(step)}\\`), { code: "TRUNCATED" });
    assert.throws(() => read(`["${"x".repeat(step)}\n"]`), { code: "BAD_JSON", offset: step + 2 });
    assert.throws(() => read([...bytesOf(`["${"x".repeat(step - 1)}`), 0xe2, 0x82, 0x22, 0x5d]), { code: "BAD_TEXT" });
  });

  it("refuses longer strings than the limit, and says how long they are", () => {
    const limits = { ...DEFAULT_LIMITS, maxStringBytes: 100_000 };
    assert.equal(readJson(bytesOf(`"${"é".repeat(50_000)}"`), limits), "é".repeat(50_000));
    const limit = { code: "LIMIT", limit: "maxStringBytes", max: 100_000 };
    for (const [part, count] of [["é", 50_001], ["x", 300_001], ["\\n", 150_000]] as const) {
      const actual = count * bytesOf(part).length;
      assert.throws(() => readJson(bytesOf(`["${part.repeat(count)}"]`), limits), { ...limit, actual, offset: 2 });
    }
  });

  it("refuses keys longer than the limit for names", () => {
    const longest = DEFAULT_LIMITS.maxNameBytes;
    for (const key of ["k".repeat(longest), "é".repeat(longest / 2)]) {
      assert.deepEqual(plain(read(`{"${key}":1}`)), object([key, 1]));
      const limit = { code: "LIMIT", limit: "maxNameBytes", offset: 1 };
      assert.throws(() => read(`{"${key}k":1}`), { ...limit, actual: longest + 1 });
      assert.throws(() => read(`{"${key.repeat(3)}":1}`), limit);
    }
  });

  it("reads no further in a number of too many digits", () => {
    for (const number of ["7".repeat(2 ** 20), "-1." + "7".repeat(2 ** 20), "1e" + "7".repeat(2 ** 20)]) {
      assert.throws(() => read(`[${number}]`), (error: { code: string; limit: string; actual: number }) => {
        assert.deepEqual([error.code, error.limit], ["LIMIT", "maxIntDigits"]);
        assert.ok(error.actual < 2 ** 17, `${error.actual} digits`);
        return true;
      });
    }
  });
});
