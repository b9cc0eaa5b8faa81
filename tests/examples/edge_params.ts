/**
 * The edge function in the runtimes it is meant for: in workerd over R2, read by Python's safetensors; over a file larger than its memory,
 * which is monitored; and in edge-runtime, Deno and Bun. `deno run -A --no-lock tests/examples/edge_params.ts`
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import esbuild from "esbuild";
import { encode, load, NDArray, type Tensor } from "../../mod.ts";
import * as safetensors from "../../src/safetensors.ts";
import { type Answer, type ScriptedServer, scriptedServer } from "../helpers/scripted_server.ts";
import { SparseFile, stateOf } from "../helpers/sparse_file.ts";
import { peakOf, residentOf, workerds } from "../runtimes/watch_workerd.ts";
import { whileServed } from "./served_program.ts";

const MiB = 2 ** 20;
/** The memory limit of a worker. */
const MOST = 128 * MiB;
const NET = "tests/fixtures/real/paddle-3.3.1/net/net.pdparams";
const MODEL = "tests/fixtures/real/paddle-2.6.2/jit-save/m";
/** A name that needs encoding. */
const NAME = "models/größe 100%.pdparams";
const PATH = NAME.split("/").map(encodeURIComponent).join("/");

const { Miniflare } = await import(["npm:miniflare", "4.20260730.0"].join("@"));

async function bundled(entry: string, format: "esm" | "iife"): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format,
    globalName: format === "iife" ? "edge" : undefined,
    target: "es2022",
    supported: { using: false },
    alias: {
      "@oarlock/paddle": "./mod.ts",
      "@oarlock/paddle/npy": "./src/npy.ts",
      "@oarlock/paddle/safetensors": "./src/safetensors.ts",
    },
  });
  return outputFiles[0].text;
}

const program = await bundled("tests/examples/edge_worker.ts", "esm");

/** The function in workerd, with `core.wasm` compiled by the host, as its README says. */
function worker(options: Record<string, unknown>) {
  return new Miniflare({
    host: "127.0.0.1",
    port: 0,
    modules: [{ type: "ESModule", path: "main.mjs", contents: program }],
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["enable_request_signal"],
    ...options,
  });
}

/** A Python that has safetensors; null if there is none and it cannot be installed. */
function pythonWithSafetensors(): string | null {
  const folder = "out/safetensors", python = join(folder, "bin/python");
  const isHere = () => spawnSync(python, ["-c", "import safetensors.numpy"]).status === 0;
  if (isHere()) return python;
  spawnSync("python3", ["-m", "venv", folder]);
  spawnSync(python, ["-m", "pip", "install", "-q", "--disable-pip-version-check", "safetensors", "numpy"]);
  return isHere() ? python : null;
}

async function overR2(): Promise<void> {
  const miniflare = worker({ r2Buckets: ["MODELS"] });
  try {
    const base = String(await miniflare.ready).replace(/\/$/, "");
    const bucket = await miniflare.getR2Bucket("MODELS");
    await bucket.put(NAME, readFileSync(NET));
    for (const end of ["pdmodel", "pdiparams", "pdiparams.info"]) {
      await bucket.put(`exported/m.${end}`, readFileSync(`${MODEL}.${end}`));
    }
    await sameAnswers("workerd", base, `exported/m.pdiparams`, MODEL);
    await sameAnswers("workerd", base, PATH, NET);
    assert.equal((await fetch(`${base}/tensors/none`)).status, 404);

    const python = pythonWithSafetensors();
    if (!python) return console.log("Python's safetensors over HTTP: SKIPPED, there is no Python that can have it");
    const { stdout, stderr, status } = spawnSync(python, ["tests/examples/read_by_ranges.py", base, NAME, NET]);
    assert.equal(status, 0, String(stderr));
    const { tensors, safetensors: version } = JSON.parse(String(stdout));
    assert.ok(tensors > 5);
    console.log(`Python's safetensors ${version} reads ${tensors} tensors by ranges and whole, numpy the .npy files`);
  } finally {
    await miniflare.dispose();
  }
}

function ask(url: string, init?: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Check a server's responses for `file`, whose local path is `path`: lengths, tags, ranges, conditions. */
async function sameAnswers(runtime: string, base: string, file: string, path: string, fetch = ask): Promise<void> {
  const state = await load(path) as Map<string, unknown>;
  const arrays = new Map([...state].filter((entry): entry is [string, NDArray] => entry[1] instanceof NDArray));
  const whole = safetensors.encode(arrays, { metadata: { format: "np" } }), url = `${base}/safetensors/${file}`;
  const got = await fetch(url);
  assert.equal(got.status, 200, `${runtime}: ${url}`);
  const length = String(whole.length);
  assert.deepEqual(new Uint8Array(await got.arrayBuffer()), whole);
  const head = await fetch(url, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), length, `${runtime}: Content-Length of HEAD`);
  assert.equal(got.headers.get("content-length"), length, `${runtime}: Content-Length of GET`);
  const etag = got.headers.get("etag")!;
  assert.match(etag, /^(W\/)?"/);
  for (const [start, end] of [[0, 8], [5, whole.length - 3], [whole.length - 1, whole.length]]) {
    const part = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("content-length"), String(end - start));
    assert.equal(part.headers.get("content-range"), `bytes ${start}-${end - 1}/${whole.length}`);
    assert.deepEqual(new Uint8Array(await part.arrayBuffer()), whole.slice(start, end));
  }
  assert.equal((await fetch(url, { headers: { range: `bytes=${whole.length}-` } })).status, 416);
  assert.equal((await fetch(url, { headers: { "if-none-match": etag } })).status, 304);
  const [[name, array]] = arrays;
  const raw = await fetch(`${base}/raw/${file}?${new URLSearchParams({ tensor: name })}`);
  assert.deepEqual(new Uint8Array(await raw.arrayBuffer()), new Uint8Array(array.bytes));
  console.log(`${runtime}: ${file} is served as it should be`);
}

