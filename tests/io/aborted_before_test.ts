import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  BucketFolder,
  cleanupTemps,
  crypto,
  detect,
  distributed,
  encode,
  fluid,
  type Folder,
  type From,
  fromArray,
  HttpFolder,
  jit,
  load,
  Model,
  nn,
  open,
  openArchive,
  recoverFolder,
  recoverStateDict,
  S3Folder,
  save,
  sideIndex,
  type Sink,
  type Source,
  type StateDict,
  static as paddleStatic,
  Tensor,
  type To,
} from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";
import { countedSignal } from "../helpers/counted_signal.ts";

const MODEL = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";
const ARRAY = fromArray([1, 2], "float32");
const STATE: StateDict = new Map([["w", new Tensor("float32", [2], Float32Array.of(1, 2), { name: "w" })]]);
const BYTES = encode(STATE);

interface Options {
  signal: AbortSignal;
}
type Ways = Record<string, (options: Options) => Promise<unknown>>;

/** Sources, sinks and folders that record how they were accessed. */
class Spy {
  readonly touched: string[] = [];
  readonly folder: Folder;

  constructor() {
    const note = (what: string) => (name = "") => {
      this.touched.push(`${what} ${name}`);
      return Promise.reject(new Error("touched"));
    };
    this.folder = {
      get: note("get"),
      put: note("put"),
      list: note("list"),
      delete: note("delete"),
      hasFolder: note("hasFolder"),
    };
  }

  source(): Source {
    return {
      size: BYTES.length,
      read: () => {
        this.touched.push("read");
        return Promise.resolve(0);
      },
    };
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream({ pull: () => void this.touched.push("pull") }, { highWaterMark: 0 });
  }

  sink(): Sink {
    const note = (what: string) => () => void this.touched.push(what);
    return { write: note("write"), close: note("close"), abort: note("abort") };
  }

  readonly fetch = (): Promise<Response> => {
    this.touched.push("fetch");
    return Promise.reject(new Error("touched"));
  };
}

