import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import {
  type Checkpoint,
  DirectoryFolder,
  distributed,
  encode,
  type Folder,
  load,
  MemoryFolder,
  type NDArray,
  open,
  openArchive,
  type ProgressEvent,
  recoverStateDict,
  save,
  type Sink,
  type Source,
  static as staticGraph,
  Tensor,
} from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";
import { heldUp } from "../helpers/held_up.ts";
import { inTime } from "../helpers/in_time.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { SOON, takesLittle } from "../helpers/soon.ts";
import { tarOf } from "../helpers/tar_of.ts";
import { until } from "../helpers/until.ts";

/** 24 MiB in 12 tensors. */
const state = (): Map<string, Tensor> =>
  new Map(
    Array.from({ length: 12 }, (_, i) => [`w${i}`, new Tensor("float32", [2 ** 19], undefined, { name: `w${i}` })]),
  );

function sourceOf(bytes: Uint8Array, wait: () => Promise<void>): Source {
  return {
    size: bytes.length,
    async read(offset, into) {
      await wait();
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  };
}

function streamOf(bytes: Uint8Array, wait: () => Promise<void>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await wait();
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += 2 ** 18));
    },
  });
}

const pause = (ms: number) => (): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A sink that takes its time. */
function sinkOf(wait: () => Promise<void>): Sink & { calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    write: wait,
    close: () => void calls.push("close"),
    abort: () => void calls.push("abort"),
  };
}

interface Options {
  signal?: AbortSignal;
  onProgress?: (event: ProgressEvent) => void;
}

/** Everything asynchronous that moves bytes, with `wait` before each piece if the test supplies them. */
function ways(folder: string): Record<string, (options: Options, wait: () => Promise<void>) => Promise<unknown>> {
  const bytes = encode(state());
  const text = encode(state(), { protocol: 2 });
  const path = join(folder, "a.pdparams");
  writeFileSync(path, bytes);
  return {
    "load of a path": (options) => load(path, options),
    "load of a Blob": (options) => load(new Blob([bytes as BlobPart]), options),
    "load of a source": (options, wait) => load(sourceOf(bytes, wait), options),
    "load of a source, protocol 2": (options, wait) => load(sourceOf(text, wait), options),
    "load of a stream": (options, wait) => load(streamOf(bytes, wait), options),
    "load of a Response": (options, wait) => load(new Response(streamOf(bytes, wait)), options),
    "save to a path": (options) => save(state(), join(folder, "b.pdparams"), options),
    "save to a sink": (options, wait) => save(state(), sinkOf(wait), options),
    "save to a stream": (options, wait) => save(state(), new WritableStream({ write: wait }), options),
  };
}