/** A server with a large file, and a worker over it. */
async function withLarge(
  state: ReadonlyMap<string, Tensor>,
  work: (url: string, server: ScriptedServer, large: SparseFile) => Promise<void>,
) {
  const large = await SparseFile.of(state), small = await SparseFile.of(stateOf(2, MiB));
  const server = await scriptedServer(({ path, method, range }): Answer => {
    const file = path === "/large" ? large : small;
    if (method === "HEAD") return { status: 200, headers: { "etag": "1", "x-size": `${file.size}` } };
    const body = file.slice(range!.start, range!.end);
    return { status: 206, headers: { "etag": "1", "content-length": `${body.length}` }, body };
  });
  const miniflare = worker({ bindings: { URL: server.url } });
  try {
    await work(String(await miniflare.ready).replace(/\/$/, ""), server, large);
  } finally {
    await miniflare.dispose();
    await server.close();
  }
}

async function drained(url: string): Promise<number> {
  let size = 0;
  for await (const chunk of (await fetch(url)).body!) size += chunk.length;
  return size;
}

async function boundedMemory(): Promise<void> {
  await withLarge(stateOf(200, 7 * MiB), async (base, server, large) => {
    await drained(`${base}/safetensors/small`);
    const [id] = workerds(), before = residentOf(id);
    const peak = await peakOf(id, async () => {
      assert.ok(await drained(`${base}/safetensors/large`) > 200 * 7 * MiB);
      const tensors = await (await fetch(`${base}/tensors/large`)).json();
      assert.equal(tensors.tensors.length, 200);
    });
    const size = `${(large.size / 2 ** 30).toFixed(1)} GiB`;
    console.log(`workerd: ${size} served as safetensors: ${Math.round((peak - before) / MiB)} MiB more`);
    assert.ok(peak - before < MOST);

    // A client that stops reading also stops the reads from the bucket.
    const controller = new AbortController();
    const response = await fetch(`${base}/safetensors/large`, { signal: controller.signal });
    const reader = response.body!.getReader();
    const sent = server.sent();
    await reader.read();
    await atRest(server.sent);
    controller.abort();
    await reader.read().catch(() => {});
    await atRest(() => server.asked.length);
    assert.ok(server.sent() - sent < large.size / 4, "a reader that waits or leaves ends the reads of the bucket");
    console.log("workerd: a reader that waits or leaves ends the reads of the bucket");
  });
}

/** Downloads at the same time share the memory of a worker. */
async function sharedMemory(): Promise<void> {
  await withLarge(stateOf(1000, 65_536), async (base, _server, large) => {
    await drained(`${base}/safetensors/small`);
    const [id] = workerds(), before = residentOf(id);
    const peak = await peakOf(id, () => {
      return Promise.all(Array.from({ length: 4 }, () => drained(`${base}/safetensors/large`)));
    });
    const size = `${Math.round(large.size / MiB)} MiB in small tensors`;
    console.log(`workerd: ${size} served four times at once: ${Math.round((peak - before) / MiB)} MiB more`);
    assert.ok(peak - before < 2 * MOST);
  });
}

/** Wait until `count` stays the same for a second, which may take a while on a busy machine. */
async function atRest(count: () => number): Promise<void> {
  for (let seconds = 0; seconds < 30; seconds++) {
    const before = count();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (count() === before) return;
  }
  assert.fail("it does not come to rest");
}

/** The function as a program of Deno, over a directory. */
async function inDeno(): Promise<void> {
  const args = (port: number) => {
    return ["serve", "-A", "--no-lock", "--host", "127.0.0.1", "--port", String(port), "examples/edge_params/main.ts"];
  };
  const env = { MODELS_URL: resolve("tests/fixtures/real"), NODE_ENV: "production" };
  await whileServed({ command: "deno", args, env }, async (base) => {
    await sameAnswers("Deno", base, "paddle-3.3.1/net/net.pdparams", NET);
    await sameAnswers("Deno", base, "paddle-2.6.2/jit-save/m", MODEL);
  });
}

async function inEdgeRuntime(): Promise<void> {
  const file = new Uint8Array(encode(await load(NET)));
  const server = await scriptedServer(({ path, range }) => {
    if (path !== "/net.pdparams") return { status: 404 };
    const { start, end } = range ?? { start: 0, end: file.length };
    const body = file.slice(start, Math.min(end, file.length));
    const part = `bytes ${start}-${start + body.length - 1}/${file.length}`;
    return { status: 206, headers: { "etag": '"1"', "content-range": part, "content-length": `${body.length}` }, body };
  });
  const { EdgeRuntime } = await import(["npm:edge-runtime", "4.0.1"].join("@"));
  const initialCode = `${await bundled("examples/edge_params/main.ts", "iife")};
globalThis.process = { env: { MODELS_URL: ${JSON.stringify(server.url)} } };`;
  const runtime = new EdgeRuntime({ initialCode });
  try {
    // Called directly, since the dispatcher of this runtime removes Content-Length.
    const fetch: typeof ask = runtime.evaluate("(url, init) => edge.default.fetch(new Request(url, init))");
    await sameAnswers("edge-runtime", "http://models.example", "net.pdparams", NET, fetch);
  } finally {
    await server.close();
  }
}

await overR2();
await boundedMemory();
await sharedMemory();
await inEdgeRuntime();
await inDeno();
await esbuild.stop();
process.exit(0);