async function waysOf(spy: Spy, path: string): Promise<Ways> {
  const ways: Ways = {};
  const { folder } = spy, name = "m";
  const froms: Record<string, () => From> = {
    "a path": () => path,
    "a URL": () => "http://127.0.0.1:9/m",
    "bytes": () => BYTES,
    "a Blob": () => new Blob([BYTES as BlobPart]),
    "a source": () => spy.source(),
    "a stream": () => spy.stream(),
    "a Response": () => new Response(spy.stream()),
    "a name in a folder": () => ({ folder, name }),
    "an index in a folder": () => ({ folder, name: "m.index.json" }),
  };
  const web = { fetch: spy.fetch, http: { retryDelay: 0 } };
  const readers: Record<string, (from: From, options: Options) => Promise<unknown>> = {
    load: (from, options) => load(from, { ...options, ...web }),
    open: (from, options) => open(from, { ...options, ...web }),
    audit: (from, options) => audit(from, { ...options, ...web }),
    detect: (from, options) => detect(from, { ...options, ...web }),
    sideIndex: (from, options) => sideIndex(from, { ...options, ...web }),
    openArchive: (from, options) => openArchive(from, { ...options, ...web }),
    "npy.load": (from, options) => npy.load(from, { ...options, ...web }),
    "npy.open": (from, options) => npy.open(from, { ...options, ...web }),
    "npy.loadNpz": (from, options) => npy.loadNpz(from, { ...options, ...web }),
    "npy.openNpz": (from, options) => npy.openNpz(from, { ...options, ...web }),
    "safetensors.load": (from, options) => safetensors.load(from, { ...options, ...web }),
    "safetensors.open": (from, options) => safetensors.open(from, { ...options, ...web }),
    "static.loadFromFile": paddleStatic.loadFromFile,
  };
  for (const [verb, call] of Object.entries(readers)) {
    for (const [kind, from] of Object.entries(froms)) ways[`${verb} of ${kind}`] = (options) => call(from(), options);
  }
  const tos: Record<string, () => To> = {
    "a path": () => path,
    "a sink": () => spy.sink(),
    "a stream": () => new WritableStream({ write: () => void spy.touched.push("write") }),
    "a name in a folder": () => ({ folder, name }),
  };
  const checkpoint = await open(BYTES), archive = await open(BYTES);
  const writers: Record<string, (to: To, options: Options) => Promise<unknown>> = {
    save: (to, options) => save(STATE, to, options),
    "save of a checkpoint": (to, options) => save(checkpoint, to, options),
    "npy.save": (to, options) => npy.save(ARRAY, to, options),
    "npy.saveNpz": (to, options) => npy.saveNpz(new Map([["a", ARRAY]]), to, options),
    "npy.saveNpz, packed": (to, options) => npy.saveNpz(new Map([["a", ARRAY]]), to, { ...options, compress: true }),
    "safetensors.save": (to, options) => safetensors.save(STATE, to, options),
    "static.saveToFile": (to, options) => paddleStatic.saveToFile(to, BYTES, options),
  };
  for (const [verb, call] of Object.entries(writers)) {
    for (const [kind, to] of Object.entries(tos)) ways[`${verb} to ${kind}`] = (options) => call(to(), options);
  }
  const model = await paddleStatic.loadInferenceModel(MODEL);
  const { program, parameters } = model, net = new Model(new nn.Linear(2, 2));
  const mainProgram = program;
  const places = { "a path": path, "a name in a folder": { folder, name } };
  for (const [kind, place] of Object.entries(places)) {
    const byName: Ways = {
      recoverStateDict: (options) => recoverStateDict(place, options),
      "static.loadInferenceModel": (options) => paddleStatic.loadInferenceModel(place, options),
      "static.loadProgramState": (options) => paddleStatic.loadProgramState(place, options),
      "static.load": (options) => paddleStatic.load(program, place, options),
      "static.save": (options) => paddleStatic.save(program, place, { ...options, parameters }),
      "static.saveInferenceModel": (options) =>
        paddleStatic.saveInferenceModel(place, model.feedTargetNames, model.fetchTargets, {
          ...options,
          program,
          parameters,
        }),
      "static.relayout": (options) => paddleStatic.relayout(model, place, options),
      "static.relayout from there": (options) => paddleStatic.relayout(place, join(path, "other"), options),
      "jit.load": (options) => jit.load(place, options),
      "jit.save": (options) =>
        jit.save({ programs: { forward: program }, stateDict: parameters as StateDict }, place, options),
      "fluid.loadDygraph": (options) =>
        fluid.loadDygraph(kind === "a path" ? path : "m", {
          ...options,
          folder: kind === "a path" ? undefined : folder,
        }),
      "fluid.saveDygraph": (options) =>
        fluid.saveDygraph(STATE, kind === "a path" ? path : "m", {
          ...options,
          folder: kind === "a path" ? undefined : folder,
        }),
      "fluid.io.loadVars": (options) => fluid.io.loadVars(place, { ...options, mainProgram }),
      "fluid.io.loadParams": (options) => fluid.io.loadParams(place, { ...options, mainProgram }),
      "fluid.io.loadPersistables": (options) => fluid.io.loadPersistables(place, { ...options, mainProgram }),
      "fluid.io.saveVars": (options) => fluid.io.saveVars(place, { ...options, mainProgram, parameters }),
      "fluid.io.saveParams": (options) => fluid.io.saveParams(place, { ...options, mainProgram, parameters }),
      "fluid.io.savePersistables": (options) =>
        fluid.io.savePersistables(place, { ...options, mainProgram, parameters }),
      "fluid.io.saveInferenceModel": (options) =>
        fluid.io.saveInferenceModel(place, model.feedTargetNames, model.fetchTargets, {
          ...options,
          mainProgram,
          parameters,
        }),
      "distributed.saveStateDict": (options) => distributed.saveStateDict(STATE, place, options),
      "distributed.loadStateDict": (options) => distributed.loadStateDict(STATE, place, options),
      "distributed.loadMergedStateDict": (options) => distributed.loadMergedStateDict(place, options),
      "recoverFolder": (options) => recoverFolder(path, options),
      "cleanupTemps": (options) => cleanupTemps(path, options),
    };
    for (const [verb, call] of Object.entries(byName)) ways[`${verb}, ${kind}`] = call;
  }
  ways["Model.load"] = (options) => net.load(path, options);
  ways["Model.load, a folder"] = (options) => net.load("m", { ...options, folder });
  ways["Model.save"] = (options) => net.save(path, options);
  ways["Model.save, a folder"] = (options) => net.save("m", { ...options, folder });
  ways["Checkpoint.get"] = (options) => archive.get("w", options);
  ways["Checkpoint.getSlice"] = (options) => archive.getSlice("w", [0, 1], options);
  ways["Checkpoint.write"] = (options) => archive.write("w", ARRAY, options);
  ways["Checkpoint.value"] = (options) => archive.value(options);
  ways["Checkpoint.stream"] = (options) => new Response(archive.stream("w", options)).arrayBuffer();
  ways["NDArray.load"] = async (options) => await ARRAY.load(options);
  ways["npy.decodeNpz"] = (options) => npy.decodeNpz(BYTES, options);
  ways["npy.encodeNpz"] = (options) => npy.encodeNpz(new Map([["a", ARRAY]]), options);
  const key = crypto.CipherUtils.genKey(128), { CipherFactory, CipherUtils } = crypto, cipher = new crypto.Cipher();
  for (const [kind, from] of Object.entries(froms)) {
    if (kind === "a URL") continue;
    ways[`Cipher.decryptFromFile of ${kind}`] = (options) => cipher.decryptFromFile(key, from(), options);
    ways[`CipherFactory.createCipher of ${kind}`] = (options) => CipherFactory.createCipher(from(), options);
    ways[`CipherUtils.readKeyFromFile of ${kind}`] = (options) => CipherUtils.readKeyFromFile(from(), options);
  }
  for (const [kind, to] of Object.entries(tos)) {
    ways[`Cipher.encryptToFile to ${kind}`] = (options) => cipher.encryptToFile(BYTES, key, to(), options);
    ways[`CipherUtils.genKeyToFile to ${kind}`] = (options) => CipherUtils.genKeyToFile(128, to(), options);
  }
  ways["crypto.encrypt"] = (options) => crypto.encrypt(BYTES, key, {}, options);
  ways["crypto.decrypt"] = (options) => crypto.decrypt(BYTES, key, {}, options);
  const http = new HttpFolder("http://127.0.0.1:9/", { fetch: spy.fetch, retryDelay: 0, names: [] });
  ways["HttpFolder.get"] = (options) => http.get("a", options);
  ways["BucketFolder.get"] = (options) => load({ folder: new BucketFolder(new FakeBucket()), name: "a" }, options);
  const s3 = new S3Folder("http://127.0.0.1:9/", { fetch: spy.fetch, retryDelay: 0 });
  ways["S3Folder.get"] = (options) => s3.get("a", options);
  return ways;
}

