import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { audit, ByteArray, decode, isPaddleError, load, NumpyScalar, OpaqueArray, open } from "../../mod.ts";
import { encode } from "../../src/pickle.ts";

const SIZES = [4095, 4096, 300_000];

const u32 = (n: number) => String.fromCharCode(n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24);
const bytes = (n: number) => `B${u32(n)}${"y".repeat(n)}`;
const text = (n: number) => `c_codecs\nencode\nX${u32(n)}${"y".repeat(n)}X${u32(6)}latin1\x86R`;
const scalar = (n: number, data: string) =>
  `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX${u32(String(n).length + 1)}S${n}\x89\x88\x87R${data}\x86R`;

/** The value, or the error's code, for every way into the library. */
async function everyWay(pickle: string): Promise<unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), "oarlock-looked-"));
  try {
    const path = join(folder, "a"), content = Uint8Array.from(pickle, (c) => c.charCodeAt(0));
    writeFileSync(path, content);
    const opened = async () => {
      const file = await open(path);
      try {
        return await file.value();
      } finally {
        await file.close();
      }
    };
    const audited = async () => {
      const { error } = await audit(path);
      return error ? error.code : await load(path);
    };
    const ways = [
      () => decode(content),
      () => load(path),
      () => load(new Blob([content])),
      () => load(new Blob([content]).stream()),
      opened,
      audited,
    ];
    const answers: unknown[] = [];
    for (const way of ways) {
      try {
        answers.push(await way());
      } catch (error) {
        assert.ok(isPaddleError(error), String(error));
        answers.push(error.code);
      }
    }
    return answers;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("bytes that a pickle builds a value from", () => {
  for (const size of SIZES) {
    it(`are complete in a bytearray of ${size}, however the file is read`, async () => {
      const made = (data: string) => `cbuiltins\nbytearray\n${data}\x85R`;
      for (const data of [made(bytes(size)), made(text(size)), `\x96${u32(size)}\0\0\0\0${"y".repeat(size)}`]) {
        for (const value of await everyWay(`\x80\x05]${data}a.`)) {
          const [array] = value as unknown[];
          assert.ok(array instanceof ByteArray, `${value}`);
          assert.deepEqual([array.length, array.every((byte) => byte === 0x79)], [size, true]);
        }
      }
    });

    it(`are complete in an array of ${size} bytes of text, which no tensor can hold, however the file is read`, async () => {
      for (const protocol of [2, 4]) {
        const content = encode(
          new Map<string, unknown>([
            ["StructuredToParameterName@@", new Map()],
            ["words", new OpaqueArray("|S1", [size], new Uint8Array(size).fill(0x79))],
          ]),
          { protocol },
        );
        for (const value of await everyWay(Array.from(content, (byte) => String.fromCharCode(byte)).join(""))) {
          assert.ok(value instanceof Map, `${value}`);
          const { bytes } = value.get("words") as OpaqueArray;
          assert.deepEqual([bytes.length, bytes.every((byte) => byte === 0x79)], [size, true]);
        }
      }
    });

    it(`are complete in an array of ${size} bytes of text at protocol 5, where they come before its dtype`, async () => {
      for (const data of [bytes(size), `\x96${u32(size)}\0\0\0\0${"y".repeat(size)}`]) {
        const dtype = `cnumpy\ndtype\nX${u32(2)}S1\x89\x88\x87R`;
        const array = `cnumpy.core.numeric\n_frombuffer\n(${data}${dtype}J${u32(size)}\x85U\x01CtR`;
        const pickle = `\x80\x05}(U\x1bStructuredToParameterName@@}U\x05words${array}U\x05epochK\x07u.`;
        for (const value of await everyWay(pickle)) {
          assert.ok(value instanceof Map && value.get("epoch") === 7, `${value}`);
          const { bytes } = value.get("words") as OpaqueArray;
          assert.deepEqual([bytes.length, bytes.every((byte) => byte === 0x79)], [size, true]);
        }
      }
    });

    it(`are complete in a numpy scalar of ${size}, however the file is read`, async () => {
      for (const data of [bytes(size), text(size)]) {
        for (const value of await everyWay(`\x80\x02]${scalar(size, data)}a.`)) {
          const [array] = value as unknown[];
          assert.ok(array instanceof NumpyScalar, `${value}`);
          const kept = array.value as unknown as Uint8Array;
          assert.deepEqual([kept.length, kept.every((byte) => byte === 0x79)], [size, true]);
        }
      }
    });
  }

  it("are refused as keys from 4 KiB on, and when they come from the memo, however the file is read", async () => {
    assert.ok((await everyWay(`\x80\x03}${bytes(4095)}Ns.`)).every((value) => value instanceof Map));
    assert.deepEqual(new Set(await everyWay(`\x80\x03}${bytes(4096)}Ns.`)), new Set(["BAD_KEY"]));
    assert.deepEqual(
      new Set(await everyWay(`\x80\x03}${bytes(70_000)}\x85Ns${bytes(70_000)}\x85Ns.`)),
      new Set(["BAD_KEY"]),
    );
    const later = `\x80\x03${bytes(70_000)}q\0cbuiltins\nbytearray\nh\0\x85R\x86.`;
    assert.deepEqual(new Set(await everyWay(later)), new Set(["FORBIDDEN_CALL"]));
  });
});
