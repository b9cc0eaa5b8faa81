import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import process from "node:process";
import { deflateRawSync, gzipSync } from "node:zlib";
import { inflate } from "../../src/io/archives/inflate.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";

describe("decompression", () => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

  for (const [format, packed] of [["gzip", gzipSync(bytes)], ["deflate-raw", deflateRawSync(bytes)]] as const) {
    it(`can be left at any time: no error comes later, where nobody can catch it (${format})`, async () => {
      const late: unknown[] = [], note = (error: unknown) => void late.push(error);
      process.on("uncaughtException", note);
      try {
        for (const most of [1, 2, 3, 10]) {
          const make = async function* () {
            for (let at = 0; at < packed.length; at += 1000) yield new Uint8Array(packed.subarray(at, at + 1000));
          };
          const options = { format, compressed: packed.length, limits: DEFAULT_LIMITS, offset: 0 };
          let chunks = 0;
          for await (const _ of inflate(make, options)) {
            if (++chunks === most) break;
            // A slow reader: meanwhile, more is decompressed.
            await turn();
          }
          assert.equal(chunks, most);
          await turn();
        }
      } finally {
        process.off("uncaughtException", note);
      }
      assert.deepEqual(late, []);
    });
  }
});
