import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  BucketFolder,
  DirectoryFolder,
  encode,
  FileListFolder,
  HandleFolder,
  HttpFolder,
  isPaddleError,
  load,
  MemoryFolder,
  NDArray,
  open,
  type Source,
  type StateDict,
  type SyncHandle,
  Tensor,
} from "../../mod.ts";
import { CoalescedSource } from "../../src/io/sources/coalesced_source.ts";
import { SyncHandleSource } from "../../src/io/sync_handle.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";
import { good, scriptedServer } from "../helpers/scripted_server.ts";
import { SOON, takesLittle, timeOf } from "../helpers/soon.ts";
import { equal, patterned, sourceContract } from "./source_contract.ts";

/** A custom source that returns at most `most` bytes at a time. */
class OwnSource implements Source {
  readonly size: number;
  readonly reads: [number, number][] = [];
  closed = 0;
  readonly #bytes: Uint8Array;
  readonly #most: number;
  readonly costly?: boolean;

  constructor(bytes: Uint8Array, { most = Infinity, costly }: { most?: number; costly?: boolean } = {}) {
    this.#bytes = bytes;
    this.size = bytes.length;
    this.#most = most;
    this.costly = costly;
  }

  // deno-lint-ignore require-await
  async read(offset: number, into: Uint8Array): Promise<number> {
    if (this.closed) throw new TypeError("the source was closed");
    const part = this.#bytes.subarray(offset, offset + Math.min(into.length, this.#most));
    this.reads.push([offset, part.length]);
    into.set(part);
    return part.length;
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

const NAME = "a.bin";

sourceContract("memory", async (bytes) => ({ source: (await new MemoryFolder([[NAME, bytes]]).get(NAME))! }));
sourceContract("a blob", async (bytes) => {
  const folder = new FileListFolder([[NAME, new Blob([bytes as Uint8Array<ArrayBuffer>])]]);
  return { source: (await folder.get(NAME))! };
});
sourceContract("a file by path", async (bytes) => {
  const path = mkdtempSync(join(tmpdir(), "oarlock-source-"));
  writeFileSync(join(path, NAME), bytes);
  return { source: (await new DirectoryFolder(path).get(NAME))!, done: () => rmSync(path, { recursive: true }) };
});
sourceContract("a file handle", async (bytes) => {
  const root = fakeDirectory();
  const stream = await (await root.getFileHandle(NAME, { create: true })).createWritable();
  await stream.write(bytes as Uint8Array<ArrayBuffer>);
  await stream.close();
  return { source: (await new HandleFolder(root).get(NAME))! };
});
sourceContract("a synchronous handle", async (bytes) => {
  const file = await fakeDirectory().getFileHandle(NAME, { create: true });
  const handle = await (file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle();
  handle.write(bytes);
  return { source: new SyncHandleSource(handle) };
});
sourceContract("an object of a bucket", async (bytes) => {
  return { source: (await new BucketFolder(new FakeBucket([[NAME, bytes]])).get(NAME))! };
});
sourceContract("a URL", async (bytes) => {
  const server = await scriptedServer((asked) => good(asked, bytes));
  return { source: (await new HttpFolder(server.url).get(NAME))!, done: () => server.close() };
});
sourceContract("a URL of a server without ranges", async (bytes) => {
  const server = await scriptedServer((asked) => good({ ...asked, range: null }, bytes));
  return { source: (await new HttpFolder(server.url).get(NAME))!, done: () => server.close() };
});
sourceContract("a custom object", (bytes) => Promise.resolve({ source: new OwnSource(bytes) }));
sourceContract(
  "a custom object that gives little at a time",
  (bytes) => Promise.resolve({ source: new OwnSource(bytes, { most: 997 }) }),
);
sourceContract(
  "a custom object over a network",
  (bytes) => Promise.resolve({ source: new OwnSource(bytes, { costly: true }) }),
);
sourceContract(
  "coalesced reads of another source",
  (bytes) => Promise.resolve({ source: new CoalescedSource(new OwnSource(bytes, { most: 70_001 })) }),
);

const TENSORS = Array.from({ length: 6 }, (_, i) => {
  const length = i % 2 ? 5 : 80_000;
  return [`t${i}`, new Tensor("int32", [length], Int32Array.from({ length }, (_, j) => i * j))] as const;
});
const FILE = encode(new Map(TENSORS));

/** A source that is faulty from read number `at` on. */
function faulty(
  at: number,
  fault: (offset: number, into: Uint8Array) => Promise<number>,
): Source & { reads: number; closed: number } {
  return {
    size: FILE.length,
    reads: 0,
    closed: 0,
    read(offset, into) {
      if (++this.reads >= at) return fault(offset, into);
      const part = FILE.subarray(offset, offset + into.length);
      into.set(part);
      return Promise.resolve(part.length);
    },
    close() {
      this.closed++;
      return Promise.resolve();
    },
  };
}

describe("a source that misbehaves", () => {
  const verbs: [string, (source: Source) => Promise<unknown>][] = [
    ["load", (source) => load(source)],
    ["open", async (source) => {
      await using checkpoint = await open(source);
      for await (const _ of checkpoint);
    }],
  ];
  const ours = new Error("the disk is on fire");
  const fails = () => {
    throw ours;
  };
  const faults: [string, (offset: number, into: Uint8Array) => Promise<number>, (error: unknown) => boolean][] = [
    ["gives nothing before its end", () => Promise.resolve(0), (e) => isPaddleError(e) && e.code === "SHORT_READ"],
    ["rejects", () => Promise.reject(ours), (e) => e === ours || (e instanceof Error && e.cause === ours)],
    ["throws", () => {
      throw ours;
    }, (e) => e === ours || (e instanceof Error && e.cause === ours)],
    ["gives NaN", () => Promise.resolve(NaN), (e) => isPaddleError(e)],
    ["gives a negative count", () => Promise.resolve(-1), (e) => isPaddleError(e)],
    ["gives more than there is room for", (_, into) => Promise.resolve(into.length + 1), (e) => isPaddleError(e)],
  ];
  for (const [verb, run] of verbs) {
    for (const [name, fault, isDue] of faults) {
      it(`gives an error in ${verb}, and is closed, when it ${name}, at every read`, async () => {
        let failed = 0;
        for (let at = 1; at < 100; at++) {
          const source = faulty(at, fault);
          const error = await run(source).then(() => null, (error) => error);
          assert.equal(source.closed, 1, `closed once at read ${at}`);
          if (error === null) {
            assert.ok(source.reads < at, `the fault of read ${at} of ${source.reads} went unseen`);
            break;
          }
          assert.ok(isDue(error), `read ${at}: ${error}`);
          failed++;
        }
        assert.ok(failed > 0);
      });
    }

    it(`gives an error in ${verb}, and is closed, when its size is invalid, or when readSync, view or verify fail or give an invalid result`, async () => {
      const wrongs: Partial<Source>[] = [
        ...[NaN, -1, 1.5, Infinity, "100", 100n, undefined].map((size) => ({ size: size as number })),
        ...[NaN, -1, 1.5, 2 ** 40, "5", undefined].map((count) => ({ readSync: () => count as number })),
        { readSync: () => 0 },
        { view: () => new Uint8Array(3) },
        ...(["readSync", "view", "verify"] as const).map((name) => ({ [name]: fails })),
        { verify: () => Promise.reject(ours) },
      ];
      for (const wrong of wrongs) {
        const source = Object.assign(faulty(Infinity, () => Promise.resolve(0)), wrong);
        const error = await run(source).then(() => null, (error) => error);
        assert.ok(isPaddleError(error) && (error.cause === undefined || error.cause === ours), `${error}`);
        assert.equal(source.closed, 1);
      }
    });

    it(`does not make ${verb} fail or wait when its close does`, async () => {
      for (const close of [fails, () => Promise.reject(ours)]) {
        await run(Object.assign(faulty(Infinity, () => Promise.resolve(0)), { close }));
      }
      const controller = new AbortController(), { signal } = controller;
      const source = Object.assign(faulty(Infinity, () => Promise.resolve(0)), {
        close: () => {
          setTimeout(() => controller.abort());
          return new Promise<void>(() => {});
        },
      });
      await (verb === "load" ? load(source, { signal }) : audit(source, { signal }));
    });

    it(`is awaited by ${verb}, however late it answers`, async () => {
      const source = faulty(1, async (offset, into) => {
        await new Promise((resolve) => setTimeout(resolve, (offset * 7) % 5));
        const part = FILE.subarray(offset, offset + Math.min(into.length, 30_000));
        into.set(part);
        return part.length;
      });
      await run(source);
      assert.equal(source.closed, 1);
    });

    it(`lets ${verb} end within ${SOON} ms of an abort when it never answers`, async () => {
      await takesLittle(verb, async () => {
        const source = faulty(2, () => new Promise<number>(() => {}));
        const controller = new AbortController();
        const running = (verb === "load" ? load : open)(source, { signal: controller.signal }).then(
          (c) =>
            c instanceof Map
              ? null
              : (c as { get(n: string, o: object): Promise<unknown> }).get("t4", { signal: controller.signal }),
        ).then(() => null, (error) => error);
        await new Promise((resolve) => setTimeout(resolve, 30));
        controller.abort("enough");
        return await timeOf(async () => assert.equal(await running, "enough"));
      });
    });
  }
});

describe("coalesced reads", () => {
  it("are few for a remote file of small tensors", async () => {
    const small = encode(
      new Map(Array.from({ length: 5000 }, (_, i) => [`t${i}`, new Tensor("int32", [8], new Int32Array(8).fill(i))])),
    );
    const source = new OwnSource(small, { costly: true });
    await using checkpoint = await open(source);
    assert.equal(checkpoint.names().length, 5000);
    assert.ok(source.reads.length <= 2 + small.length / 65_536, `${source.reads.length} for ${small.length}`);
    const read = source.reads.reduce((sum, [, length]) => sum + length, 0);
    assert.ok(read <= 1.1 * small.length + 65_536, `${read} of ${small.length}`);
  });

  it("are few for any mixture of large and small tensors, and read no byte twice", async () => {
    for (const lengths of [[1, 20_000], [5000], [15_000, 15_000, 3], [300_000, 10, 10, 10], [16_000]]) {
      const tensors = Array.from({ length: 120 }, (_, i) => {
        const length = lengths[i % lengths.length];
        return [`t${i}`, new Tensor("int32", [length], new Int32Array(length).fill(i))] as const;
      });
      const file = encode(new Map(tensors));
      const source = new OwnSource(file, { costly: true });
      await using checkpoint = await open(source);
      assert.equal(checkpoint.info("t119").shape[0], lengths[119 % lengths.length]);
      assert.ok(
        source.reads.length <= 2 + file.length / 65_536,
        `${lengths}: ${source.reads.length} for ${file.length}`,
      );
      const sorted = source.reads.toSorted?.((a, b) => a[0] - b[0]) ?? source.reads;
      for (let i = 1; i < sorted.length; i++) {
        assert.ok(sorted[i][0] >= sorted[i - 1][0] + sorted[i - 1][1], "a byte is read twice");
      }
    }
  });

  it("join neighbours, but neither across gaps that add up to too much nor into very long reads", async () => {
    const bytes = patterned(10_000_000);
    const own = new OwnSource(bytes);
    const source = new CoalescedSource(own);
    const ask = async (...ranges: [number, number][]) => {
      own.reads.length = 0;
      const parts = await Promise.all(ranges.map(async ([offset, length]) => {
        const into = new Uint8Array(length);
        assert.equal(await source.read(offset, into), length);
        return equal(into, bytes.subarray(offset, offset + length));
      }));
      assert.ok(parts.every(Boolean));
      return own.reads.length;
    };
    assert.equal(await ask([0, 10], [10, 10]), 1);
    assert.equal(await ask([100, 10], [0, 10], [50_000, 10]), 1, "in any order");
    assert.equal(await ask([0, 10], [70_000, 10]), 2, "too far");
    assert.equal(await ask([0, 100], [50, 10], [0, 100]), 1, "overlapping, and the same twice");
    assert.equal(await ask([0, 10], [60_000, 10], [120_000, 10]), 2, "gaps add up");
    assert.equal(await ask([0, 3_000_000], [3_000_000, 3_000_000]), 2, "long ones go by themselves");
    assert.equal(await ask(...Array.from({ length: 1000 }, (_, i) => [i * 100, 100] as [number, number])), 1);
  });

  it("fail for all callers who share them, and only for those", async () => {
    const own = new OwnSource(patterned(1000));
    const source = new CoalescedSource(own);
    own.closed = 1;
    const results = await Promise.allSettled([source.read(0, new Uint8Array(4)), source.read(8, new Uint8Array(4))]);
    assert.deepEqual(results.map((result) => result.status), ["rejected", "rejected"]);
    own.closed = 0;
    assert.equal(await source.read(0, new Uint8Array(4)), 4);
  });
});

describe("one pass over a stream", () => {
  /** A stream of `bytes` that counts its chunks. */
  const streamed = (bytes: Uint8Array, size: number) => {
    const counted = {
      chunks: 0,
      stream: new ReadableStream<Uint8Array>({
        pull(controller) {
          const at = counted.chunks * size;
          if (at >= bytes.length) return controller.close();
          counted.chunks++;
          controller.enqueue(bytes.slice(at, at + size));
        },
      }),
    };
    return counted;
  };
  const small = TENSORS.map(([name, tensor]) => [name, new Tensor("int32", [5], tensor.data.slice(0, 5))] as const);
  const all: [number, readonly (readonly [string, Tensor])[]][] = [
    // A megabyte of chunks of one byte takes seconds.
    [1, small],
    [13, TENSORS],
    [65_536, TENSORS],
    [10_000_000, TENSORS],
  ];
  for (const [size, tensors] of all) {
    it(`gives the same tensors in chunks of ${size.toLocaleString("en")} ${size === 1 ? "byte" : "bytes"}`, async () => {
      const bytes = encode(new Map(tensors));
      const counted = streamed(bytes, size);
      const state = await load(counted.stream) as StateDict;
      assert.deepEqual([...state.keys()], tensors.map(([name]) => name));
      for (const [name, tensor] of tensors) assert.ok((state.get(name) as NDArray).equals(tensor), name);
      assert.equal(counted.chunks, Math.ceil(bytes.length / size));
    });
  }

  it("keeps a large array of protocol 2 in a buffer of just its size", async () => {
    const array = new NDArray("uint8", [3 * 2 ** 20 + 5], patterned(3 * 2 ** 20 + 5));
    const file = encode(array, { protocol: 2 });
    const read = await load(new Blob([file as BlobPart]).stream(), { returnNumpy: true }) as NDArray;
    assert.ok(read.equals(array));
    assert.equal(read.bytes.buffer.byteLength, array.nbytes);
  });
});
