import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { NDArray, open, type Source } from "../../mod.ts";
import { writePickleChunks } from "../../src/codec/pickle/write/write_pickle.ts";
import { SparseFile } from "../helpers/sparse_file.ts";

describe("an array of more than 4 GiB", () => {
  const NBYTES = 2 ** 32 + 8, END = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const unread = () =>
    new NDArray("uint8", [NBYTES], { read: () => Promise.reject(new Error("nobody may read all of it")) });

  it("is written at protocol 4 with the opcode for 8-byte lengths, and opened again", async () => {
    const file = new SparseFile();
    for (const chunk of writePickleChunks(["before", unread(), "behind"], { protocol: 4 })) {
      if (chunk instanceof Uint8Array) file.add(chunk);
      else {
        file.skip(chunk.length - END.length);
        file.add(END);
      }
    }
    assert.ok(file.size > NBYTES);
    const source: Source = {
      size: file.size,
      read(offset, into) {
        into.set(file.slice(offset, offset + into.length));
        return Promise.resolve(Math.min(into.length, file.size - offset));
      },
    };
    await using checkpoint = await open(source, { returnNumpy: true });
    const [name] = checkpoint.names();
    assert.deepEqual(checkpoint.info(name).shape, [NBYTES]);
    assert.deepEqual((await checkpoint.getSlice(name, [NBYTES - 8, NBYTES])).bytes, END);
    const value = await checkpoint.value() as unknown[];
    assert.deepEqual([value[0], value[2]], ["before", "behind"]);
  });

  it("is refused at protocols 2 and 3, which have no such opcode, before anything is written", () => {
    for (const protocol of [2, 3] as const) {
      const array = unread(), textLengths = new WeakMap([[array.unread!, NBYTES]]);
      assert.throws(() => [...writePickleChunks(array, { protocol, textLengths })], {
        code: "INVALID_VALUE",
        message: /needs protocol 4/,
        actual: NBYTES,
      }, `protocol ${protocol}`);
    }
  });
});
