import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  BucketFolder,
  decode,
  detect,
  distributed,
  encode,
  type Folder,
  type From,
  jit,
  load,
  MemoryFolder,
  open,
  openArchive,
  recoverStateDict,
  save,
  sideIndex,
  type Sink,
  type Source,
  static as staticGraph,
  Tensor,
  type To,
} from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";
import { scriptedServer } from "../helpers/scripted_server.ts";
import { SOON, TRIES } from "../helpers/soon.ts";

const never = <T>(): Promise<T> => new Promise<T>(() => {});
const BYTES = encode(new Map([["w", new Tensor("float32", [1_000_000])]]));

/** More bytes than decoding a structure requests at a time. */
const LARGE = 100_000;

/** A source that returns its first bytes, or none, then stalls; or that returns what is requested in small pieces. */
function sourceOf(first: number, most = Infinity): Source {
  return {
    size: BYTES.length,
    read(offset, into) {
      if (offset >= first || into.length > most) return never();
      const part = BYTES.subarray(offset, Math.min(first, offset + into.length));
      into.set(part);
      return Promise.resolve(part.length);
    },
  };
}

function streamOf(first: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => first > 0 ? controller.enqueue(BYTES.slice(0, first)) : undefined,
    pull: () => never(),
  });
}

/** A folder that never responds. */
const silent: Folder = { get: never, put: never, list: never, delete: never, hasFolder: never };
/** A folder whose files never respond; it has no manifest, which would be refused for its size. */
const stalled: Folder = {
  ...silent,
  get: (name) => Promise.resolve(name.endsWith(".pdsum") ? null : sourceOf(0)),
  hasFolder: () => Promise.resolve(false),
};
const bucket = new BucketFolder({
  head: never,
  get: never,
  put: never,
  list: never,
  delete: never,
  createMultipartUpload: never,
  // deno-lint-ignore no-explicit-any
} as any);

type Options = { signal: AbortSignal };
type Ways = Record<string, (options: Options) => Promise<unknown>>;

/** Every verb that reads, with every kind of source that can stall. */
function readers(url: string): Ways {
  const froms: Record<string, () => From> = {
    "a source": () => sourceOf(0),
    "a source after its first bytes": () => sourceOf(600),
    "a stream": () => streamOf(0),
    "a stream after its first bytes": () => streamOf(600),
    "a Response": () => new Response(streamOf(600)),
    "a URL": () => `${url}/silence`,
    "a URL after its first bytes": () => `${url}/stall`,
    "a folder": () => ({ folder: silent, name: "a" }),
    "a file of a folder": () => ({ folder: stalled, name: "a" }),
    "a bucket": () => ({ folder: bucket, name: "a" }),
  };
  const verbs: Record<string, (from: From, options: Options) => Promise<unknown>> = {
    load,
    open,
    audit,
    sideIndex,
    openArchive,
    recoverStateDict: (from, options) => recoverStateDict(from as string, options),
    "static.loadFromFile": staticGraph.loadFromFile,
    "distributed.loadMergedStateDict": distributed.loadMergedStateDict,
    "npy.load": npy.load,
    "npy.open": npy.open,
    "npy.loadNpz": npy.loadNpz,
    "npy.openNpz": npy.openNpz,
    "safetensors.load": safetensors.load,
    "safetensors.open": safetensors.open,
  };
  /** Verbs that take the name of a model in a folder. */
  const byName: Record<string, (from: { folder: Folder; name: string }, options: Options) => Promise<unknown>> = {
    "static.loadInferenceModel": staticGraph.loadInferenceModel,
    "static.loadProgramState": staticGraph.loadProgramState,
    "jit.load": jit.load,
  };
  const ways: Ways = {};
  /** Sources that a verb does not accept, or whose first bytes it refuses at once. */
  const not: Record<string, RegExp> = {
    sideIndex: /stream|Response/,
    openArchive: /after/,
    recoverStateDict: /source|stream|Response/,
    "distributed.loadMergedStateDict": /source|stream|Response/,
    "npy.load": /after|Response/,
    "npy.open": /after|Response/,
    "safetensors.load": /after|Response/,
    "safetensors.open": /after|Response/,
  };
  for (const [verb, call] of Object.entries(verbs)) {
    for (const [kind, make] of Object.entries(froms)) {
      if (!not[verb]?.test(kind)) ways[`${verb} of ${kind}`] = (options) => call(make(), options);
    }
  }
  for (const [verb, call] of Object.entries(byName)) {
    for (const [kind, folder] of Object.entries({ silent, stalled, bucket })) {
      ways[`${verb} of a ${kind} folder`] = (options) => call({ folder, name: "m" }, options);
    }
  }
  ways["detect of a source"] = (options) => detect(sourceOf(0), options);
  ways["detect of a URL"] = (options) => detect(`${url}/silence`, options);
  return ways;
}

