/**
 * Runs the examples for Node, Bun and browsers as users do, with the package as npm would install it:
 * `deno run -A --no-lock tests/examples/installed.ts`
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import esbuild from "esbuild";
import { decode, load, NDArray, recoverStateDict, type Value } from "../../mod.ts";
import { decodeNpz } from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";
import { whileServed } from "./served_program.ts";
import { sparsePickle } from "./sparse_pickle.ts";

const NET = resolve("tests/fixtures/real/paddle-3.3.1/net/net.pdparams");
const MODEL = resolve("tests/fixtures/real/paddle-2.6.2/jit-save/m");
const BUN = resolve("node_modules/.bin/bun");
const folder = mkdtempSync(join(tmpdir(), "oarlock-installed-"));

/** A project with the package in its `node_modules`, and the examples. */
function install(): void {
  const tarball = join(folder, "package.tgz"), modules = join(folder, "node_modules");
  const packed = spawnSync("deno", ["pack", "--allow-dirty", "--no-source-maps", "--quiet", "--output", tarball]);
  assert.equal(packed.status, 0, String(packed.stderr));
  mkdirSync(join(modules, "@oarlock"), { recursive: true });
  assert.equal(spawnSync("tar", ["xzf", tarball, "-C", join(modules, "@oarlock")]).status, 0);
  cpSync(join(modules, "@oarlock/package"), join(modules, "@oarlock/paddle"), { recursive: true });
  cpSync("node_modules/@bufbuild/protobuf", join(modules, "@bufbuild/protobuf"), {
    recursive: true,
    dereference: true,
  });
  for (const name of ["node", "bun", "edge_params"]) {
    cpSync(`examples/${name}`, join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, "package.json"), `{ "type": "module", "dependencies": { "@oarlock/paddle": "*" } }`);
}

interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Run a program to its end; `during` is called with its output so far. */
async function run(
  command: string,
  args: string[],
  during?: (child: ChildProcess, err: string) => void,
): Promise<Ended> {
  const child = spawn(command, args, { cwd: folder });
  let out = "", err = "";
  child.stdout.on("data", (chunk) => out += chunk);
  child.stderr.on("data", (chunk) => {
    err += chunk;
    during?.(child, err);
  });
  const [code, signal] = await once(child, "close");
  // Deno reports exit code 130 as termination by the signal.
  return { code: signal === "SIGINT" ? 130 : code, out, err };
}

/** Check the package's types, for Deno programs without the DOM `lib` whose optional properties are exact. */
async function typesHold(): Promise<void> {
  cpSync("tests/examples/consumer.ts", join(folder, "consumer.ts"));
  const compilerOptions = { exactOptionalPropertyTypes: true };
  writeFileSync(join(folder, "deno.json"), JSON.stringify({ compilerOptions }));
  const { code, err } = await run("deno", ["check", "--quiet", "consumer.ts", "edge_params/main.ts"]);
  assert.equal(code, 0, err);
  console.log("types: a program of Deno's is checked against those of the package");
}

async function arraysOf(from: string): Promise<Map<string, NDArray>> {
  const state = await load(from) as Map<string, unknown>;
  return new Map([...state].filter((entry): entry is [string, NDArray] => entry[1] instanceof NDArray));
}

async function nodeConverts(): Promise<void> {
  for (const from of [NET, MODEL]) {
    const expected = await arraysOf(from);
    for (const end of ["safetensors", "npz"]) {
      const { code, out, err } = await run("node", ["node/main.mjs", from, `made.${end}`]);
      assert.equal(code, 0, err);
      assert.match(err, /made\.\w+: 100 %/);
      assert.match(out, new RegExp(`made.${end}: ${expected.size} arrays`));
      const bytes = new Uint8Array(readFileSync(join(folder, `made.${end}`)));
      const arrays = end === "npz" ? await decodeNpz(bytes) : safetensors.decode(bytes);
      assert.deepEqual([...arrays.keys()].sort(), [...expected.keys()].sort());
      for (const [name, array] of expected) {
        assert.deepEqual([arrays.get(name)!.shape, arrays.get(name)!.bytes], [array.shape, array.bytes], name);
      }
    }
  }
  const { code, err } = await run("node", ["node/main.mjs", "none.pdparams", "made.npz"]);
  assert.deepEqual([code, err.includes("NOT_FOUND: ")], [1, true]);
  assert.equal((await run("node", ["node/main.mjs", NET])).code, 2);
  console.log("node: .pdparams and .pdiparams become safetensors and .npz");
}

async function controlCStops(): Promise<void> {
  await sparsePickle(join(folder, "large.pdparams"), new Map([["w", [600, 2 ** 20]]]));
  writeFileSync(join(folder, "old.safetensors"), "old");
  let isStopped = false;
  const { code, err } = await run("node", ["node/main.mjs", "large.pdparams", "old.safetensors"], (child, err) => {
    if (isStopped || !/ [1-9] %/.test(err)) return;
    isStopped = true;
    child.kill("SIGINT");
  });
  assert.equal(code, 130, err);
  assert.match(err, /Stopped: old\.safetensors is what it was before/);
  assert.equal(readFileSync(join(folder, "old.safetensors"), "utf8"), "old");
  console.log("node: Ctrl-C in the middle of 2.3 GiB leaves the old file");
}

async function bunRecovers(): Promise<void> {
  const { code, out, err } = await run(BUN, ["bun/recover.ts", MODEL, "recovered.pdparams"]);
  assert.equal(code, 0, err);
  const { stateDict } = await recoverStateDict(MODEL);
  const made = decode(new Uint8Array(readFileSync(join(folder, "recovered.pdparams")))) as Map<string, Value>;
  assert.deepEqual([...made.keys()], [...stateDict.keys()]);
  assert.match(out, new RegExp(`recovered.pdparams: ${stateDict.size} entries`));
  console.log("bun: an inference model becomes weights");
}

