import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  BucketFolder,
  DirectoryFolder,
  distributed,
  DownloadSink,
  encode,
  type Folder,
  fromArray,
  HandleFolder,
  isPaddleError,
  load,
  MemoryFolder,
  NDArray,
  save,
  SaveError,
  type Sink,
  static as paddleStatic,
  type SyncHandle,
} from "../../mod.ts";
import { StreamSink } from "../../src/io/sinks/stream_sink.ts";
import { SyncHandleSink } from "../../src/io/sync_handle.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";
import { sinkContract } from "./sink_contract.ts";
import { readAll } from "./source_contract.ts";

const NAME = "a.bin";
const MODEL = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";

async function inFolder(folder: MemoryFolder | HandleFolder | BucketFolder) {
  return {
    sink: await folder.put(NAME),
    result: async () => {
      const source = await folder.get(NAME);
      return source && await readAll(source, 0, source.size);
    },
  };
}

sinkContract("memory", () => inFolder(new MemoryFolder()));
sinkContract("a file handle", () => inFolder(new HandleFolder(fakeDirectory())));
sinkContract("a bucket", () => inFolder(new BucketFolder(new FakeBucket())));
sinkContract("a path", async () => {
  const path = mkdtempSync(join(tmpdir(), "oarlock-sink-"));
  return {
    sink: await new DirectoryFolder(path).put(NAME),
    result: () => {
      assert.ok(readdirSync(path).every((name) => name === NAME), "nothing else is left");
      return existsSync(join(path, NAME)) ? new Uint8Array(readFileSync(join(path, NAME))) : null;
    },
    done: () => rmSync(path, { recursive: true }),
  };
});
sinkContract("a stream", () => {
  const chunks: Uint8Array[] = [];
  let done = false;
  const stream = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk),
    close: () => void (done = true),
  });
  return Promise.resolve({
    sink: new StreamSink(stream.getWriter()),
    result: () => done ? new Uint8Array(Buffer.concat(chunks)) : null,
  });
});
sinkContract("a synchronous handle of its own", async () => {
  const root = fakeDirectory();
  const file = await root.getFileHandle(NAME, { create: true });
  const handle = await (file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle();
  let committed = false;
  return {
    sink: new SyncHandleSink(handle, { commit: () => Promise.resolve(void (committed = true)) }),
    result: async () => committed ? new Uint8Array(await (await file.getFile()).arrayBuffer()) : null,
  };
});
sinkContract("a download", () => {
  const real = globalThis as { document?: unknown };
  const urls: Blob[] = [];
  const create = URL.createObjectURL, revoke = URL.revokeObjectURL, timeout = globalThis.setTimeout;
  URL.createObjectURL = (blob) => `blob:${urls.push(blob as Blob)}`;
  URL.revokeObjectURL = () => {};
  let clicked = "";
  const link = { href: "", download: "", click: () => void (clicked = link.download) };
  real.document = { createElement: () => link };
  // A test cannot wait a minute.
  globalThis.setTimeout = ((work: () => void, ms: number) =>
    timeout(work, ms === 60_000 ? 0 : ms)) as typeof setTimeout;
  return Promise.resolve({
    sink: new DownloadSink(NAME),
    result: async () => {
      if (clicked !== NAME) return null;
      return new Uint8Array(await urls[0].arrayBuffer());
    },
    done: () => {
      delete real.document;
      URL.createObjectURL = create;
      URL.revokeObjectURL = revoke;
      globalThis.setTimeout = timeout;
    },
  });
});

describe("a WritableStream without room for a queue", () => {
  it("is written to, one chunk after the other", async () => {
    let written = 0, now = 0, most = 0;
    const sink = new WritableStream<Uint8Array>({
      async write(chunk) {
        most = Math.max(most, ++now);
        await null;
        written += chunk.length;
        now--;
      },
    }, { highWaterMark: 0 });
    const signal = AbortSignal.timeout(5000);
    const { bytes } = await save(new NDArray("float32", [2 ** 20], new Float32Array(2 ** 20)), sink, { signal });
    assert.deepEqual([written, most], [bytes, 1]);
  });
});

describe("a sink with expect", () => {
  const value = fromArray([1, 2, 3], "float32"), { length } = encode(value);
  const sinkOf = (expect: Sink["expect"], calls: string[]): Sink => ({
    expect,
    write: () => void calls.push("write"),
    close: () => void calls.push("close"),
    abort: () => void calls.push("abort"),
  });

  it("is told the size before the first byte, and may refuse", async () => {
    const calls: string[] = [];
    await save(value, sinkOf((size) => void calls.push(`expect ${size}`), calls));
    assert.deepEqual(calls, [`expect ${length}`, "write", "close"]);
    const refused: string[] = [];
    const sink = sinkOf(() => Promise.reject(new Error("too large")), refused);
    await assert.rejects(save(value, sink), { code: "SINK_FAILED", committed: "no" });
    assert.deepEqual(refused, ["abort"]);
  });

  it("is told the size in a folder that a model is saved to, too", async () => {
    const model = await paddleStatic.loadInferenceModel(MODEL), told: [name: string, more: number][] = [];
    const folder = new MemoryFolder(), { put } = folder;
    folder.put = async (name, options) => {
      const sink = await put.call(folder, name, options);
      const write = (chunk: Uint8Array) => sink.write(chunk);
      const expect = (size: number) => void told.push([name, size - options!.size!]);
      return { expect, write, close: () => sink.close(), abort: (reason) => sink.abort(reason) };
    };
    const names = await paddleStatic.relayout(model, "m", { folder });
    assert.deepEqual(told, names.map((name) => [name, 0]));
  });

  it("is given up on an abort while the close of a model's file hangs", async () => {
    const model = await paddleStatic.loadInferenceModel(MODEL),
      stop = new AbortController(),
      reason = new Error("stop");
    const folder = new MemoryFolder(), aborted: unknown[] = [];
    const close = () => (stop.abort(reason), new Promise<void>(() => {}));
    folder.put = () => Promise.resolve({ write() {}, close, abort: (reason) => void aborted.push(reason) });
    const saved = paddleStatic.relayout(model, "m", { folder, signal: stop.signal });
    await assert.rejects(saved, (error) => error === reason);
    assert.ok(aborted.length > 0 && aborted.every((given) => given === reason));
  });

  it("is given up on an abort while expect hangs", async () => {
    const stop = new AbortController(), reason = new Error("stop"), calls: string[] = [];
    const saved = save(value, sinkOf(() => new Promise(() => {}), calls), { signal: stop.signal });
    setTimeout(() => stop.abort(reason), 10);
    await assert.rejects(saved, (error) => error === reason);
    assert.deepEqual(calls, ["abort"]);
  });

  it("refuses a download of more than 256 MiB before any of it is written", async () => {
    const real = globalThis as { document?: unknown };
    real.document = {};
    try {
      const large = new Map([["w", new NDArray("uint8", [300 * 2 ** 20])]]);
      let written = 0;
      const onProgress = ({ loaded }: { loaded: number }) => written = loaded;
      await assert.rejects(save(large, new DownloadSink("a"), { onProgress }), { code: "DISK_FULL", committed: "no" });
      assert.equal(written, 0);
    } finally {
      delete real.document;
    }
  });
});

describe("a save whose sink fails", () => {
  const value = new Map(Array.from({ length: 4 }, (_, i) => [`w${i}`, fromArray(Array(600_000).fill(i), "float32")]));
  for (const at of ["write", "close"] as const) {
    it(`aborts it once, and gives a SaveError with the error of its ${at} as the cause`, async () => {
      const calls: string[] = [];
      const ours = new Error("the line is cut");
      const step = (name: string) => () => {
        calls.push(name);
        return name === at ? Promise.reject(ours) : Promise.resolve();
      };
      const sink: Sink = { write: step("write"), close: step("close"), abort: step("abort") };
      const error = await save(value, sink).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.code === "SINK_FAILED", String(error));
      assert.equal(error.cause, ours);
      assert.equal(calls.filter((call) => call === "abort").length, 1);
      assert.equal(calls.at(-1), "abort");
    });
  }

  it("is SINK_FAILED whatever it throws, TypeErrors included, and when a folder gives no sink", async () => {
    const fails = (error: unknown) => () => {
      throw error;
    };
    const closed = new WritableStream<Uint8Array>();
    await closed.close();
    const none = () => Promise.reject(new Error("not asked for"));
    const put = (sink: unknown) => ({
      folder: { get: none, list: none, delete: none, put: () => Promise.resolve(sink) },
      name: "a",
    });
    const tos: Record<string, () => unknown> = {
      "a sink's TypeError": () => ({ write: fails(new TypeError("mine")), close() {}, abort() {} }),
      "a close's TypeError": () => ({ write() {}, close: fails(new TypeError("mine")), abort() {} }),
      "a DOMException": () => ({ write: fails(new DOMException("mine", "AbortError")), close() {}, abort() {} }),
      "a stream's TypeError": () => new WritableStream({ write: fails(new TypeError("mine")) }),
      "a stream that was closed": () => closed,
      "a folder's null": () => put(null),
      "a folder's sink": () => put({ write: fails(new TypeError("mine")), close() {}, abort() {} }),
    };
    for (const [name, make] of Object.entries(tos)) {
      const error = await save(value, make() as Sink).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.code === "SINK_FAILED", `${name}: ${error}`);
    }
  });

  it("says that it is not committed when the new bytes cannot be there, and unknown when that is uncertain", async () => {
    const fails = (error: unknown) => () => Promise.reject(error);
    const none = () => Promise.resolve();
    const lost = new Error("the line is cut"), full = new DOMException("full", "QuotaExceededError");
    const committed = async (to: Parameters<typeof save>[1]) => {
      const error = await save(value, to).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.name === "SaveError", String(error));
      return error.committed;
    };
    assert.equal(await committed({ write: fails(lost), close: none, abort: none }), "no");
    assert.equal(await committed({ write: none, close: fails(lost), abort: none }), "unknown");
    assert.equal(await committed({ write: none, close: fails(full), abort: none }), "no");
    assert.equal(await committed(new WritableStream({ write: fails(lost) })), "no");
    assert.equal(await committed(new WritableStream({ close: fails(lost) })), "unknown");
    // The file of a browser's handle only changes when its stream is closed.
    const handle = await fakeDirectory().getFileHandle("a", { create: true });
    handle.createWritable = () =>
      Promise.resolve(new WritableStream({ close: fails(lost) }) as FileSystemWritableFileStream);
    assert.equal(await committed(handle), "no");
    for (const traits of [{ writable: false }, { writable: true }]) {
      const root = fakeDirectory(traits), make = root.getFileHandle.bind(root);
      root.getFileHandle = async (name, options) =>
        Object.assign(await make(name, options), { move: fails(lost), getFile: fails(lost) });
      const folder = new HandleFolder(root);
      assert.equal(await committed({ folder, name: "a" }), "no");
      assert.deepEqual(await folder.list(), [], "and there is none, not even an empty one");
    }
    // A synchronous handle is written in place.
    const sync = await (await fakeDirectory({ quota: 3_000_000 }).getFileHandle("a", { create: true }) as unknown as {
      createSyncAccessHandle(): Promise<SyncHandle>;
    }).createSyncAccessHandle();
    assert.equal(await committed(sync), "unknown");
    const unwritable = Object.assign(Object.create(null), sync, {
      write: () => {
        throw lost;
      },
    });
    assert.equal(await committed(unwritable), "no", "nothing was written");
  });

  it("says that it is unknown whether it is committed when earlier sinks have already written their files", async () => {
    const memory = new MemoryFolder();
    let closed = 0, failing = 0;
    const folder: Folder = {
      get: (name) => memory.get(name),
      list: (prefix) => memory.list(prefix),
      delete: (name) => memory.delete(name),
      async put(name) {
        const sink = await memory.put(name);
        const close = async () => {
          if (closed++ === failing) throw new SaveError("DISK_FULL", "full", { committed: "no" });
          await sink.close();
        };
        return { write: (chunk) => sink.write(chunk), close, abort: (reason) => sink.abort(reason) };
      },
    };
    for (const [at, committed] of ["no", "unknown"].entries()) {
      [closed, failing] = [0, at];
      await assert.rejects(distributed.saveStateDict(value, "ck", { folder }), { code: "DISK_FULL", committed });
    }
  });

  it("is not reported when a browser copied the file into place and only the temporary one could not be removed", async () => {
    const root = fakeDirectory({ movable: false });
    root.removeEntry = () => Promise.reject(new DOMException("locked", "NoModificationAllowedError"));
    const folder = new HandleFolder(root);
    await save(new Map([["a", 1]]), "a", { folder });
    assert.deepEqual(await load("a", { folder }), new Map([["a", 1]]));
    assert.deepEqual(await folder.list(), ["a"]);
  });

  it("leaves nothing in a browser's folder when the disk is full", async () => {
    const root = fakeDirectory({ quota: 3_000_000 });
    const folder = new HandleFolder(root);
    const error = await save(value, "a.pdparams", { folder }).then(() => null, (error) => error);
    assert.ok(isPaddleError(error) && error.code === "DISK_FULL", String(error));
    assert.equal(error.committed, "no");
    assert.deepEqual(await folder.list(), []);
    for await (const [name] of root.entries()) assert.fail(`${name} is left`);
  });

  it("is DISK_FULL for a sink of a browser's folder that is written to directly, too", async () => {
    const sink = await new HandleFolder(fakeDirectory({ quota: 3_000_000 })).put("a");
    const writing = async () => {
      for (let i = 0; i < 5; i++) await sink.write(new Uint8Array(1_000_000));
      await sink.close();
    };
    await assert.rejects(writing(), { name: "SaveError", code: "DISK_FULL", committed: "no" });
    await sink.abort(new Error("full"));
  });

  it("is not started when the browser reports that the origin has no room", async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    let estimate: () => Promise<{ quota?: number; usage?: number }> = () => Promise.resolve({ quota: 100, usage: 90 });
    const storage = { estimate: () => estimate() };
    Object.defineProperty(globalThis, "navigator", { value: { storage }, configurable: true });
    try {
      const root = fakeDirectory(), folder = new HandleFolder(root);
      const error = await save(value, "deep/a.pdparams", { folder }).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.code === "DISK_FULL", String(error));
      assert.deepEqual([error.committed, error.path], ["no", "deep/a.pdparams"]);
      await assert.rejects(root.getDirectoryHandle("deep"), { name: "NotFoundError" }, "no directory was made");
      for (
        const told of [
          () => Promise.resolve({ quota: 1e9, usage: 0 }),
          () => Promise.resolve({}),
          () => Promise.reject(new TypeError("no")),
        ]
      ) {
        estimate = told;
        await save(value, "a.pdparams", { folder });
      }
      // Directories that the user chose are on a disk to which the quota does not apply.
      estimate = () => Promise.resolve({ quota: 100, usage: 90 });
      const chosen = Object.defineProperty(fakeDirectory(), "name", { value: "chosen" });
      await save(value, "b", { folder: new HandleFolder(chosen) });
    } finally {
      if (before) Object.defineProperty(globalThis, "navigator", before);
      else delete (globalThis as { navigator?: unknown }).navigator;
    }
  });

  it("waits for another save of the same browser file, and is a CONFLICT when that takes too long", async () => {
    const root = fakeDirectory(), handle = await root.getFileHandle("a", { create: true });
    await Promise.all([save(1, handle), save(2, handle), save(3, handle)]);
    const other = await handle.createWritable({ mode: "exclusive" } as FileSystemCreateWritableOptions);
    const code = (promise: Promise<unknown>) => promise.then(() => "saved", (error) => error.code ?? error);
    const codes = Promise.all([
      code(save(4, handle)),
      code(save(5, "a", { folder: new HandleFolder(root) })),
      code(save(6, handle, { signal: AbortSignal.timeout(60) }).catch((error) => Promise.reject(error.name))),
    ]);
    assert.deepEqual(await codes, ["CONFLICT", "CONFLICT", "TimeoutError"]);
    const waiting = save(7, handle);
    await other.abort();
    await waiting;
    assert.equal(await load(handle), 7);
    const old = await fakeDirectory({ exclusive: false }).getFileHandle("a", { create: true });
    await old.createWritable();
    await save(8, old);
    assert.equal(await load(old), 8, "where a browser does not know of that, the last one wins");
  });

  it("is a SaveError when a browser does not permit writing to the file", async () => {
    for (
      const [name, code] of [
        ["NotAllowedError", "READ_ONLY"],
        ["NotFoundError", "WRITE_FAILED"],
        ["QuotaExceededError", "DISK_FULL"],
        ["UnknownError", "WRITE_FAILED"],
      ]
    ) {
      const handle = await fakeDirectory().getFileHandle("a", { create: true });
      handle.createWritable = () => Promise.reject(new DOMException("no", name));
      const error = await save(1, handle).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.name === "SaveError", String(error));
      assert.deepEqual([error.code, error.committed], [code, "no"]);
    }
  });

  it("leaves no multipart upload of a bucket open", async () => {
    const bucket = new FakeBucket();
    const create = bucket.createMultipartUpload.bind(bucket);
    bucket.createMultipartUpload = async (key) => ({
      ...await create(key),
      complete: () => Promise.reject(new Error("500")),
    });
    const error = await save(value, "a.pdparams", { folder: new BucketFolder(bucket) }).then(
      () => null,
      (error) => error,
    );
    assert.ok(isPaddleError(error) && error.code === "SINK_FAILED", String(error));
    assert.equal(error.committed, "unknown");
    assert.equal(bucket.uploads, 0);
  });

  it("is refused options that the sink cannot fulfil, before anything is written", async () => {
    for (const wish of [{ lock: true }, { requireDurable: true }, { ifUnchanged: { size: 1, mtimeMs: 1 } }]) {
      const folder = new MemoryFolder();
      await assert.rejects(save(value, "a", { folder, ...wish }), TypeError);
      await assert.rejects(save(value, new WritableStream(), wish), TypeError);
    }
  });
});
