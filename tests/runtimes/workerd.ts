/**
 * An edge worker in workerd: the same bits with `core.wasm` compiled by the host and without it; and files larger than its memory are
 * opened, read and converted while its memory is measured from outside the process. `deno run -A tests/runtimes/workerd.ts`.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import esbuild from "esbuild";
import { type ScriptedServer, scriptedServer } from "../helpers/scripted_server.ts";
import { SparseFile, stateOf } from "../helpers/sparse_file.ts";
import { peakOf, residentOf, workerds } from "./watch_workerd.ts";
import { kernelResults } from "./worker_program.ts";

const MiB = 2 ** 20;
/** The memory limit of a worker. */
const MOST = 128 * MiB;

const { Miniflare } = await import(["npm:miniflare", "4.20260730.0"].join("@"));
const bundle = await esbuild.build({
  entryPoints: ["tests/runtimes/worker_program.ts"],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  supported: { using: false },
});
await esbuild.stop();

/** A worker; with `core`, the host compiles `core.wasm`. */
function worker(core: boolean) {
  const imports = core ? `import core from "./core.wasm";` : "const core = undefined;";
  return new Miniflare({
    modules: [
      {
        type: "ESModule",
        path: "main.mjs",
        contents: `import { answer } from "./program.mjs";\n${imports}
export default { fetch: (request) => answer(request, core) };`,
      },
      { type: "ESModule", path: "program.mjs", contents: bundle.outputFiles[0].text },
      ...(core ? [{ type: "CompiledWasm", path: "core.wasm", contents: readFileSync("wasm/core.wasm") }] : []),
    ],
    compatibilityDate: "2026-07-01",
  });
}

async function sameResults(): Promise<void> {
  const here = await kernelResults();
  for (const core of [true, false]) {
    const miniflare = worker(core);
    try {
      const { isCompiled, results } = await (await miniflare.dispatchFetch("http://worker/kernel")).json();
      assert.equal(isCompiled, core, "the core that the host compiled is used, and there is no other");
      assert.deepEqual(results, here);
    } finally {
      await miniflare.dispose();
    }
  }
  console.log("workerd: the same bits with core.wasm and without");
}

/**
 * How much more memory a fresh worker takes for `path` of the large file than of the small one; `check` gets the large response's length
 * and end. `file` is the large one.
 */
async function growthOf(
  { url }: ScriptedServer,
  path: string,
  check: (size: number, end: string) => void,
  file = "large",
): Promise<number> {
  const miniflare = worker(true);
  const run = async (file: string): Promise<[number, Uint8Array]> => {
    const response = await miniflare.dispatchFetch(`http://worker${path}?url=${url}/${file}`);
    assert.equal(response.status, 200);
    let size = 0, end = new Uint8Array(0);
    for await (const chunk of response.body!) {
      size += chunk.length;
      end = chunk;
    }
    return [size, end];
  };
  try {
    await run("small");
    const [id] = workerds();
    const before = residentOf(id);
    return await peakOf(id, async () => {
      const [size, end] = await run(file);
      check(size, new TextDecoder().decode(end));
    }) - before;
  } finally {
    await miniflare.dispose();
  }
}

/** A safetensors file with one array of zeros. */
function oneArray(nbytes: number): SparseFile {
  const header = JSON.stringify({ w: { dtype: "U8", shape: [nbytes], data_offsets: [0, nbytes] } });
  const start = new Uint8Array(8 + header.length), file = new SparseFile();
  new DataView(start.buffer).setBigUint64(0, BigInt(header.length), true);
  start.set(new TextEncoder().encode(header), 8);
  file.add(start);
  file.skip(nbytes);
  return file;
}

async function boundedMemory(): Promise<void> {
  const large = await SparseFile.of(stateOf(200, 7 * MiB)), small = await SparseFile.of(stateOf(2, MiB));
  const one = oneArray(2 ** 30);
  const server = await scriptedServer(({ path, range }) => {
    const file = path === "/large" ? large : path === "/one" ? one : small;
    const { start, end } = range!;
    const body = file.slice(start, end);
    const part = `bytes ${start}-${start + body.length - 1}/${file.size}`;
    return { status: 206, headers: { etag: '"1"', "content-range": part, "content-length": `${body.length}` }, body };
  });
  const size = `${(large.size / 2 ** 30).toFixed(1)} GiB`;
  try {
    const opened = await below(MOST, () =>
      growthOf(server, "/open", (_, end) => {
        assert.deepEqual(JSON.parse(end), { count: 200, nbytes: 10 * 7 * MiB });
      }));
    console.log(`workerd: open of ${size} and get of 10 tensors of 7 MiB: ${mib(opened)} more`);
    const converted = await below(MOST, () => growthOf(server, "/convert", (size) => assert.ok(size > 200 * 7 * MiB)));
    console.log(`workerd: ${size} as safetensors, streamed: ${mib(converted)} more`);
    const streamed = await below(MOST, () => growthOf(server, "/stream", (size) => assert.equal(size, 2 ** 30), "one"));
    console.log(`workerd: an array of 1 GiB, streamed: ${mib(streamed)} more`);
    // Parts are new memory, which is collected in its own time, and the process has more than the worker's memory.
    const copied = await below(1.5 * MOST, () =>
      growthOf(server, "/copy", (_, end) => {
        const { bytes, stored } = JSON.parse(end);
        assert.ok(bytes > 200 * 7 * MiB && stored === bytes);
      }));
    console.log(`workerd: ${size} copied to a bucket: ${mib(copied)} more`);
  } finally {
    await server.close();
  }
}

/** The growth that `measure` finds, below `most`; when garbage is collected varies, so it is measured up to three times. */
async function below(most: number, measure: () => Promise<number>): Promise<number> {
  for (let tries = 1;; tries++) {
    const growth = await measure();
    if (growth < most) return growth;
    assert.ok(tries < 3, `${mib(growth)} more: below ${mib(most)} in one of three runs`);
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MiB)} MiB`;
}

await sameResults();
await boundedMemory();