async function bunServes(): Promise<void> {
  const arrays = await arraysOf(NET);
  const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());
  const command = BUN, cwd = folder;
  await whileServed({ command, args: () => ["bun/serve.ts", NET], cwd }, async (base) => {
    const list = await (await fetch(base)).json();
    assert.deepEqual(list.map(({ name }: { name: string }) => name), [...arrays.keys()]);
    for (const [name, array] of arrays) {
      const response = await fetch(`${base}/${encodeURIComponent(name)}`);
      assert.equal(response.headers.get("x-dtype"), array.dtype);
      assert.deepEqual(await bytesOf(response), new Uint8Array(array.bytes), name);
    }
    const [name, array] = [...arrays].find(([, { shape }]) => shape[0] > 2)!;
    const rows = await fetch(`${base}/${encodeURIComponent(name)}?rows=1:2`);
    assert.deepEqual(await bytesOf(rows), new Uint8Array(array.slice(1, 2).bytes));
    assert.deepEqual([(await fetch(`${base}/none`)).status, (await fetch(`${base}/%ff`)).status], [404, 400]);
  });
  const env = { MODELS_URL: resolve("tests/fixtures/real") };
  await whileServed({ command, args: () => ["edge_params/main.ts"], cwd, env }, async (base) => {
    const url = `${base}/safetensors/paddle-3.3.1/net/net.pdparams`, metadata = { format: "np" };
    const whole = safetensors.encode(arrays, { metadata });
    assert.deepEqual(await bytesOf(await fetch(url)), whole);
    const head = await fetch(url, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), String(whole.length));
    const part = await fetch(url, { headers: { range: "bytes=100-3000" } });
    assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes 100-3000/${whole.length}`]);
    assert.deepEqual(await bytesOf(part), whole.slice(100, 3001));
    assert.equal((await fetch(url, { headers: { "if-none-match": head.headers.get("etag")! } })).status, 304);
  });
  console.log("bun: tensors over HTTP, and the edge function");
}

/** Test the page unmodified; its import from esm.sh is answered with a bundle of the library. */
async function pageShows(): Promise<void> {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
  if (!executablePath) return console.log("browser_import: chromium is not here, passed over");
  const { outputFiles } = await esbuild.build({
    entryPoints: ["mod.ts"],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    supported: { using: false },
  });
  const server = createServer((request, response) => {
    const name = request.url === "/" ? "index.html" : request.url!.slice(1);
    if (!["index.html", "show_tensors.js"].includes(name)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": name.endsWith(".js") ? "text/javascript" : "text/html" });
    response.end(readFileSync(`examples/browser_import/${name}`));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { chromium } = await import(["npm:playwright-core", "1.65.1"].join("@"));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage(), complaints: string[] = [], imported: string[] = [];
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error: Error) => complaints.push(String(error)));
    page.on("console", (message: { type(): string; text(): string }) => {
      if (message.type() === "error" && !message.text().includes("404")) complaints.push(message.text());
    });
    // deno-lint-ignore no-explicit-any
    await page.route("https://esm.sh/**", (route: any) => {
      imported.push(route.request().url());
      const headers = { "access-control-allow-origin": "*" };
      return route.fulfill({ contentType: "text/javascript", headers, body: outputFiles[0].text });
    });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const rows = (): Promise<string[][]> =>
      page.$$eval("tbody tr", (all: HTMLTableRowElement[]) => all.map((row) => [...row.cells].map((c) => c.innerText)));
    const status = (text: string) => page.waitForSelector(`#status >> text=${text}`);

    const arrays = await arraysOf(NET);
    await page.setInputFiles("#files", [NET]);
    await status(`${arrays.size} tensors`);
    const expected = [...arrays].map(([name, { dtype, shape, nbytes }]) =>
      [name, dtype, shape.join(" × ") || "scalar", nbytes].map(String)
    );
    const shown = await rows();
    assert.deepEqual(shown.map((cells) => cells.slice(0, 4)), expected);
    const [name, array] = [...arrays].find(([, { size, shape }]) => shape.length === 1 && size > 3)!;
    const numbers = array.slice(0, 3).toArray() as unknown[];
    assert.equal(shown.find((cells) => cells[0] === name)![4], numbers.join(", "));

    await page.setInputFiles("#files", ["pdmodel", "pdiparams"].map((end) => `${MODEL}.${end}`));
    await status(`${(await arraysOf(MODEL)).size} tensors`);

    writeFileSync(join(folder, "bad.pdparams"), "cos\nsystem\n(S'true'\ntR.");
    // deno-lint-ignore no-explicit-any
    const transfer = await page.evaluateHandle((text: string): any => {
      const data = new DataTransfer();
      data.items.add(new File([text], "bad.pdparams"));
      return data;
    }, readFileSync(join(folder, "bad.pdparams"), "utf8"));
    await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
    await status("FORBIDDEN_SYMBOL: ");
    assert.deepEqual(complaints, []);
    assert.equal(imported.length, 1);
    // The policy holds: nothing can be sent from here.
    const sent = await page.evaluate(() => fetch("/", { method: "POST" }).then(() => "sent", () => "refused"));
    assert.equal(sent, "refused");
    console.log("browser_import: Chromium shows chosen and dropped files under the page's policy");
  } finally {
    await browser.close();
    server.close();
  }
}

try {
  install();
  await typesHold();
  await nodeConverts();
  await controlCStops();
  if (existsSync(BUN)) {
    await bunRecovers();
    await bunServes();
  } else console.log("bun is not here, passed over");
  await pageShows();
} finally {
  await esbuild.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
