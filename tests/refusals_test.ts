/** Refusals that no other test reaches: see unreached_throws.ts. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../mod.ts";
import { shapeForSave } from "../src/model/to_pickle.ts";
import { encodeNpz, saveNpz } from "../src/npy.ts";
import { decode as decodeSafetensors, encode as encodeSafetensors } from "../src/safetensors.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
/** A program of one block with further fields. */
const block = (fields: string) => {
  const content = hex(`0800 10ffffffffffffffffff01 ${fields}`);
  return paddle.static.deserializeProgram(Uint8Array.of(0x0a, content.length, ...content));
};
/** A tensor of one float32, with further fields in its description. */
const tensor = (fields: string) => {
  const desc = hex(`08051001 ${fields}`);
  return paddle.decode(
    Uint8Array.of(...hex("00000000 0000000000000000 00000000"), desc.length, 0, 0, 0, ...desc, ...hex("0000803f")),
  );
};
/** A PIR program in which the shape of a parameter is another one. */
const pir = (shape: string) => {
  const text = readFileSync("tests/fixtures/programs/lstm-3.3.1.json", "utf8");
  assert.ok(text.includes("[8,2]"));
  return paddle.static.deserializeProgram(new TextEncoder().encode(text.replaceAll("[8,2]", shape)));
};
const safetensors = (header: string) =>
  decodeSafetensors(Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(header)));

const FILES: [what: string, read: () => unknown, code: string, offset?: number][] = [
  ["a block whose forward block does not exist", () => block("2807"), "BAD_FIELD", 2],
  [
    "a length of more than 64 bits in a program",
    () => paddle.static.deserializeProgram(hex(`0a${"ff".repeat(12)}`)),
    "BAD_VARINT",
    0,
  ],
  ["an unknown field of 8 bytes that ends after its block", () => block("790102"), "TRUNCATED", 15],
  ["an unknown field that is longer than the description of a tensor", () => tensor("1a05ff"), "BAD_LENGTH", 25],
  ["an unknown field of 4 bytes that ends after the description of a tensor", () => tensor("1d0000"), "BAD_LENGTH", 24],
  ["keys and values without a dict below their mark", () => paddle.decode(hex("8002 284b014b0275 2e")), "BAD_STACK", 7],
  ["metadata of a safetensors file that are a list", () => safetensors('{"__metadata__":[]}'), "BAD_FIELD"],
  ["a length of -2 in a PIR program", () => pir("[8,-2]"), "BAD_FIELD"],
  ["a length of 2.5 in a PIR program", () => pir("[8,2.5]"), "BAD_FIELD"],
];

const one = paddle.zeros([1]);
const ARGUMENTS: [what: string, work: () => unknown, name: string, message: RegExp][] = [
  ["limits that are a number", () => paddle.decode(hex("8002 4e 2e"), { limits: 5 as Any }), "TypeError", /limits/],
  ["an object in place of a Map", () => paddle.toObject({} as Any), "TypeError", /toObject takes a Map/],
  ["a list in place of the arrays of an .npz file", () => saveNpz([] as Any, "a.npz"), "ValueError", /Map of arrays/],
  ["a number among them", () => encodeNpz(new Map([["a", 1 as Any]])), "ValueError", /holds arrays/],
  ["a name of 65,536 bytes among them", () => encodeNpz(new Map([["a".repeat(65_536), one]])), "ValueError", /65,535/],
  ["a list in place of safetensors", () => encodeSafetensors([] as Any), "ValueError", /Map of arrays/],
  ["a stream to be indexed", () => paddle.sideIndex(new Blob(["x"]).stream()), "TypeError", /this is a stream/],
  ["a maximum of -1 without a minimum", () => new paddle.nn.ClipGradByValue(-1), "ValueError", /above 0/],
  ["a text for a maximum", () => new paddle.nn.ClipGradByValue("1" as Any), "ValueError", /max is a number/],
  ["a list for saveDygraph", () => paddle.fluid.saveDygraph([] as Any, "a"), "ValueError", /saves a Map/],
  [
    "a Map in place of a list of variables",
    () => paddle.fluid.io.saveVars({ folder: new paddle.MemoryFolder(), name: "a" }, { vars: new Map() } as Any),
    "TypeError",
    /^vars must be a list of variables: got a Map$/,
  ],
  ["a text for saveToFile", () => paddle.static.saveToFile("a", "x" as Any), "TypeError", /must be bytes/],
  [
    "a numpy scalar of a number that is a text",
    () => paddle.encode(new Map([["a", new paddle.NumpyScalar("float32", "x" as Any)]])),
    "ValueError",
    /numpy scalar of float32/,
  ],
  [
    "an array that is split into slices, one of which has the key of another",
    () => {
      const dict = new Map([["w", new paddle.Tensor("float32", [8])], ["w@@.0", new paddle.Tensor("float32", [1])]]);
      shapeForSave(dict, { protocol: 2, maxArrayBytes: 16 });
    },
    "ValueError",
    /The key w@@\.0 is taken/,
  ],
  [
    "bytes of an array beyond its end",
    async () => (await paddle.open(paddle.encode(new Map([["w", one]])))).stream("w", { range: [0, 5] }),
    "TypeError",
    /must lie in the 4 bytes/,
  ],
];

describe("a file with", () => {
  for (const [what, read, code, offset] of FILES) {
    it(`${what} is refused`, () => {
      assert.throws(read, (error) => {
        assert.ok(paddle.isPaddleError(error), String(error));
        assert.deepEqual([error.code, offset === undefined ? undefined : error.offset], [code, offset]);
        return true;
      });
    });
  }
});

describe("a call with", () => {
  for (const [what, work, name, message] of ARGUMENTS) {
    it(`${what} is refused`, () => assert.rejects(async () => await work(), { name, message }));
  }
});