describe("onProgress", () => {
  it("gets growing counts that never exceed the total, and equal it at the end", () =>
    inTempFolder(async (folder) => {
      for (const [name, way] of Object.entries(ways(folder))) {
        const events: ProgressEvent[] = [];
        await way({ onProgress: (event) => events.push({ ...event }) }, pause(1));
        assert.ok(events.length > 1, `${name}: ${events.length} events`);
        events.forEach((event, i) => {
          assert.equal(event.phase, name.split(" ")[0]);
          assert.ok(i === 0 || event.loaded >= events[i - 1].loaded, `${name}: ${JSON.stringify(events)}`);
          assert.ok(event.total === undefined || event.loaded <= event.total, name);
          // The length of a stream is unknown until it ends.
          const isTold = !/^load.*(stream|Response)/.test(name) || i === events.length - 1;
          assert.equal(event.total, isTold ? events.at(-1)!.total : undefined, name);
        });
        const last = events.at(-1)!;
        assert.equal(last.loaded, last.total, name);
        assert.ok(last.loaded > 24 * 2 ** 20, name);
      }
    }));

  it("may abort the call, which rejects with the reason though all was read by the last event", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), reason = new Error("enough");
      writeFileSync(path, encode(state()));
      for (const read of [load, open]) {
        const stop = new AbortController();
        await assert.rejects(read(path, { signal: stop.signal, onProgress: () => stop.abort(reason) }), reason);
      }
    }));

  it("counts several files as one, and names the tensor when each file is one", () =>
    inTempFolder(async (folder) => {
      const real = "tests/fixtures/real/", model = real + "paddle-3.1.1/infer-model.oldir/m";
      const variables = real + "paddle-1.8.5/fluid-infer-separate/d";
      const npz = join(folder, "a.npz"), shard = join(folder, "m.safetensors.index.json");
      await npy.saveNpz(state(), npz);
      for (const key of ["w0", "w1"]) {
        await safetensors.save(new Map([[key, state().get(key)!]]), join(folder, key + ".safetensors"));
      }
      const map = { w0: "w0.safetensors", w1: "w1.safetensors" };
      writeFileSync(shard, JSON.stringify({ metadata: {}, weight_map: map }));
      const parts = join(folder, "ck");
      await distributed.saveStateDict(state(), parts);
      // A folder that is slow enough for each of its files to have an event.
      const slow: Folder = {
        get: async (name) => {
          await pause(55)();
          return name.startsWith("d/") ? await new DirectoryFolder(variables).get(name.slice(2)) : null;
        },
        list: async () => (await new DirectoryFolder(variables).list()).map((name) => `d/${name}`),
        put: () => Promise.reject(new Error("read only")),
        delete: () => Promise.reject(new Error("read only")),
        hasFolder: () => Promise.resolve(true),
      };
      const several: Record<string, (options: Options) => Promise<unknown>> = {
        "load of a model": (options) => load(model, options),
        "load of a folder": (options) => load(variables, options),
        "load of a slow folder": (options) => load({ folder: slow, name: "d" }, options),
        "open of a model": async (options) => await (await open(model, options)).close(),
        "open of a folder": async (options) => await (await open(variables, options)).close(),
        "open of shards": async (options) => await (await open(shard, options)).close(),
        "distributed.loadMergedStateDict": (options) => distributed.loadMergedStateDict(parts, options),
        "distributed.loadStateDict": (options) => distributed.loadStateDict(state(), parts, options),
        "recoverStateDict": (options) => recoverStateDict(model, options),
        "static.loadInferenceModel": (options) => staticGraph.loadInferenceModel(model, options),
        "loadNpz": (options) => npy.loadNpz(npz, options),
        "openNpz": async (options) => await (await npy.openNpz(npz, options)).close(),
      };
      for (const [name, way] of Object.entries(several)) {
        const events: ProgressEvent[] = [];
        await way({ onProgress: (event) => events.push(event) });
        assert.ok(events.length > 0, name);
        events.forEach((event, i) => {
          assert.equal(event.phase, "load", name);
          assert.ok(i === 0 || event.loaded >= events[i - 1].loaded, `${name}: ${JSON.stringify(events)}`);
          assert.ok(event.total === undefined || i === events.length - 1, name);
        });
        const { loaded, total } = events.at(-1)!;
        assert.ok(loaded === total && loaded > 0, `${name}: ${JSON.stringify(events)}`);
        if (!name.includes("slow")) continue;
        const names = await new DirectoryFolder(variables).list();
        assert.ok(names.length > 3);
        const told = events.flatMap(({ name }) => name ?? []);
        assert.ok(told.length > 3 && told.every((one) => names.includes(one)), JSON.stringify(events));
      }
    }));

  it("reports a distributed checkpoint by its tensors, and can end the call before any of them is filled", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "ck"), reason = new Error("mine");
      const saved: ProgressEvent[] = [], loaded: ProgressEvent[] = [];
      await distributed.saveStateDict(state(), path, {
        onProgress: (event) => {
          saved.push(event);
          const isThere = readdirSync(folder).includes("ck") && readdirSync(path).includes("0.metadata");
          assert.equal(event.loaded === event.total, isThere, "the last event comes when all is in its place");
        },
      });
      assert.ok(saved.length > 1 && saved.every(({ phase, total }) => phase === "save" && total === saved[0].total));
      await distributed.loadMergedStateDict(path, { onProgress: (event) => void loaded.push(event) });
      const nbytes = [...state().values()].reduce((sum, array) => sum + array.nbytes, 0);
      assert.deepEqual([loaded[0].name, loaded.at(-1)], ["w0", { phase: "load", loaded: nbytes, total: nbytes }]);
      for (const from of [0, nbytes]) {
        const onProgress = (event: ProgressEvent) => {
          if (event.loaded >= from) throw reason;
        };
        const into = state();
        for (const array of into.values()) array.bytes.fill(1);
        await assert.rejects(distributed.loadStateDict(into, path, { onProgress }), (error) => error === reason);
        for (const array of into.values()) assert.equal(array.bytes[0], 1, "nothing was filled");
        const before = readFileSync(join(path, "0.metadata"));
        if (from > 0) continue;
        await assert.rejects(distributed.saveStateDict(state(), path, { onProgress }), (error) => error === reason);
        assert.deepEqual(readFileSync(join(path, "0.metadata")), before);
      }
    }));

  it("ends the call with what it throws or rejects with", () =>
    inTempFolder(async (folder) => {
      const reason = new Error("mine");
      const throws = () => {
        throw reason;
      };
      for (const onProgress of [throws, () => Promise.reject(reason)]) {
        for (const [name, way] of Object.entries(ways(folder))) {
          const error = await way({ onProgress }, pause(1)).then(() => null, (error) => error);
          assert.equal(error, reason, name);
        }
      }
      assert.ok(readdirSync(folder).every((name) => !name.endsWith(".pdtmp")));
    }));

  it("ends even a call with a single event", async () => {
    const reason = new Error("mine");
    for (const onProgress of [() => Promise.reject(reason), async () => await Promise.reject(reason)]) {
      for (const call of [load(encode(1), { onProgress }), save(1, sinkOf(pause(0)), { onProgress })]) {
        assert.equal(await call.then(() => "a value", (error) => error), reason);
      }
    }
  });
});

