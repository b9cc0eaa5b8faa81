/** Tests that every source must pass: run on each of ours, and on a custom one. */
import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { encode, load, type NDArray, open, type Source, type StateDict, Tensor } from "../../mod.ts";

/** Opens a source over `bytes`; `done` cleans up. */
export type MakeSource = (bytes: Uint8Array) => Promise<{ source: Source; done?: () => unknown }>;

/** Bytes whose values depend on their position. */
export function patterned(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255;
  return bytes;
}

/** Read `[offset, offset + length)` in as many reads as the source needs. */
export async function readAll(source: Source, offset: number, length: number): Promise<Uint8Array> {
  const into = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const n = await source.read(offset + done, into.subarray(done));
    assert.ok(Number.isSafeInteger(n) && n >= 0 && n <= length - done, `a read of ${length - done} bytes gave ${n}`);
    if (n === 0) break;
    done += n;
  }
  return into.subarray(0, done);
}

/** The suite. */
export function sourceContract(name: string, make: MakeSource): void {
  const over = async (bytes: Uint8Array, test: (source: Source) => Promise<void>) => {
    const { source, done } = await make(bytes);
    try {
      await test(source);
    } finally {
      await source.close?.();
      await done?.();
    }
  };

  describe(`${name} as a source`, () => {
    it("knows its size and gives any part", () => {
      const bytes = patterned(3_000_001);
      return over(bytes, async (source) => {
        assert.equal(source.size, bytes.length);
        for (
          const [offset, length] of [
            [0, 1],
            [0, 70_000],
            [65_535, 2],
            [1_048_575, 2],
            [999_999, 1_200_000],
            [2_999_999, 2],
            [0, 3_000_001],
          ]
        ) {
          const got = await readAll(source, offset, length);
          assert.ok(equal(got, bytes.subarray(offset, offset + length)), `bytes ${offset} to ${offset + length}`);
        }
      });
    });

    it("gives nothing at its end, and nothing into an empty buffer", () =>
      over(patterned(100), async (source) => {
        assert.equal(await source.read(100, new Uint8Array(10)), 0);
        assert.equal(await source.read(50, new Uint8Array(0)), 0);
        assert.equal((await readAll(source, 90, 20)).length, 10);
      }));

    it("touches no byte beyond those that it fills", () =>
      over(patterned(100), async (source) => {
        const into = new Uint8Array(40).fill(255);
        let done = 0;
        while (done < 10) {
          done += await source.read(90 + done, into.subarray(10 + done, 30));
        }
        assert.deepEqual([...into.subarray(0, 10)], Array(10).fill(255));
        assert.deepEqual([...into.subarray(20)], Array(20).fill(255));
      }));

    it("is empty when the file is", () =>
      over(new Uint8Array(0), async (source) => {
        assert.equal(source.size, 0);
        assert.equal(await source.read(0, new Uint8Array(1)), 0);
      }));

    it("answers many reads at the same time", () => {
      const bytes = patterned(2_000_000);
      return over(bytes, async (source) => {
        const parts = await Promise.all(
          Array.from({ length: 40 }, (_, i) => readAll(source, (i * 49_999) % 1_900_000, 10_000 + i)),
        );
        parts.forEach((part, i) => {
          const offset = (i * 49_999) % 1_900_000;
          assert.ok(equal(part, bytes.subarray(offset, offset + 10_000 + i)), `read ${i}`);
        });
      });
    });

    it("gives the same bytes by readSync, view and readAll, if it has them", () => {
      const bytes = patterned(200_000);
      return over(bytes, async (source) => {
        if (source.readSync) {
          const into = new Uint8Array(1000);
          let done = 0;
          while (done < 1000) done += source.readSync(100_000 + done, into.subarray(done));
          assert.ok(equal(into, bytes.subarray(100_000, 101_000)));
          assert.equal(source.readSync(200_000, into), 0);
        }
        if (source.view) assert.ok(equal(source.view(100_000, 1000), bytes.subarray(100_000, 101_000)));
        if (source.readAll) {
          const all = new Uint8Array(
            await new Response(source.readAll() as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
          );
          assert.ok(equal(all, bytes));
        }
        await source.verify?.();
        assert.equal((await readAll(source, 0, 10)).length, 10);
      });
    });

    it("can be used with load and open", async () => {
      const tensors = Array.from({ length: 12 }, (_, i) => {
        const length = i % 3 === 0 ? 100_000 + i : 3 + i;
        return [`t${i}`, new Tensor("int32", [length], Int32Array.from({ length }, (_, j) => i + j))] as const;
      });
      const bytes = encode(new Map(tensors));
      const eager = await make(bytes);
      const state = await load(eager.source) as StateDict;
      await eager.done?.();
      const lazy = await make(bytes);
      try {
        await using checkpoint = await open(lazy.source);
        for (const [key, tensor] of tensors) {
          assert.ok((state.get(key) as NDArray).equals(tensor), key);
          assert.ok((await checkpoint.get(key)).equals(tensor), key);
          const [length] = tensor.shape;
          assert.ok((await checkpoint.getSlice(key, [1, length - 1])).equals(tensor.slice(1, length - 1)), key);
        }
      } finally {
        await lazy.done?.();
      }
    });

    it("may be closed twice, and afterwards only gives what is in memory anyway", () => {
      const bytes = patterned(100_000);
      return over(bytes, async (source) => {
        await source.close?.();
        await source.close?.();
        const reading = Promise.resolve().then(() => readAll(source, 70_000, 10));
        if (source.close && !source.view) {
          await assert.rejects(reading, { name: "TypeError", message: /was closed/ });
        } else assert.ok(equal(await reading, bytes.subarray(70_000, 70_010)));
      });
    });
  });
}

/** Whether the bytes are equal; faster than deepEqual on millions. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
