/**
 * One job of the benchmark, done by this library in a fresh process: `ours.ts JOB FOLDER DIVISOR`. Runs directly in Deno, and bundled in
 * Node and Bun. Prints one line of JSON: milliseconds for the job alone, peak resident memory in KiB, and the bytes of its array data.
 */
import { closeSync, createReadStream, openSync, readFileSync, writeSync } from "node:fs";
import process from "node:process";
import { Readable } from "node:stream";
import * as paddle from "../../mod.ts";

const [job, folder, divisor] = process.argv.slice(2);
const MiB = 2 ** 20;

/** Duration of the job in milliseconds, if it measures it itself. */
let took: number | null = null;

/** Runs a job whose data is ready; returns the bytes of the array data it handled. */
type Run = () => Promise<number> | number;

function load(name: string): Run {
  return async () => {
    const state = await paddle.load(`${folder}/${name}`) as paddle.StateDict;
    let nbytes = 0;
    for (const tensor of state.values()) nbytes += (tensor as paddle.Tensor).nbytes;
    return nbytes;
  };
}

function open(name: string): Run {
  return async () => {
    const checkpoint = await paddle.open(`${folder}/${name}`);
    const count = checkpoint.names().length;
    await checkpoint.close();
    return count;
  };
}

function openOne(name: string): Run {
  return async () => {
    const checkpoint = await paddle.open(`${folder}/${name}`);
    const names = checkpoint.names();
    const tensor = await checkpoint.get(names[Math.floor(names.length / 2)]);
    await checkpoint.close();
    return tensor.nbytes;
  };
}

async function loadModel(): Promise<number> {
  const parameters = await paddle.load(`${folder}/model`) as Map<string, paddle.NDArray>;
  return [...parameters.values()].reduce((n, array) => n + array.nbytes, 0);
}

/** The bytes are in memory, as for the peer; `touch` accesses every operator and its attributes. */
function program(touch: boolean): Run {
  const bytes = readFileSync(`${folder}/program.pdmodel`);
  return () => {
    const made = paddle.static.deserializeProgram(bytes);
    return touch ? made.ops().reduce((n, op) => n + op.attributes.size + op.inputs.size, 0) : made.blocks.length;
  };
}

/** The median of twenty runs, or the first one only; reported in `took`. */
function json(isOurs: boolean, isFirst: boolean): Run {
  const bytes = readFileSync(`${folder}/program.json`);
  const runs = isFirst ? 1 : 20;
  return () => {
    const times = Array.from({ length: runs }, () => {
      const start = performance.now();
      if (isOurs) paddle.static.deserializeProgram(bytes);
      else JSON.parse(new TextDecoder().decode(bytes));
      return performance.now() - start;
    });
    took = times.sort((a, b) => a - b)[runs >> 1];
    return 0;
  };
}

function stateDict(total: number, count: number): paddle.StateDict {
  const nbytes = Math.floor(total / Number(divisor) / count / 4096) * 4096;
  const state: paddle.StateDict = new Map();
  for (let k = 0; k < count; k++) {
    const data = new Float32Array(nbytes / 4).fill(k + 0.1);
    state.set(
      `layer.${k}.weight`,
      new paddle.Tensor("float32", [nbytes / 1024, 256], data, { name: `linear_${k}.w_0` }),
    );
  }
  return state;
}

function nbytesOf(state: paddle.StateDict): number {
  let nbytes = 0;
  for (const tensor of state.values()) nbytes += (tensor as paddle.Tensor).nbytes;
  return nbytes;
}

function save(protocol: number, total: number, count: number): Run {
  const state = stateDict(total, count);
  return async () => {
    await paddle.save(state, `${folder}/saved.ours`, { protocol });
    return nbytesOf(state);
  };
}

/** To a sink that only writes, as `pickle.dump` does: no temporary file, no fsync, no rename. */
function pour(protocol: number, total: number, count: number): Run {
  const state = stateDict(total, count);
  return async () => {
    const file = openSync(`${folder}/saved.ours`, "w");
    const sink: paddle.Sink = {
      write: (chunk) => {
        for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done);
        return Promise.resolve();
      },
      close: () => Promise.resolve(closeSync(file)),
      abort: () => Promise.resolve(closeSync(file)),
      keepsChunks: false,
    };
    await paddle.save(state, sink, { protocol });
    return nbytesOf(state);
  };
}

function astype(): Run {
  const bits = new Uint16Array(256 * MiB / Number(divisor));
  for (let i = 0; i < bits.length; i++) bits[i] = i;
  const halves = new paddle.NDArray("float16", [bits.length], bits);
  return () => halves.astype("float32").nbytes;
}

/** The runtime's own stream of a file, or of a response. */
async function streamFrom(from: string, name: string): Promise<ReadableStream<Uint8Array>> {
  if (from === "http") return (await fetch(`${process.env.BENCH_URL}/${name}`)).body!;
  const path = `${folder}/${name}`;
  // deno-lint-ignore no-explicit-any
  const { Deno, Bun } = globalThis as any;
  if (Deno) return (await Deno.open(path)).readable;
  if (Bun) return Bun.file(path).stream();
  return Readable.toWeb(createReadStream(path)) as unknown as ReadableStream<Uint8Array>;
}

function stream(from: string, name: string): Run {
  return async () => nbytesOf(await paddle.load(await streamFrom(from, name)) as paddle.StateDict);
}

/** Read a stream and drop its chunks, or keep them. */
function pass(from: string, name: string, keep: boolean): Run {
  const kept: Uint8Array[] = [];
  return async () => {
    const reader = (await streamFrom(from, name)).getReader();
    let nbytes = 0;
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      nbytes += step.value.length;
      if (keep) kept.push(step.value);
    }
    return nbytes;
  };
}

function prepare(): Run {
  const [kind, what, name] = job.split(":");
  const [total, count] = what === "4" ? [1024 * MiB, 200] : [256 * MiB, 50];
  switch (kind) {
    case "empty":
      return () => 0;
    case "load":
      return load(what);
    case "stream":
      return stream(what, name);
    case "drop":
    case "keep":
      return pass(what, name, kind === "keep");
    case "open":
      return open(what);
    case "openOne":
      return openOne(what);
    case "model":
      return loadModel;
    case "program":
      return program(what === "touched");
    case "json":
    case "parse":
      return json(kind === "json", what === "first");
    case "save":
      return save(Number(what), total, count);
    case "pour":
      return pour(Number(what), total, count);
    case "astype":
      return astype();
  }
  throw new Error(`no such job: ${job}`);
}

const run = prepare();
const start = performance.now();
const nbytes = await run();
const ms = took ?? performance.now() - start;
const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]);
console.log(JSON.stringify({ ms, peakKiB, nbytes }));