describe("every function that returns a promise", () => {
  it("rejects with signal.reason when the signal is already aborted, and touches nothing", async () => {
    const root = mkdtempSync(join(tmpdir(), "oarlock-aborted-"));
    try {
      const spy = new Spy(), wrong: string[] = [];
      const ways = await waysOf(spy, join(root, "m"));
      for (const reason of [new Error("no"), 0]) {
        for (const [name, call] of Object.entries(ways)) {
          let outcome: unknown;
          try {
            outcome = await call({ signal: AbortSignal.abort(reason) });
          } catch (error) {
            outcome = error === reason ? null : `rejects with ${error}`;
          }
          if (outcome !== null) wrong.push(`${name}: ${outcome}`);
          if (spy.touched.length > 0) wrong.push(`${name}: touched ${spy.touched.splice(0)}`);
          const made = readdirSync(root);
          if (made.length > 0) wrong.push(`${name}: made ${made}`);
          for (const one of made) rmSync(join(root, one), { recursive: true });
        }
      }
      assert.deepEqual([...new Set(wrong)], []);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("removes its listeners from the signal when it ends, with or without success", async () => {
    const root = mkdtempSync(join(tmpdir(), "oarlock-listeners-"));
    try {
      const spy = new Spy(), wrong: string[] = [];
      let listening = 0;
      for (const [name, call] of Object.entries(await waysOf(spy, join(root, "m")))) {
        // Those that never respond are covered by another test.
        if (/stream|Response|loadFromFile of a URL/.test(name)) continue;
        const { signal, listeners, added } = countedSignal();
        await call({ signal }).then(async (made) => {
          await (made as { close?: () => Promise<void> } | null)?.close?.();
        }, () => {});
        if (listeners.size > 0) wrong.push(`${name}: ${listeners.size}`);
        if (added() > 0) listening++;
      }
      assert.ok(listening > 100, `only ${listening} calls listened`);
      assert.deepEqual(wrong, []);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
