import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { detectKind, type FileKind, foreignError } from "../../src/codec/detect_kind.ts";

const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const fixture = (name: string) => new Uint8Array(readFileSync("tests/fixtures/binary/" + name));

describe("detection of a file's kind", () => {
  it("recognizes pickles of every protocol, known or not", () => {
    const pickles = [
      "\x80\x02}q\x00.",
      "\x80\x04\x95",
      "\x80\x63",
      "\x80",
      "(dp0\nS'a'\np1\nI1\ns.",
      "(lp0\n.",
      "}q\x00.",
      "].",
      "N.",
      "I5\n.",
      "F1.5\n.",
      "S'abc'\np0\n.",
      "K\x05.",
      "X\x03\x00\x00\x00abcq\x00.",
      "cnumpy.core.multiarray\n_reconstruct\np0\n",
      `I-${"7".repeat(300)}\n.`,
      `L${"7".repeat(300)}L\n.`,
      `V${"text ".repeat(60)}\np0\n.`,
    ];
    for (const text of pickles) assert.equal(detectKind(latin1(text), text.length), "pickle", JSON.stringify(text));
  });

  it("recognizes Paddle's binary files", () => {
    assert.equal(detectKind(fixture("tensor.bin")), "record");
    assert.equal(detectKind(fixture("lod.bin")), "record");
    assert.equal(detectKind(fixture("rows.bin")), "selected_rows");
    assert.equal(detectKind(fixture("adam-1.6.pdparams")), "tnum");
    assert.equal(detectKind(new Uint8Array()), "empty");
    const many = new Uint8Array(4096);
    new DataView(many.buffer).setUint32(4, 1000, true);
    assert.equal(detectKind(many), "selected_rows");
  });

  it("recognizes programs, PIR, safetensors, zip and npy files", () => {
    const files: [string, FileKind][] = [
      ["\x0a\x95\x01\x08\x00\x10\xff", "program"],
      ['{"base_code":{"magic":"pir","trainable":true,"version":4}', "pir"],
      ['\n { "base_code":{"magic":"pir","trainable":true,"version":4}', "pir"],
      ["\x0a{\x08\x00\x10\xff", "program"],
      ["\x02\x00\x00\x00\x00\x00\x00\x00{}", "safetensors"],
      ["\x80\x02\x00\x00\x00\x00\x00\x00{" + " ".repeat(700), "safetensors"],
      ["PK\x03\x04\x14\x00", "zip"],
      ["\x93NUMPY\x01\x00", "npy"],
    ];
    for (const [text, kind] of files) assert.equal(detectKind(latin1(text)), kind, JSON.stringify(text));
  });

  it("answers unknown for other programs' files, with an error that says what they are", () => {
    const files: [string, RegExp][] = [
      ["version https://git-lfs.github.com/spec/v1\noid", /git lfs pull/],
      ["<!DOCTYPE html><html>", /web page/],
      ["<HTML><body>", /web page/],
      ["\n\r\n <!doctype html>", /web page/],
      ["\xef\xbb\xbf<!DOCTYPE html>", /web page/],
      ["\x89PNG\r\n\x1a\n\x00\x00", /PNG/],
      ["\x1f\x8b\x08\x00", /gzip/],
      ["BZh91AY&SY", /bzip2/],
      ["\x89HDF\r\n\x1a\n", /HDF5/],
      ["\x08\x07\x12\x07pytorch\x1a\x031.0", /ONNX/],
      ["\x08\x08:\xb1\x05\x0a\x05", /ONNX/],
      ["\x02\x00v2.10\x00", /Paddle Lite/],
      ["\x01\x00v2.6\x00", /Paddle Lite/],
      ['{"a": 1}', /JSON/],
      ["\xef\xbb\xbf{}", /JSON/],
      ["hello world\n", /plain text/],
      ["This is no model. Go away.\n", /plain text/],
      ["Bad gateway. Try again.\n", /plain text/],
      ["Very bad gateway", /plain text/],
      [`Very bad gateway\n${"again ".repeat(60)}\n`, /plain text/],
      ["\x00".repeat(100), /zeros/],
      ["\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", /PyTorch/],
      ["Rar!\x1a\x07\x01\x00", /RAR archive/],
      ["\xff\xfeh\x00e\x00l\x00l\x00o\x00", /text in UTF-16/],
      ["\xfe\xff\x00h\x00e\x00l\x00l\x00o", /text in UTF-16/],
      ["\xef\xbf\xbd\x02}q\x00", /saved as text.*binary/],
      ["\xc2\x80\x04\xc2\x95", /saved as text.*binary/],
      ["a".padEnd(257, "\0") + "ustar", /tar archive.*openArchive/],
    ];
    for (const [text, message] of files) {
      const head = latin1(text);
      assert.equal(detectKind(head, head.length), "unknown", JSON.stringify(text));
      const error = foreignError(head);
      assert.equal(error.code, "WRONG_FORMAT", text);
      assert.match(error.message, message);
      assert.ok(error.message.length <= 400);
      assert.equal(error.offset, 0);
    }
  });

  it("says what a zip archive holds by its first file, and what reads it", () => {
    const archives: [string, RegExp][] = [
      ["archive/data.pkl", /This is a PyTorch checkpoint, .*safetensors/],
      ["w.npy", /This is an \.npz file, .*loadNpz/],
      ["model.pdparams", /This is a zip archive, .*openArchive/],
      ["", /This is a zip archive, .*openArchive/],
    ];
    for (const [name, message] of archives) {
      const head = latin1(`PK\x03\x04${"\0".repeat(22)}${String.fromCharCode(name.length)}\0\x09\0${name}data.pkl.npy`);
      assert.equal(detectKind(head), "zip");
      assert.match(foreignError(head).message, message);
    }
    assert.match(foreignError(latin1("\x93NUMPY\x01\x00")).message, /paddle\/npy/);
  });

  it("answers unknown for unrecognizable bytes, with an error that shows the first of them", () => {
    const head = latin1("\xff\xfe\x00\x01");
    assert.equal(detectKind(head), "unknown");
    assert.equal(foreignError(head).code, "UNKNOWN_FORMAT");
    assert.match(foreignError(head).message, /ff fe 00 01/);
    assert.equal(detectKind(latin1("\x80\xff\x00\x01")), "unknown");
  });
});
