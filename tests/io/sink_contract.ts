/** Tests that every sink must pass. */
import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { fromArray, load, save, type Sink, type StateDict } from "../../mod.ts";
import { equal, patterned } from "./source_contract.ts";

/** Creates a sink and a way to get the result, which is null if there is none. */
export type MakeSink = () => Promise<{
  sink: Sink;
  result: () => Promise<Uint8Array | null> | Uint8Array | null;
  done?: () => unknown;
}>;

/** The suite. */
export function sinkContract(name: string, make: MakeSink): void {
  const over = async (test: (made: Awaited<ReturnType<MakeSink>>) => Promise<void>) => {
    const made = await make();
    try {
      await test(made);
    } finally {
      await made.done?.();
    }
  };

  describe(`${name} as a sink`, () => {
    for (
      const [what, lengths] of [["chunks of all lengths", [0, 1, 65_536, 3, 9_000_000, 1_048_576, 7]], [
        "nothing",
        [],
      ]] as const
    ) {
      it(`keeps ${what} in order`, () =>
        over(async ({ sink, result }) => {
          const all = patterned(lengths.reduce((a: number, b) => a + b, 0));
          let at = 0;
          for (const length of lengths) await sink.write(all.subarray(at, at += length));
          await sink.close();
          const got = await result();
          assert.ok(got && equal(got, all));
        }));
    }

    it("keeps the contents of a chunk whose memory is reused afterwards", () =>
      over(async ({ sink, result }) => {
        const chunk = new Uint8Array(1000);
        for (let i = 0; i < 20; i++) {
          chunk.fill(i);
          await sink.write(chunk);
        }
        chunk.fill(255);
        await sink.close();
        const got = await result();
        assert.ok(got && equal(got, Uint8Array.from({ length: 20_000 }, (_, i) => Math.floor(i / 1000))));
      }));

    it("leaves nothing behind when it is aborted, early or late", async () => {
      for (const lengths of [[], [10], [1_048_576, 9_000_000, 5]]) {
        await over(async ({ sink, result }) => {
          for (const length of lengths) await sink.write(new Uint8Array(length));
          await sink.abort(new Error("enough"));
          assert.equal(await result(), null);
        });
      }
    });

    it("keeps what it has when it is closed once more, and aborted after that", () =>
      over(async ({ sink, result }) => {
        const bytes = patterned(1_048_576 + 5);
        await sink.write(bytes);
        await sink.close();
        // Whether these calls are refused does not matter.
        for (
          const call of [() => sink.close(), () => sink.abort(new Error("late"))]
        ) await (async () => await call())().catch(() => {});
        const got = await result();
        assert.ok(got && equal(got, bytes));
      }));

    it("accepts what save writes", () =>
      over(async ({ sink, result }) => {
        const value = new Map([["w", fromArray([[1, 2], [3, 4]], "float32")]]);
        const { bytes } = await save(value, sink);
        const got = await result();
        assert.equal(got?.length, bytes);
        assert.deepEqual([...(await load(got!) as StateDict).keys()], ["w"]);
      }));
  });
}
