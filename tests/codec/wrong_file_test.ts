import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import {
  audit,
  decode,
  encode,
  fromArray,
  isPaddleError,
  load,
  MemoryFolder,
  NDArray,
  OpaqueArray,
  type PaddleError,
} from "../../mod.ts";
import { writeTnum } from "../../src/codec/tnum/write_tnum.ts";

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const tensor = fromArray([1, 2], "float32");

/** Files found in place of a model's parameters or program, and what the error says they are. */
const FILES: [string, Uint8Array, RegExp, RegExp?][] = [
  ["a git-LFS pointer", latin1("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"), /git lfs pull/],
  ["a web page", latin1("<!DOCTYPE html><html></html>"), /web page/],
  ["a zip archive", latin1("PK\x03\x04" + "\0".repeat(60)), /zip archive/],
  ["a gzip archive", latin1("\x1f\x8b\x08\0\0\0\0\0"), /gzip/],
  ["a PNG", latin1("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"), /PNG/],
  ["zeros", new Uint8Array(500), /zeros/],
  ["safetensors", encode(new Map([["w", tensor]]), { safetensors: true }), /safetensors/],
  ["a pickle", encode(new Map([["w", tensor]])), /a pickle, such as a \.pdparams/],
  ["ONNX", latin1("\x08\x07\x12\x07pytorch\x1a\x031.9"), /ONNX/],
  ["Paddle Lite", latin1("\x02\0v2.10\0\0\0\0"), /Paddle Lite/],
];

async function errorOf(program: Uint8Array, params: Uint8Array): Promise<PaddleError> {
  const folder = new MemoryFolder();
  for (const [name, bytes] of Object.entries({ "m.pdmodel": program, "m.pdiparams": params })) {
    const sink = await folder.put(name);
    await sink.write(bytes);
    await sink.close();
  }
  try {
    await load("m", { folder });
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error;
  }
  throw new Error("It was loaded");
}

describe("a model's file of parameters that is loaded without its program", () => {
  it("says how to load it", async () => {
    const file = readFileSync("tests/fixtures/programs/lstm-3.3.1.pdiparams");
    await assert.rejects(load(file), (error) => {
      assert.ok(isPaddleError(error));
      assert.equal(error.code, "TRAILING_DATA");
      assert.match(error.hint ?? "", /load the model by its prefix or folder/);
      assert.ok(error.message.endsWith(`. ${error.hint}`));
      return true;
    });
  });
});

describe("a file that is cut off", () => {
  const state = new Map([1, 2000, 3000].map((n, i) => [`w${i}`, new NDArray("float32", [n])]));
  const real = "tests/fixtures/real/paddle-2.6.2/jit-save/m";
  const params = new Uint8Array(readFileSync(`${real}.pdiparams`));

  it("is refused by the name of the variable in which it ends, however it is read", async () => {
    const files: [what: string, bytes: Uint8Array<ArrayBuffer>, at: string][] = [
      ["a pickle of protocol 2", encode(state, { protocol: 2 }), '["w2"]'],
      ["a safetensors file", encode(state, { safetensors: true }), "w2"],
      ["a file of 1.6", Uint8Array.from(Buffer.concat([...writeTnum(state)] as Uint8Array[])), "w2"],
    ];
    for (const [what, bytes, at] of files) {
      const cut = bytes.subarray(0, bytes.length - 6000), isText = what.includes("protocol");
      const end = isText ? bytes.subarray(0, bytes.indexOf(0x32, 7000) + 3000) : cut;
      const expected = { code: "TRUNCATED", at, message: /w2.*download is probably incomplete/ };
      assert.throws(() => decode(end), expected, what);
      for (const from of [end, new Blob([end]), new Blob([end]).stream()]) {
        await assert.rejects(load(from), expected, what);
      }
    }
  });

  it("of parameters is refused by the name of the variable, too", async () => {
    const error = await errorOf(readFileSync(`${real}.pdmodel`), params.subarray(0, -3));
    assert.deepEqual([error.code, error.at, error.path], ["TRUNCATED", "linear_1.w_0", "m.pdiparams"]);
    assert.match(error.message, /^Truncated file, in "linear_1.w_0": 60 bytes are expected at byte 448, 57 are left/);
  });
});

