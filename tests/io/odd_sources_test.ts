import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  decode,
  detect,
  encode,
  type Folder,
  isPaddleError,
  load,
  MemoryFolder,
  open,
  recoverStateDict,
  save,
  type Source,
  SourceError,
  static as staticGraph,
  Tensor,
} from "../../mod.ts";
import type { FileHandle } from "../../src/io/file_handle.ts";
import * as npy from "../../src/npy.ts";

const { loadFromFile } = staticGraph;

const W = new Tensor("float32", [300, 10], Float32Array.from({ length: 3000 }, (_, i) => i / 3), { name: "w" });
const FILE = encode(new Map([["w", W]]));

/** A good source, with the given changes. */
function source(odd: Record<string, unknown> | ((source: object) => void) = {}): Source {
  const good = {
    size: FILE.length,
    // deno-lint-ignore require-await
    async read(offset: number, into: Uint8Array) {
      const part = FILE.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  };
  if (typeof odd === "function") odd(good);
  else Object.assign(good, odd);
  return good;
}

const VERBS: Record<string, (from: Source, signal: AbortSignal) => Promise<unknown>> = {
  load: (from) => load(from),
  async open(from, signal) {
    await using checkpoint = await open(from, { signal });
    return new Map([["w", await checkpoint.get("w", { signal })]]);
  },
  async save(from, signal) {
    await using checkpoint = await open(from, { signal });
    const parts: Uint8Array[] = [];
    const sink = { write: (chunk: Uint8Array) => void parts.push(chunk.slice()), close: () => {}, abort: () => {} };
    await save(checkpoint, sink, { signal });
    return decode(await new Blob(parts as BlobPart[]).arrayBuffer());
  },
  async write(from, signal) {
    await using checkpoint = await open(from, { signal });
    await checkpoint.write("w", W, { signal });
  },
  audit: (from) => audit(from),
  detect: (from) => detect(from),
};

const throwing = (name: string) => (source: object) => {
  Object.defineProperty(source, name, {
    get() {
      throw new RangeError("mine");
    },
  });
};
const never = () => new Promise<never>(() => {});
const locked = () => {
  const stream = new Blob([FILE as Uint8Array<ArrayBuffer>]).stream();
  stream.getReader();
  return stream;
};

const GETTERS = ["size", "name", "costly", "read", "readSync", "view", "readAll", "edit", "verify"];
const ODD: Record<string, () => Source> = {
  ...Object.fromEntries(GETTERS.map((name) => [`whose ${name} getter throws`, () => source(throwing(name))])),
  "whose stream is undefined": () => source({ readAll: () => undefined }),
  "whose stream is a promise": () => source({ readAll: () => Promise.resolve(locked()) }),
  "whose stream is locked": () => source({ readAll: locked }),
  "that fails with an error that is frozen": () =>
    source({ name: "w", read: () => Promise.reject(Object.freeze(new SourceError("READ_FAILED", "mine"))) }),
  "whose edit fails": () => source({ edit: () => Promise.reject(new Error("mine")) }),
  "whose edit throws undefined": () =>
    source({
      edit() {
        throw undefined;
      },
    }),
};

describe("a custom source", () => {
  for (const [name, make] of Object.entries(ODD)) {
    it(`${name} gives a PaddleError or the right value`, async () => {
      for (const [verb, run] of Object.entries(VERBS)) {
        try {
          const value = await run(make(), new AbortController().signal);
          if (value instanceof Map) assert.ok((value.get("w") as Tensor).equals(W), verb);
        } catch (error) {
          assert.ok(isPaddleError(error), `${verb}: ${error}`);
        }
      }
    });
  }

  it("is refused if it gives more bytes in one pass than it has, or has changed at the end of it", async () => {
    const streamOf = (...chunks: Uint8Array[]) => ({ readAll: () => new Blob(chunks as BlobPart[]).stream() });
    const more = source(streamOf(FILE, new Uint8Array(100)));
    await assert.rejects(load(more), { code: "READ_FAILED", offset: FILE.length });
    const changed = source({ ...streamOf(FILE), verify: () => Promise.reject(new Error("mine")) });
    await assert.rejects(load(changed), { code: "SOURCE_CHANGED" });
    assert.equal((await load(source(streamOf(FILE))) as Map<string, Tensor>).get("w")!.size, 3000);
  });

  it("that has changed when it was read whole is refused", async () => {
    const verify = () => Promise.reject(new Error("mine"));
    await assert.rejects(loadFromFile(source({ verify })), { code: "SOURCE_CHANGED" });
    const index = new TextEncoder().encode('{"weight_map":{}}');
    const folder = new MemoryFolder([["m.index.json", index]]), { get } = folder;
    folder.get = async (name) => Object.assign((await get.call(folder, name))!, { verify });
    await assert.rejects(load("m.index.json", { folder }), { code: "SOURCE_CHANGED" });
  });

  it("that never finishes verify or edit is waited for until the signal is aborted", async () => {
    for (const odd of [{ verify: never }, { edit: never }]) {
      for (const [verb, run] of Object.entries(VERBS)) {
        const controller = new AbortController(), reason = { mine: true };
        const isAffected = "edit" in odd ? verb === "write" : ["open", "save", "write"].includes(verb);
        if (!isAffected) continue;
        const timer = setTimeout(() => controller.abort(reason), 20);
        const before = performance.now();
        await assert.rejects(run(source(odd), controller.signal), (error) => error === reason, verb);
        assert.ok(performance.now() - before < 2000);
        clearTimeout(timer);
      }
    }
  });
});

describe("a stream that is locked or already read", () => {
  it("is refused with a clear TypeError", async () => {
    const response = new Response(FILE as Uint8Array<ArrayBuffer>);
    await response.arrayBuffer();
    for (const verb of [load, open, audit, detect]) {
      await assert.rejects(verb(locked()), { name: "TypeError", message: /locked by another reader/ });
      await assert.rejects(verb(response), { name: "TypeError", message: /was already read/ });
    }
    const stream = new WritableStream<Uint8Array>();
    stream.getWriter();
    await assert.rejects(save(new Map(), stream), { name: "TypeError", message: /locked by another writer/ });
  });
});

describe("a file handle that never gives its file", () => {
  it("is waited for until the signal is aborted", async () => {
    for (const verb of [load, open, audit, detect]) {
      const controller = new AbortController(), reason = { mine: true };
      setTimeout(() => controller.abort(reason), 5);
      const waiting = verb({ name: "m", getFile: never } as object as FileHandle, { signal: controller.signal });
      await assert.rejects(waiting, (error) => error === reason);
    }
  });
});

/** A stream whose chunk was transferred elsewhere. */
function gone(): ReadableStream<Uint8Array> {
  const chunk = FILE.slice();
  structuredClone(chunk, { transfer: [chunk.buffer] });
  return new ReadableStream({
    start(controller) {
      controller.enqueue(chunk);
      controller.close();
    },
  });
}

describe("a stream with a chunk whose buffer was detached", () => {
  it("is refused with a clear TypeError", async () => {
    for (const verb of [load, open, audit, detect]) {
      await assert.rejects(verb(gone()), { name: "TypeError", message: /buffer was detached/ });
    }
  });
});

describe("a custom fetch", () => {
  it("is refused among the options of http, where it would be ignored", async () => {
    const http = { fetch: () => Promise.resolve(new Response(FILE)) } as object;
    for (const verb of [load, open]) {
      await assert.rejects(verb("http://h.example/m", { http }), { name: "TypeError", message: /Option fetch/ });
    }
  });

  const bodies: Record<string, () => BodyInit> = {
    "gives chunks that are not bytes": () =>
      new ReadableStream({ pull: (controller) => controller.enqueue("text" as unknown as Uint8Array) }),
    "gives chunks whose buffers were detached": gone,
    "gives bodies that another reader has": () => FILE as Uint8Array<ArrayBuffer>,
  };
  for (const [name, body] of Object.entries(bodies)) {
    it(`that ${name} fails as a broken connection does`, async () => {
      const options = {
        fetch: (_: string, init?: RequestInit) => {
          const isRange = new Headers(init?.headers).has("range");
          const headers = isRange ? { "content-range": `bytes 0-${FILE.length - 1}/${FILE.length}` } : undefined;
          const response = new Response(body(), { status: isRange ? 206 : 200, headers });
          if (name.endsWith("has")) response.body!.getReader();
          return Promise.resolve(response);
        },
        http: { retries: 1, retryDelay: 1 },
      };
      for (const verb of [load, open]) {
        await assert.rejects(verb("http://h.example/m", options), (error) => {
          assert.ok(isPaddleError(error), `${error}`);
          return ["HTTP_NETWORK", "HTTP_TRUNCATED"].includes(error.code);
        });
      }
    });
  }
});

describe("a stream that must be read to its end first", () => {
  const program = readFileSync("tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m.pdmodel");
  const ways: Record<string, (stream: ReadableStream<Uint8Array>, signal?: AbortSignal) => Promise<unknown>> = {
    "recoverStateDict": (params, signal) => recoverStateDict({ program, params }, { signal }),
    "static.loadFromFile": (stream, signal) => loadFromFile(stream, { signal }),
    "npy.loadNpz": (stream, signal) => npy.loadNpz(stream, { signal }),
  };
  for (const [name, way] of Object.entries(ways)) {
    it(`fails with READ_FAILED or a TypeError, and is cancelled by the signal: ${name}`, async () => {
      const fails = new ReadableStream({ pull: () => Promise.reject(new Error("the line is cut")) });
      await assert.rejects(way(fails), { code: "READ_FAILED" });
      const text = new ReadableStream({ pull: (controller) => controller.enqueue("text" as unknown as Uint8Array) });
      await assert.rejects(way(text), { name: "TypeError", message: /Uint8Array/ });
      await assert.rejects(way(gone()), { name: "TypeError", message: /buffer was detached/ });
      const controller = new AbortController(), reason = { mine: true };
      setTimeout(() => controller.abort(reason), 10);
      let cancelled = false;
      const hangs = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
      const late = new Promise((resolve) => setTimeout(resolve, 2000, "never"));
      assert.equal(await Promise.race([way(hangs, controller.signal).catch((error) => error), late]), reason);
      assert.ok(cancelled);
    });
  }

  it("may not exceed maxStreamBytes", async () => {
    const params = new ReadableStream<Uint8Array>({
      pull: (controller) =>
        new Promise((resolve) => setTimeout(resolve)).then(() => controller.enqueue(new Uint8Array(999))),
    });
    const limits = { maxStreamBytes: 5000 }, signal = AbortSignal.timeout(2000);
    await assert.rejects(recoverStateDict({ program, params }, { limits, signal }), { limit: "maxStreamBytes" });
  });
});

describe("a custom source over a network", () => {
  it("has at most six reads under way, however many slices are asked for at once", async () => {
    const many = new Map(Array.from({ length: 40 }, (_, i) => [`w${i}`, new Tensor("float32", [70_000])]));
    const bytes = encode(many);
    let now = 0, most = 0;
    const source: Source = {
      size: bytes.length,
      costly: true,
      async read(offset, into) {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 2));
        now--;
        into.set(bytes.subarray(offset, offset + into.length));
        return Math.min(into.length, bytes.length - offset);
      },
    };
    await using checkpoint = await open(source);
    const slices = await Promise.all(checkpoint.names().map((name) => checkpoint.getSlice(name, [1, 3])));
    assert.ok(slices.every(({ size }) => size === 2));
    assert.equal(most, 6);
  });
});

