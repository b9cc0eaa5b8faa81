import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "@std/testing/bdd";
import { decode, load, type NDArray, open, type Source } from "../../mod.ts";
import { rowMajor } from "../../src/kernel.ts";

const ROWS = 1500, COLUMNS = 2048;
const u32 = (n: number) => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
const chars = (text: string) => [...text].map((char) => char.charCodeAt(0));

/** A pickle of a float32 array of 12 MB in column-major order, as numpy writes it. */
function columnMajor(isText: boolean): { file: Uint8Array; expected: Uint8Array } {
  const stored = Uint8Array.from({ length: ROWS * COLUMNS * 4 }, (_, i) => (i * 37 + (i >> 9)) & (isText ? 127 : 255));
  const head = [
    ...[0x80, 2],
    ...chars("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01J"),
    ...u32(ROWS),
    ...chars("J"),
    ...u32(COLUMNS),
    ...chars("\x86cnumpy\ndtype\nU\x02f4K\0K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x88"),
    ...(isText ? chars("c_codecs\nencode\nX") : chars("B")),
    ...u32(stored.length),
  ];
  const tail = chars(isText ? "U\x06latin1\x86Rtb." : "tb.");
  const file = new Uint8Array(head.length + stored.length + tail.length);
  file.set(head);
  file.set(stored, head.length);
  file.set(tail, head.length + stored.length);
  return { file, expected: rowMajor(stored, { shape: [ROWS, COLUMNS], itemsize: 4, axes: null }) };
}

/** A source that knows the largest buffer it was given. */
function watched(file: Uint8Array): Source & { largest: number } {
  return {
    size: file.length,
    largest: 0,
    read(offset, into) {
      this.largest = Math.max(this.largest, into.buffer.byteLength);
      const bytes = file.subarray(offset, offset + into.length);
      into.set(bytes);
      return Promise.resolve(bytes.length);
    },
  };
}

describe("a large array in column-major order", () => {
  for (const isText of [false, true]) {
    const { file, expected } = columnMajor(isText);
    it(`is put in order while it is read, never held twice, ${isText ? "as text" : "as bytes"}`, async () => {
      const source = watched(file);
      const loaded = await load(source, { returnNumpy: true }) as NDArray;
      assert.ok(Buffer.compare(loaded.bytes, expected) === 0);
      const checkpoint = await open(source, { returnNumpy: true });
      assert.ok(Buffer.compare((await checkpoint.get("")).bytes, expected) === 0);
      const slice = await checkpoint.getSlice("", [7, 9]);
      assert.deepEqual(slice.bytes, expected.subarray(7 * COLUMNS * 4, 9 * COLUMNS * 4));
      assert.ok(source.largest < expected.length / 2, `a buffer of ${source.largest}`);
    });
  }
});

describe("an array with its axes in any order, as newer numpy writes it by protocol 5", () => {
  const FILE = [
    "800595b0000000000000008c136e756d70792e5f636f72652e6e756d65726963948c0b5f66726f6d627566666572949394289630000000",
    "0000000000000100020003000400050006000700080009000a000b000c000d000e000f0010001100120013001400150016001700948c05",
    "6e756d7079948c0564747970659493948c02693294898887945294284b038c013c944e4e4e4affffffff4affffffff4b007494624b024b",
    "034b0487948c014b944b014b004b028794749452942e",
  ];
  const file = Uint8Array.from(FILE.join("").match(/../g)!, (pair) => parseInt(pair, 16));

  it("is read, and refused where its axes are none of a permutation", async () => {
    const expected = [];
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 2; j++) for (let k = 0; k < 4; k++) expected.push(12 * j + 4 * i + k);
    }
    const array = decode(file, { returnNumpy: true }) as NDArray;
    assert.deepEqual([array.shape, [...array.data]], [[3, 2, 4], expected]);
    const checkpoint = await open(file, { returnNumpy: true });
    assert.deepEqual([...(await checkpoint.getSlice("", [1, 3])).data], expected.slice(8));
    const axes = file.length - 13;
    assert.deepEqual([...file.subarray(axes, axes + 6)], [0x4b, 1, 0x4b, 0, 0x4b, 2]);
    for (const [at, axis] of [[1, 0], [3, 3], [5, 255]]) {
      const wrong = file.slice();
      wrong[axes + at] = axis;
      assert.throws(() => decode(wrong), { code: "FORBIDDEN_CALL" });
    }
  });
});
