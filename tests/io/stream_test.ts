import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { encode, NDArray, open, type Source, SourceError, Tensor } from "../../mod.ts";
import { big, FORTRAN } from "../helpers/stream_pickles.ts";

const NET = "tests/fixtures/real/paddle-3.3.1/net/net.pdparams";

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

/** Values whose bytes reach a stream in all possible ways. */
const values = Float32Array.from({ length: 3_000_001 }, (_, i) => Math.sin(i) * 1e3);
const state = new Map([["weight", new Tensor("float32", [values.length], values)], [
  "empty",
  new Tensor("int8", [0, 3]),
]]);

const FILES: Record<string, () => Uint8Array> = {
  "arrays in bytes, at protocol 4": () => encode(state),
  "arrays in text, at protocol 2": () => encode(state, { protocol: 2 }),
  "an array in Fortran order": () => FORTRAN,
  "an array of big-endian numbers": () => big(),
};

describe("Checkpoint.stream", () => {
  for (const [what, make] of Object.entries(FILES)) {
    it(`gives what get gives, and any range of it: ${what}`, async () => {
      for (const from of [make(), new Blob([make() as Uint8Array<ArrayBuffer>])]) {
        await using checkpoint = await open(from);
        for (const name of checkpoint.names()) {
          const whole = (await checkpoint.get(name)).bytes, n = whole.length;
          assert.deepEqual(await collect(checkpoint.stream(name)), whole);
          for (const [a, b] of [[0, 0], [n, n], [0, Math.min(n, 7)], [n >> 1, n], [n >> 2, (n >> 2) + (n >> 3)]]) {
            assert.deepEqual(
              await collect(checkpoint.stream(name, { range: [a, b] })),
              whole.slice(a, b),
              `${a}..${b}`,
            );
          }
        }
      }
    });
  }

  it("gives every array of a real file", async () => {
    await using checkpoint = await open(NET);
    for (const name of checkpoint.names()) {
      assert.deepEqual(await collect(checkpoint.stream(name)), (await checkpoint.get(name)).bytes, name);
    }
  });

  it("gives bytes that belong to the reader", async () => {
    const array = new NDArray("uint8", [4], Uint8Array.of(1, 2, 3, 4));
    await using checkpoint = await open(encode(new Map([["a", array]])));
    (await collect(checkpoint.stream("a"))).fill(9);
    assert.deepEqual([...(await checkpoint.get("a")).bytes], [1, 2, 3, 4]);
  });

  for (const [what, make] of Object.entries(FILES)) {
    it(`gives chunks that the reader may keep, change or transfer: ${what}`, async () => {
      await using checkpoint = await open(new Blob([make() as Uint8Array<ArrayBuffer>]));
      const [name] = checkpoint.names(), whole = (await checkpoint.get(name)).bytes;
      const kept: Uint8Array[] = [], reader = checkpoint.stream(name, { range: [3, whole.length - 5] }).getReader();
      for (let step; !(step = await reader.read()).done;) {
        kept.push(structuredClone(step.value, { transfer: [step.value.buffer] }));
      }
      assert.deepEqual(new Uint8Array(Buffer.concat(kept)), whole.slice(3, -5));
    });
  }

  it("refuses unknown names and ranges out of bounds", async () => {
    await using checkpoint = await open(NET);
    assert.throws(() => checkpoint.stream("nobody"), (error: SourceError) => error.code === "NOT_FOUND");
    const [name] = checkpoint.names(), n = (await checkpoint.get(name)).bytes.length;
    for (const range of [[-1, 0], [1, 0], [0, n + 1], [0.5, 1]] as [number, number][]) {
      assert.throws(() => checkpoint.stream(name, { range }), TypeError);
    }
  });

  it("ends with signal.reason, and can be cancelled", async () => {
    await using checkpoint = await open(encode(state));
    const reason = new Error("enough");
    await assert.rejects(collect(checkpoint.stream("weight", { signal: AbortSignal.abort(reason) })), reason);
    const reader = checkpoint.stream("weight").getReader();
    assert.ok((await reader.read()).value!.length <= 4 * 2 ** 20);
    await reader.cancel();
    assert.equal((await checkpoint.get("weight")).size, values.length);
  });

  /** What a source's own stream of `[at, end)` does: return all bytes, or only so many, and then this. */
  type Fault = "right" | { after: number; then?: unknown };
  const LARGE = encode(
    new Map([[
      "w",
      new NDArray("uint8", [5 * 2 ** 20], Uint8Array.from({ length: 5 * 2 ** 20 }, (_, i) => i * 7 >> 3)),
    ]]),
  );

  /** Stream `w` from a source whose own streams have these faults, in turn; returns the ranges requested. */
  async function streamedWith(faults: readonly Fault[]): Promise<{ error: unknown; asked: [number, number][] }> {
    const asked: [number, number][] = [];
    const source: Source = {
      size: LARGE.length,
      name: "mine",
      read(offset, into) {
        into.set(LARGE.subarray(offset, offset + into.length));
        return Promise.resolve(Math.min(into.length, LARGE.length - offset));
      },
      streamRange(start, end) {
        const fault = faults[asked.length] ?? "right";
        asked.push([start, end]);
        const stop = fault === "right" ? end : Math.min(end, start + fault.after);
        let at = start;
        return new ReadableStream<Uint8Array>({
          pull(controller) {
            if (at < stop) return controller.enqueue(LARGE.slice(at, at = stop));
            if (fault === "right" || !("then" in fault)) return controller.close();
            if (fault.then instanceof Error) controller.error(fault.then);
            else controller.enqueue(fault.then as Uint8Array);
          },
        });
      },
    };
    await using checkpoint = await open(source);
    const whole = (await checkpoint.get("w")).bytes;
    asked.length = 0;
    const error = await collect(checkpoint.stream("w")).then(
      (bytes) => assert.deepEqual(bytes, whole),
      (error) => error,
    );
    return { error, asked };
  }

  it("resumes when a source's own stream breaks or ends early, up to three times with little progress", async () => {
    const broken = { after: 1000, then: new Error("gone") };
    assert.equal((await streamedWith([])).asked.length, 1);
    for (const fault of [broken, { after: 1000 }, { after: 0 }]) {
      const { error, asked } = await streamedWith([fault, fault, fault]);
      assert.equal(error, undefined);
      const [first] = asked;
      assert.deepEqual(asked, [0, 1, 2, 3].map((n) => [first[0] + n * fault.after, first[1]]));
      const often = await streamedWith([fault, fault, fault, fault]);
      assert.deepEqual([(often.error as SourceError).code, often.asked.length], ["READ_FAILED", 4]);
      assert.equal((often.error as SourceError).path, "mine");
    }
    // A stream that made good progress before it broke does not count as another failure at the same offset.
    const far = { after: 2 ** 20, then: new Error("gone") };
    assert.equal((await streamedWith([far, far, far, far])).error, undefined);
  });

  it("refuses a source's own stream that gives too many bytes, or no bytes at all", async () => {
    for (const then of ["text", new Uint8Array(LARGE.length), null]) {
      const { error } = await streamedWith(Array(4).fill({ after: 1000, then }));
      assert.equal((error as SourceError).code, "READ_FAILED", String(then).slice(0, 9));
    }
  });

  it("reports a file that was truncated while it was open", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oarlock-stream-"));
    try {
      const path = join(folder, "net.pdparams");
      writeFileSync(path, encode(state));
      await using checkpoint = await open(path);
      truncateSync(path, 6_000_000);
      await assert.rejects(
        collect(checkpoint.stream("weight")),
        (error) => error instanceof SourceError && error.path === path,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
