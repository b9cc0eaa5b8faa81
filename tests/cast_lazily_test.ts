import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { type DType, type LazyBytes, NDArray, Tensor } from "../mod.ts";
import { castLazily } from "../src/words/cast_lazily.ts";
import { joinBytes, piecesOf } from "../src/words/joined_bytes.ts";

/** Bytes that are read in pieces of this length, regardless of element boundaries. */
function inPieces(bytes: Uint8Array, length: number): LazyBytes & { reads: number } {
  const lazy = {
    reads: 0,
    read: () => Promise.resolve((lazy.reads++, bytes)),
    async *pieces(from: number, to: number): AsyncGenerator<Uint8Array> {
      lazy.reads++;
      for (let at = from; at < to; at += length) yield bytes.subarray(at, Math.min(to, at + length));
    },
  };
  return lazy;
}

describe("an array that is cast to another dtype lazily", () => {
  const bytes = new Uint8Array(Float32Array.from({ length: 101 }, (_, i) => (i - 50) / 3).buffer);

  it("gives what astype gives, however its bytes arrive and whichever of them are requested", async () => {
    const whole = new NDArray("float32", [101], bytes);
    for (const to of ["float16", "float64", "bfloat16", "int32"] as DType[]) {
      const expected = whole.astype(to).bytes;
      for (const length of [1, 3, 7, 64, 1000]) {
        const cast = castLazily(new NDArray("float32", [101], inPieces(bytes, length)), to);
        for (const [from, end] of [[0, cast.nbytes], [1, 100], [17, 18], [cast.nbytes - 1, cast.nbytes], [5, 5]]) {
          const pieces: Uint8Array[] = [];
          for await (const piece of piecesOf(cast.unread!, from, end)) pieces.push(piece);
          assert.deepEqual(joinBytes(pieces), expected.slice(from, end), `${to} by ${length}: ${from} to ${end}`);
        }
        assert.deepEqual((await cast.load()).bytes, expected);
      }
    }
  });

  it("passes on the caller's signal as its pieces are read", async () => {
    const { signal } = new AbortController(), seen: unknown[] = [];
    const lazy: LazyBytes = {
      ...inPieces(bytes, 64),
      async *pieces(_from, _to, options) {
        seen.push(options?.signal);
        yield bytes;
      },
    };
    const cast = castLazily(new NDArray("float32", [101], lazy), "float16");
    for await (const _ of piecesOf(cast.unread!, 0, 202, { signal }));
    assert.deepEqual(seen, [signal]);
  });

  it("keeps class and name, and is not read until it is needed", () => {
    const lazy = inPieces(bytes, 7);
    const cast = castLazily(new Tensor("float32", [101], lazy, { name: "w" }), "float16");
    assert.ok(cast instanceof Tensor && cast.name === "w" && !cast.isLoaded);
    assert.deepEqual([lazy.reads, cast.nbytes], [0, 202]);
  });

  it("is verified where the bytes in the file are, such as by the checksum of an archive", async () => {
    const damaged = { ...inPieces(bytes, 7), verify: () => Promise.reject(new Error("damaged")) };
    const cast = castLazily(new NDArray("float32", [101], damaged), "float16");
    await assert.rejects(async () => await cast.unread!.verify!(), { message: "damaged" });
  });
});