describe("a byte stream that enqueues chunks and closes, whatever buffer it was asked to fill", () => {
  function stream(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    return new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (at >= bytes.length) controller.close();
        else controller.enqueue(bytes.slice(at, at += 5000));
      },
    });
  }
  const fetch = (bytes: Uint8Array) => () => Promise.resolve(new Response(stream(bytes)));

  it("is read to its end", async () => {
    assert.deepEqual(encode(await load(stream(FILE))), FILE);
    assert.deepEqual(encode(await load("https://host/w.pdparams", { fetch: fetch(FILE) })), FILE);
  });

  it("is read whole if it has everything at hand and closes at once", async () => {
    for (const length of [FILE.length, 5000]) {
      const chunks = [FILE.slice(0, length), FILE.slice(length)].filter((chunk) => chunk.length > 0);
      const whole = new ReadableStream({
        type: "bytes",
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.close();
        },
      });
      assert.deepEqual(encode(await load(whole)), FILE);
    }
  });

  it("is truncated if it ends early", async () => {
    for (const length of [0, 3, 200, 6000]) {
      const cut = FILE.slice(0, length), code = length === 0 ? "EMPTY" : "TRUNCATED";
      await assert.rejects(load(stream(cut)), { code });
      await assert.rejects(load("https://host/w.pdparams", { fetch: fetch(cut) }), { code });
    }
  });
});