describe("a file of another format", () => {
  const program = readFileSync("tests/fixtures/real/paddle-2.6.2/infer-bfloat16/m.pdmodel");
  for (const [what, bytes, message] of FILES) {
    it(`is named in the error when it stands in for parameters or a program: ${what}`, async () => {
      for (const error of [await errorOf(program, bytes), await errorOf(bytes, new Uint8Array(0))]) {
        assert.equal(error.code, "WRONG_FORMAT", error.message);
        assert.match(error.message, message);
        assert.equal(error.offset, 0);
        assert.ok(error.message.length <= 400);
      }
    });
  }

  it("is named when a model's two files were swapped", async () => {
    const record = encode(tensor, { useBinaryFormat: true });
    assert.match((await errorOf(record, program)).message, /a tensor, such as a \.pdiparams, not a program/);
    assert.match((await errorOf(program, program)).message, /a program, such as a \.pdmodel, not a tensor/);
  });

  it("is reported as EMPTY, not as zeros, when the program is empty", async () => {
    assert.equal((await errorOf(new Uint8Array(0), new Uint8Array(0))).code, "EMPTY");
  });

  it("is not reported when it is a tensor record of another version", async () => {
    const error = await errorOf(program, latin1("\x01\0\0\0" + "\0".repeat(40)));
    assert.equal(error.code, "BAD_VERSION");
  });

  it("is taken for an encrypted file when it begins with a few bytes that could be opcodes, not for one that asks for too much", async () => {
    const ending = "\xf2\x9c\x41\xe0\x07".repeat(20);
    // BINUNICODE of 3 GiB, BINBYTES longer than the file, FRAME longer than the file, NONE TRUE and no opcode, TUPLE without a mark.
    for (const start of ["X\xfe\xfe\xfe\xbe", "B\xf0\xf0\0\0", "\x95\x40\x42\x0f\0\0\0\0\0", "N\x88\xf2", "N\x88t"]) {
      await assert.rejects(load(latin1(start + ending)), { code: "UNKNOWN_FORMAT", message: /Is it encrypted/ });
    }
  });

  it("is a pickle damaged by a transfer as text when it names symbols with CR LF, which stay refused", async () => {
    const bytes = encode(new Map([["w", tensor]]), { protocol: 2 });
    const text = [...bytes].flatMap((byte) => byte === 10 ? [13, 10] : [byte]);
    const refusal = { code: "FORBIDDEN_SYMBOL", message: /transferred as text/ };
    await assert.rejects(load(Uint8Array.from(text)), refusal);
    assert.equal((await audit(latin1("cos\r\nsystem\r\n."))).exitCode, 1);
  });

  it("is refused content, not damaged, when it has arrays that no Tensor can hold", async () => {
    const file = encode(new Map([["w", new OpaqueArray("<U1", [1], new Uint8Array(4))]]));
    const { ok, exitCode, error } = await audit(file);
    assert.deepEqual([ok, exitCode, error?.code], [false, 1, "UNSUPPORTED_DTYPE"]);
    await assert.rejects(load(file), { code: "UNSUPPORTED_DTYPE" });
    // Here the number of the dtype is damaged: nothing after it can be read.
    const record = encode(tensor, { useBinaryFormat: true });
    record[record.indexOf(8, 16) + 1] = 99;
    const damaged = await audit(record);
    assert.deepEqual([damaged.exitCode, damaged.error?.code], [2, "UNSUPPORTED_DTYPE"]);
  });

  it("is audited as what it begins as when it is cut off or damaged, and as unknown when it begins as nothing", async () => {
    const state = new Map([["w", tensor]]);
    const files: [kind: string, bytes: Uint8Array][] = [
      ["pickle", encode(state)],
      ["record", encode(tensor, { useBinaryFormat: true })],
      ["safetensors", encode(state, { safetensors: true })],
      ["program", program],
    ];
    for (const [kind, bytes] of files) {
      const report = await audit(bytes.subarray(0, -1));
      assert.deepEqual([report.kind, report.exitCode], [kind, 2]);
    }
    assert.equal((await audit(latin1("\xf2\x9c\x41\xe0".repeat(9)))).kind, "unknown");
  });
});
