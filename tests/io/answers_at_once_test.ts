import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { describe, it } from "@std/testing/bdd";
import {
  type Bucket,
  BucketFolder,
  encode,
  type Fetch,
  load,
  NDArray,
  open,
  openArchive,
  recoverStateDict,
  save,
  type Source,
  static as staticGraph,
  Tensor,
} from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";

/** Answers after which the test gives up: they take far longer than the timer that aborts. */
const MOST = 400_000;
const FILE = encode(new Map([["w", new Tensor("float32", [MOST])]]));
const TEXT = encode(new Map([["w", new Tensor("float32", [MOST])]]), { protocol: 2 });
const tooLate = () => new Error("the signal was not honoured");

/** A stream that has a byte ready whenever it is asked for one, without end. */
function endless(first: Uint8Array = new Uint8Array(0)): ReadableStream<Uint8Array> {
  let n = 0;
  return new ReadableStream({
    start: (controller) => void (first.length > 0 && controller.enqueue(first)),
    pull: (controller) => ++n > MOST ? controller.error(tooLate()) : controller.enqueue(Uint8Array.of(7)),
  });
}

/** A source that answers at once, with one byte of a tensor at a time. */
function drop(file: Uint8Array): Source {
  return {
    size: file.length,
    read(offset, into) {
      const part = file.subarray(offset, offset + (into.length < 100_000 ? into.length : 1));
      into.set(part);
      return Promise.resolve(part.length);
    },
  };
}

const get = async (file: Uint8Array, signal: AbortSignal) => await (await open(drop(file))).get("w", { signal });
const readsEndlessly: Fetch = (_, init) => {
  const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get("range") ?? "")!;
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]) + 1, FILE.length)];
  const body = end - start > 100_000 ? endless() : FILE.slice(start, end);
  const headers = { "content-range": `bytes ${start}-${end - 1}/${FILE.length}` };
  return Promise.resolve(new Response(body as BodyInit, { status: 206, headers }));
};
function bucket(): Bucket {
  const fake = new FakeBucket() as unknown as Bucket;
  return {
    ...fake,
    head: () => Promise.resolve({ size: FILE.length, etag: "1" }),
    get: (_, { range } = {}) =>
      Promise.resolve({
        size: FILE.length,
        etag: "1",
        body: range!.length > 100_000
          ? endless()
          : new Blob([FILE.slice(range!.offset, range!.offset + range!.length)]).stream(),
      }),
  };
}

const WORK: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
  "a stream that is read whole: loadNpz": (signal) => npy.loadNpz(endless(), { signal }),
  "a stream that is read whole: openArchive": (signal) => openArchive(endless(), { signal }),
  "a stream that is read whole: loadFromFile": (signal) => staticGraph.loadFromFile(endless(), { signal }),
  "a stream that is read whole: recoverStateDict": (signal) =>
    recoverStateDict({ program: endless(), params: endless() }, { signal }),
  "a stream that is loaded": (signal) => load(endless(FILE.slice(0, 200)), { signal }),
  "a source that is loaded": (signal) => load(drop(FILE), { signal }),
  "a source of which an array is read": (signal) => get(FILE, signal),
  "a source of which an array in text is read": (signal) => get(TEXT, signal),
  "a source that is saved": async (signal) => await save(await open(drop(FILE)), new WritableStream({}), { signal }),
  "a server": async (signal) => {
    const checkpoint = await open("http://example.com/a", { fetch: readsEndlessly, http: { retries: 0 } });
    return await checkpoint.get("w", { signal });
  },
  "an archive that is decompressed": (signal) => {
    const bytes = Buffer.alloc(
      2 ** 27,
      Uint8Array.from({ length: 2 ** 16 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 28),
    );
    // Cut off, so that it fails in another way at its end.
    return openArchive(new Uint8Array(gzipSync(bytes, { level: 1 })).slice(0, -1), { signal });
  },
  "a bucket": async (signal) => {
    const checkpoint = await open("a", { folder: new BucketFolder(bucket()) });
    return await checkpoint.get("w", { signal });
  },
  "a sink that is busy": (signal) => {
    let n = 0;
    const sink = new WritableStream<Uint8Array>({
      write(chunk, controller) {
        if (++n > 100) controller.error(tooLate());
        for (const until = performance.now() + 2; performance.now() < until;);
        assert.ok(chunk.length > 0);
      },
    });
    return save(new NDArray("uint8", [2 ** 27], new Uint8Array(2 ** 27)), sink, { signal });
  },
};

describe("what answers at once, without end, does not keep others waiting", () => {
  for (const [name, work] of Object.entries(WORK)) {
    it(`so that a timer can abort: ${name}`, async () => {
      const controller = new AbortController(), reason = { mine: true };
      const timer = setTimeout(() => controller.abort(reason), 5);
      try {
        await assert.rejects(work(controller.signal), (error) => error === reason);
      } finally {
        clearTimeout(timer);
      }
    });
  }
});
