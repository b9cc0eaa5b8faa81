/** Defects that other software had in public, each rebuilt as inert data: what this library makes of it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, isPaddleError, static as paddleStatic, toObject } from "../../mod.ts";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
/** A field of protobuf with the bytes given. */
const field = (tag: number, content: readonly number[]): number[] => {
  assert.ok(content.length < 2 ** 14);
  return [tag, content.length & 127 | 128, content.length >> 7, ...content];
};
/** The parent -1 of the first block. */
const NO_PARENT = [...new Array(9).fill(0xff), 1];
/** A program of one block, whose first operator has `content`. */
const program = (content: readonly number[]) =>
  Uint8Array.from(field(0x0a, [0x08, 0, 0x10, ...NO_PARENT, ...field(0x22, [...field(0x1a, [0x61]), ...content])]));
const groups = (count: number) => [...new Array(count).fill(0x7b), ...new Array(count).fill(0x7c)];

const REFUSED: [name: string, read: () => unknown, code: string, offset: number][] = [
  [
    "torch CVE-2026-24747: SETITEM on something other than a dict",
    () => decode(bytes("\x80\x02]K\x00K\x01s.")),
    "BAD_STACK",
    7,
  ],
  [
    "Paddle 79492: a LoD level of 9 bytes, allocated as 1 offset and read as 9 bytes",
    () => decode(hex(`00000000 0100000000000000 0900000000000000 ${"00".repeat(44)}`)),
    "BAD_LENGTH",
    12,
  ],
  [
    "Paddle 79764: a dotted name below a module that is known",
    () => decode(bytes("\x80\x02cpaddle.base.libpaddle\nGeneratorState.__init__\n.")),
    "FORBIDDEN_SYMBOL",
    2,
  ],
  [
    "Paddle 79057: a class that inherits how its state is set",
    () => decode(bytes("\x80\x02cpaddle.nn\nLayer\n)\x81}b.")),
    "FORBIDDEN_SYMBOL",
    2,
  ],
  [
    "CPython 115952: bytes that claim 2^40",
    () => decode(hex("8004 8e 0000000000010000 2e")),
    "TRUNCATED",
    2,
  ],
  [
    "CPython 115952: a frame that claims 2^62",
    () => decode(hex("8004 95 0000000000000040 4e 2e")),
    "TRUNCATED",
    2,
  ],
  [
    "CPython 154848: an argument beyond the end of its frame",
    () => decode(hex("8004 95 0200000000000000 8c0161 94 2e")),
    "BAD_FRAME",
    11,
  ],
  [
    "protobuf CVE-2024-7254: groups in groups, a million deep",
    () => paddleStatic.deserializeProgram(new Uint8Array(1e6).fill(0x73)),
    "LIMIT",
    0,
  ],
  [
    "protobuf 28821: groups that are counted apart from the messages around them",
    () => paddleStatic.deserializeProgram(program(groups(99))),
    "LIMIT",
    23,
  ],
];

describe("a defect that other software had in public", () => {
  for (const [name, read, code, offset] of REFUSED) {
    it(`is refused: ${name}`, () => {
      assert.throws(read, (error) => isPaddleError(error) && error.code === code && error.offset === offset);
    });
  }

  it("takes no memory: CPython 115952, a memo index of 2^27", () => {
    assert.equal(decode(hex("8002 4e 72 00000008 2e")), null);
  });

  it("is read as what it is: groups that leave room for the messages around them (protobuf 28821)", () => {
    assert.equal(paddleStatic.deserializeProgram(program(groups(98))).blocks[0].ops[0].type, "a");
  });

  it("is read at once: a graph of 50 bytes that has 8 million nodes as a tree (fickling 111)", () => {
    const doubled = decode(bytes(`\x80\x02)${"2\x86".repeat(23)}.`)) as unknown[];
    assert.equal(doubled[0], doubled[1]);
    assert.ok(encode(doubled as never).length < 200);
  });

  it("changes no prototype: a key __proto__, which pickleparser drops", () => {
    const dict = decode(bytes("\x80\x02}X\x09\x00\x00\x00__proto__}X\x01\x00\x00\x00aK\x01ss.")) as Map<string, never>;
    assert.deepEqual([...dict.keys()], ["__proto__"]);
    const object = toObject(dict);
    assert.equal(Object.getPrototypeOf(object), null);
    assert.deepEqual(Object.keys(object), ["__proto__"]);
    assert.equal("a" in {}, false);
  });

  it("loses no character: a key that begins with U+FEFF", () => {
    const dict = decode(bytes("\x80\x02}X\x04\x00\x00\x00\xef\xbb\xbfaK\x01s.")) as Map<string, number>;
    assert.deepEqual([...dict], [["\ufeffa", 1]]);
  });

  it("is the right number: -2^40 in 6 bytes, which an npm package reads as 280375465082880", () => {
    assert.equal(decode(hex("8002 8a06 0000000000ff 2e")), -(2 ** 40));
  });
});