/** Methods of an open checkpoint. */
async function ofCheckpoint(url: string): Promise<Ways> {
  const checkpoint = await open(sourceOf(Infinity, LARGE)), remote = await open(`${url}/stall-behind`);
  return {
    "get": (options) => checkpoint.get("w", options),
    "getSlice": (options) => checkpoint.getSlice("w", [5, 500_000], options),
    "get over HTTP": (options) => remote.get("w", options),
    "save of a checkpoint": (options) => save(checkpoint, { folder: new MemoryFolder(), name: "a" }, options),
    "safetensors.save of a checkpoint": (options) =>
      safetensors.save(checkpoint, { folder: new MemoryFolder(), name: "a" }, options),
  };
}

/** Every verb that writes, to targets that stall. */
function writers(): Ways {
  const value = decode(BYTES) as Map<string, Tensor>;
  const hanging: Sink = { write: never<void>, close: () => {}, abort: never<void> };
  const tos: Record<string, () => To> = {
    "a sink": () => hanging,
    "a stream": () => new WritableStream<Uint8Array>({ write: never<void>, abort: never<void> }),
    "a folder": () => ({ folder: silent, name: "a" }),
    "a file handle": () => ({ name: "a", getFile: never<File>, createWritable: never }),
    "a file of a folder": () => ({ folder: { ...silent, put: () => Promise.resolve(hanging) }, name: "a" }),
    "a bucket": () => ({ folder: bucket, name: "a" }),
  };
  const verbs: Record<string, (to: To, options: Options) => Promise<unknown>> = {
    save: (to, options) => save(value, to, options),
    "npy.save": (to, options) => npy.save(value.get("w")!, to, options),
    "npy.saveNpz": (to, options) => npy.saveNpz(value, to, options),
    "safetensors.save": (to, options) => safetensors.save(value, to, options),
    "static.saveToFile": (to, options) => staticGraph.saveToFile(to, BYTES, options),
  };
  const ways: Ways = {};
  for (const [verb, call] of Object.entries(verbs)) {
    for (const [kind, make] of Object.entries(tos)) ways[`${verb} to ${kind}`] = (options) => call(make(), options);
  }
  return ways;
}

/** What is wrong with how a call reacts to a signal; null if it ends soon. A busy machine may delay it, but not every time. */
async function faultOf(call: Ways[string]): Promise<string | null> {
  let fault = "";
  for (let tries = 0; tries < TRIES; tries++) {
    const controller = new AbortController(), reason = new Error("enough");
    const ended = call({ signal: controller.signal }).then(() => "a value", (error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 25));
    const before = performance.now();
    controller.abort(reason);
    let timer;
    const late = new Promise((resolve) => timer = setTimeout(() => resolve("nothing"), 1000));
    const outcome = await Promise.race([ended, late]);
    clearTimeout(timer);
    const took = performance.now() - before;
    if (outcome === reason && took <= SOON) return null;
    if (outcome !== reason && outcome !== "nothing") return String(outcome);
    fault = `${Math.round(took)} ms`;
  }
  return fault;
}

describe("aborting a signal while any call may wait forever", () => {
  it(`ends the call within ${SOON} ms with signal.reason`, async () => {
    const server = await scriptedServer(({ path, range }) => {
      if (path !== "/stall" && path !== "/stall-behind") return "silence";
      const { start, end } = range ?? { start: 0, end: BYTES.length };
      const body = BYTES.subarray(start, end);
      const headers: Record<string, string> = range
        ? { etag: '"1"', "content-range": `bytes ${start}-${start + body.length - 1}/${BYTES.length}` }
        : { etag: '"1"' };
      const status = range ? 206 : 200;
      const isWhole = path === "/stall-behind" && body.length < LARGE;
      return isWhole ? { status, headers, body } : { status, headers, body, stall: 10 };
    });
    try {
      const ways = { ...readers(server.url), ...await ofCheckpoint(server.url), ...writers() };
      const wrong: string[] = [];
      const entries = Object.entries(ways);
      // Only a few at a time, since the work of one delays the others.
      for (let i = 0; i < entries.length; i += 8) {
        await Promise.all(
          entries.slice(i, i + 8).map(async ([name, call]) => {
            const fault = await faultOf(call);
            if (fault !== null) wrong.push(`${name}: ${fault}`);
          }),
        );
      }
      assert.deepEqual(wrong, []);
      console.log(`    ${entries.length} ways`);
    } finally {
      await server.close();
    }
  });
});