describe("a stream that never answers its cancel", () => {
  it("does not keep what was read from it waiting", async () => {
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(encode(W)),
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => new Promise<void>(() => {}),
      });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, 2000, "late"));
    assert.deepEqual(await Promise.race([load(stream(), { onWarning() {} }), late]), W);
    clearTimeout(timer);
  });
});

describe("a custom folder", () => {
  it("whose list is not an array of strings fails with READ_FAILED", async () => {
    const endless = { [Symbol.iterator]: () => ({ next: () => ({ value: "m/a", done: false }) }) };
    for (const names of [null, undefined, "m/a", [1, 2], {}, endless]) {
      const folder = { get: () => null, put: () => null, list: () => names, delete: () => null };
      await assert.rejects(load("m", { folder: folder as unknown as Folder }), { code: "READ_FAILED" });
    }
  });
});

describe("a custom sink", () => {
  const good = { write: () => {}, close: () => {}, abort: () => {} };

  it("gives a SaveError when it throws something that is not an error, or has a throwing getter", async () => {
    const unclear = { ...good };
    throwing("keepsChunks")(unclear);
    await assert.rejects(save(new Map([["w", W]]), unclear), { code: "SINK_FAILED", committed: "no" });
    for (const [name, committed] of [["write", "no"], ["close", "unknown"]]) {
      for (const thrown of [null, undefined, "full", Symbol("s"), Object.create(null), Object.freeze(new Error("x"))]) {
        const sink = { ...good, [name]: () => Promise.reject(thrown) };
        await assert.rejects(save(new Map([["w", W]]), sink), { code: "SINK_FAILED", committed });
      }
      const sink = { ...good };
      throwing(name)(sink);
      await assert.rejects(save(new Map([["w", W]]), sink), { code: "SINK_FAILED" });
    }
  });

  it("that never finishes its abort is waited for until the signal is aborted", async () => {
    const sink = { ...good, write: () => Promise.reject(new Error("full")), abort: never };
    const controller = new AbortController(), reason = { mine: true };
    const timer = setTimeout(() => controller.abort(reason), 20);
    const { signal } = controller;
    await assert.rejects(save(new Map([["w", W]]), sink, { signal }), (error) => error === reason);
    clearTimeout(timer);
  });
});

describe("a safetensors file", () => {
  it("can be saved as a pickle after load or open", async () => {
    const bytes = encode(new Map([["w", W]]), { safetensors: true });
    const parts: Uint8Array[] = [];
    const sink = { write: (chunk: Uint8Array) => void parts.push(chunk.slice()), close: () => {}, abort: () => {} };
    await using checkpoint = await open(new Blob([bytes]));
    await save(checkpoint, sink);
    const loaded = decode(encode(await load(bytes))) as Map<string, Tensor>;
    for (const value of [loaded, decode(await new Blob(parts as BlobPart[]).arrayBuffer()) as Map<string, Tensor>]) {
      assert.deepEqual([...value.get("w")!.data], [...W.data]);
    }
  });
});