describe("signal", () => {
  it("stops everything at once with its reason when it is already aborted", () =>
    inTempFolder(async (folder) => {
      for (const reason of [new Error("no"), "a text", 0, null]) {
        for (const [name, way] of Object.entries(ways(folder))) {
          const events: unknown[] = [];
          const options = { signal: AbortSignal.abort(reason), onProgress: (event: unknown) => events.push(event) };
          const error = await way(options, pause(0)).then(() => "a value", (error) => error);
          assert.equal(error, reason, name);
          assert.deepEqual(events, [], name);
        }
        const error = await open(encode(1), { signal: AbortSignal.abort(reason) }).then(() => "a value", (e) => e);
        assert.equal(error, reason);
      }
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("gives an AbortError when it has no explicit reason", () =>
    inTempFolder(async (folder) => {
      for (const [name, way] of Object.entries(ways(folder))) {
        const error = await way({ signal: AbortSignal.abort() }, pause(0)).then(() => null, (error) => error);
        assert.equal(error?.name, "AbortError", name);
      }
    }));

  it(`ends a running call within ${SOON} ms, with its reason and without further events`, () =>
    inTempFolder(async (folder) => {
      for (const [name, way] of Object.entries(ways(folder))) {
        await takesLittle(name, async () => {
          const controller = new AbortController();
          const reason = new Error("enough");
          let at = 0, after = 0;
          const options = {
            signal: controller.signal,
            onProgress() {
              if (at > 0) return void after++;
              at = performance.now();
              controller.abort(reason);
            },
          };
          // Slow enough that it cannot finish on its own.
          const error = await way(options, pause(20)).then(() => null, (error) => error);
          const took = performance.now() - at;
          assert.equal(error, reason, name);
          await pause(30)();
          assert.equal(after, 0, name);
          return took;
        });
      }
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("ends a call while a directory with many files is being listed", () =>
    inTempFolder(async (folder) => {
      const { list } = DirectoryFolder.prototype, { loadInferenceModel, loadProgramState } = staticGraph;
      for (const isStuck of [(prefix?: string) => !prefix, () => true]) {
        DirectoryFolder.prototype.list = function (prefix) {
          return isStuck(prefix) ? new Promise(() => {}) : list.call(this, prefix);
        };
        try {
          for (const verb of [load, open, loadProgramState, loadInferenceModel, recoverStateDict]) {
            const controller = new AbortController(), reason = new Error("enough"), { signal } = controller;
            const call = (verb as typeof load)(folder, { signal });
            setTimeout(() => controller.abort(reason), 5);
            await assert.rejects(inTime(call), (error) => error === reason);
          }
        } finally {
          DirectoryFolder.prototype.list = list;
        }
      }
    }));

  it("is checked between the items of a large value that is already in memory", async () => {
    // A list of 3 million strings, in batches of a thousand; encoding them would take longer than the test itself.
    const batch = Buffer.from("(" + "\x8c\x06string".repeat(1000) + "e", "latin1");
    const bytes = Buffer.concat([
      Buffer.from("\x80\x04]", "latin1"),
      Buffer.alloc(3000 * batch.length, batch),
      Buffer.from("."),
    ]);
    const limits = { maxStructureBytes: 2 ** 40 };
    for (const from of [bytes, new Blob([bytes as BlobPart])]) {
      await takesLittle("a large value", async () => {
        const controller = new AbortController();
        let at = 0;
        setTimeout(() => {
          at = performance.now();
          controller.abort();
        }, 60);
        const error = await load(from, { signal: controller.signal, limits }).then(() => null, (error) => error);
        assert.equal(error?.name, "AbortError");
        return performance.now() - at;
      });
    }
  });

  it("leaves no rejection unhandled of the read that was under way when a load at protocol 2 was stopped", async () => {
    const text = encode(new Tensor("uint8", [4 * 2 ** 20]), { protocol: 2 });
    const unhandled: unknown[] = [], listener = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", listener);
    try {
      for (const way of ["abort", "throw"]) {
        const controller = new AbortController(), reason = new Error("enough");
        let events = 0, isOver = false;
        const onProgress = () => {
          if (++events < 2) return;
          isOver = true;
          controller.abort(reason);
          if (way === "throw") throw reason;
        };
        // Slow enough for an event after each read, and for a turn of the event loop.
        const source = sourceOf(text, async () => {
          await pause(60)();
          if (isOver) throw new Error("the source is closed");
        });
        await assert.rejects(load(source, { signal: controller.signal, onProgress }), (error) => error === reason);
        await pause(150)();
        assert.deepEqual([way, unhandled], [way, []]);
      }
    } finally {
      process.off("unhandledRejection", listener);
    }
  });

  it("keeps the old file when it stops a save, and a sink is closed or aborted once", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      const old = encode(1);
      writeFileSync(path, old);
      const controller = new AbortController();
      const saving = save(state(), path, { signal: controller.signal, onProgress: () => controller.abort() });
      await assert.rejects(saving, { name: "AbortError" });
      assert.deepEqual(new Uint8Array(readFileSync(path)), old);
      const other = new AbortController();
      const sink = sinkOf(pause(5));
      const pouring = save(state(), sink, { signal: other.signal, onProgress: () => other.abort() });
      await assert.rejects(pouring, { name: "AbortError" });
      assert.deepEqual(sink.calls, ["abort"]);
      const whole = sinkOf(pause(0));
      await save(1, whole);
      assert.deepEqual(whole.calls, ["close"]);
    }));

  it("ends the wait for another save of the same file, which those that came later still wait for", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"),
        bytes = encode(state()),
        stop = new AbortController(),
        reason = new Error("no");
      let go = () => {}, isHeld = false;
      const held = new Promise<void>((resolve) => go = resolve);
      await using checkpoint = await open(sourceOf(bytes, () => isHeld ? held : Promise.resolve()));
      isHeld = true;
      const order: string[] = [];
      const first = save(checkpoint, path).then(() => order.push("first"));
      await until(() => readdirSync(folder).length > 0);
      const second = save(2, path, { signal: stop.signal });
      const third = save(3, path).then(() => order.push("third"));
      stop.abort(reason);
      await assert.rejects(second, (error) => error === reason);
      assert.deepEqual(order, []);
      go();
      await Promise.all([first, third]);
      assert.deepEqual(order, ["first", "third"]);
      assert.equal(await load(path), 3);
    }));

  // Deno closes files at once.
  for (const call of "Deno" in globalThis ? ["sync"] : ["sync", "close"]) {
    it(`does not wait for the ${call} of a file, which takes long for many GB, and leaves no file behind`, () =>
      inTempFolder(async (folder) => {
        let start = () => {};
        const slow = heldUp(".pdtmp", new Promise<void>((done) => start = done), call);
        const builtin = process.getBuiltinModule;
        // deno-lint-ignore no-explicit-any
        (process as any).getBuiltinModule = (name: string) => name === "node:fs" ? slow.fs : (builtin as any)(name);
        try {
          const controller = new AbortController(), path = join(folder, "a.pdparams");
          const stop = () => controller.abort("stop");
          const onProgress = call === "close" ? stop : undefined;
          const saving = save(state(), path, { signal: controller.signal, onProgress }).then(() => "saved", (e) => e);
          slow.reached.then(stop);
          assert.equal(await inTime(saving), "stop");
          assert.deepEqual(readdirSync(folder), []);
        } finally {
          process.getBuiltinModule = builtin;
          start();
        }
      }));
  }

  it("has no effect once all files of a model are in place", async () => {
    const memory = new MemoryFolder(), controller = new AbortController();
    let closed = 0;
    const folder: Folder = {
      get: (name) => memory.get(name),
      list: (prefix) => memory.list(prefix),
      delete: (name) => memory.delete(name),
      async put(name) {
        const sink = await memory.put(name);
        return {
          write: (chunk) => sink.write(chunk),
          abort: (reason) => sink.abort(reason),
          async close() {
            await sink.close();
            if (++closed === 2) controller.abort();
          },
        };
      },
    };
    const model = await staticGraph.loadInferenceModel("tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m");
    const names = await staticGraph.relayout(model, "m", { folder, signal: controller.signal });
    assert.ok(controller.signal.aborted);
    assert.deepEqual(await memory.list(), names.sort());
  });
});

describe("the signal of a call that opens something", () => {
  const bytes = encode(new Map([["w", new Tensor("float32", [50_000])], ["b", new Tensor("float32", [4])]]));

  /** A source of the caller's own, with all that a source may have. */
  const own = (content: Uint8Array): Source => ({
    ...sourceOf(content, () => Promise.resolve()),
    verify: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
  const inMemory = async (content: Uint8Array): Promise<Folder> => {
    const folder = new MemoryFolder();
    const sink = await folder.put("w");
    await sink.write(content);
    await sink.close();
    return folder;
  };

  const ways: [string, (signal: AbortSignal) => Promise<Checkpoint>][] = [
    ["open, of a source", (signal) => open(own(bytes), { signal })],
    ["open, of a file in a folder", async (signal) => await open("w", { folder: await inMemory(bytes), signal })],
    ["safetensors.open", async (signal) => {
      const content = safetensors.encode(new Map([["w", new Tensor("float32", [50_000])]]));
      return await safetensors.open(own(content), { signal });
    }],
    ["openNpz", async (signal) => {
      const content = await npy.encodeNpz(new Map([["w", new Tensor("float32", [50_000])]]));
      return await npy.openNpz(own(content), { signal });
    }],
    ["open, of a file in an archive", async (signal) => {
      const folder = await openArchive(own(tarOf({ name: "w", data: bytes })), { signal });
      return await open("w", { folder, signal });
    }],
  ];
  for (const [name, opened] of ways) {
    it(`no longer matters once it is open: ${name}`, async () => {
      const controller = new AbortController();
      const checkpoint = await opened(controller.signal);
      // A time limit for opening, as by AbortSignal.timeout, runs out some time.
      controller.abort(new Error("the signal of opening"));
      assert.deepEqual((await checkpoint.get("w")).shape, [50_000]);
      assert.deepEqual((await checkpoint.getSlice("w", [1, 3])).shape, [2]);
      for (const array of (await checkpoint.value() as Map<string, NDArray>).values()) await array.load();
      const copy = new MemoryFolder();
      await save(checkpoint, "copy", { folder: copy });
      await checkpoint.close();
    });
  }

  it("no longer matters once an .npy file is open", async () => {
    const controller = new AbortController();
    const opened = await npy.open(own(npy.encode(new Tensor("float32", [50_000]))), { signal: controller.signal });
    controller.abort();
    assert.deepEqual((await opened.get("")).shape, [50_000]);
    await opened.close();
  });
});
