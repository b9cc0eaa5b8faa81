/**
 * The memory that a copy of a large file takes in Chromium, measured from outside the process:
 * `deno run -A --no-lock tests/runtimes/browser_memory.ts`. Without Chromium, or if the system does not report it, it says so and passes.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import esbuild from "esbuild";
import { sparsePickle } from "../examples/sparse_pickle.ts";

const MiB = 2 ** 20;
/** Less than the 64 MiB of buffers that Chromium lets accumulate before it collects them. */
const MOST = 48 * MiB;
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!CHROMIUM || !existsSync("/proc/self/status")) {
  console.log("memory in Chromium: it cannot be watched here, passed over");
  process.exit(0);
}

const { outputFiles } = await esbuild.build({
  entryPoints: ["mod.ts"],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  supported: { using: false },
});
/** Copies the file into the origin private file system, by way of an open checkpoint. */
const WORKER = `import { open, save } from "/paddle.js";
onmessage = async ({ data: file }) => {
  const folder = await navigator.storage.getDirectory();
  const checkpoint = await open(file);
  const { bytes } = await save(checkpoint, await folder.getFileHandle("copy", { create: true }));
  await checkpoint.close();
  postMessage(bytes);
};
`;
const files: Record<string, [type: string, text: string]> = {
  "/": ["text/html", `<!DOCTYPE html><input type="file" id="files" multiple>`],
  "/paddle.js": ["text/javascript", outputFiles[0].text],
  "/worker.js": ["text/javascript", WORKER],
};
const server = createServer((request, response) => {
  const [type, text] = files[request.url!] ?? ["text/plain", ""];
  response.writeHead(files[request.url!] ? 200 : 404, { "content-type": type }).end(text);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));

/** Ids of the descendants of this process, and so of the browser. */
function below(): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(field(Number(name), "PPid")));
  }
  const isBelow = (id: number): boolean => id === process.pid || (parents.has(id) && isBelow(parents.get(id)!));
  return [...parents.keys()].filter((id) => id !== process.pid && isBelow(id));
}

function field(id: number, name: string): string {
  try {
    return new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? "0";
  } catch {
    return "0";
  }
}

const folder = mkdtempSync(join(tmpdir(), "oarlock-memory-"));
const small = join(folder, "small.pdparams"), large = join(folder, "large.pdparams");
await sparsePickle(small, new Map([["w", [64, 1024]]]));
const size = await sparsePickle(
  large,
  new Map(Array.from({ length: 48 }, (_, i) => [`layer.${i}`, i % 2 ? [1024] : [4096, 1024]] as const)),
);
const { chromium } = await import(["npm:playwright-core", "1.65.1"].join("@"));
const browser = await chromium.launchPersistentContext(join(folder, "profile"), {
  executablePath: CHROMIUM,
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
let peak = 0;
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.setInputFiles("#files", [small, large]);
  await page.evaluate("globalThis.worker = new Worker('/worker.js', { type: 'module' })");
  const copied = (which: number): Promise<number> =>
    page.evaluate((which: number) => {
      const { worker } = globalThis as unknown as { worker: Worker };
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage((document.getElementById("files") as HTMLInputElement).files![which]);
      });
    }, which);
  await copied(0);
  const before = new Map(below().map((id) => [id, Number(field(id, "RssAnon"))]));
  const timer = setInterval(() => {
    for (const [id, then] of before) peak = Math.max(peak, 1024 * (Number(field(id, "RssAnon")) - then));
  }, 20);
  // The sparse file repeats for each array what a saved file has once.
  assert.ok(Math.abs(await copied(1) - size) < size / 1000);
  clearInterval(timer);
} finally {
  await browser.close();
  server.close();
  await esbuild.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`Chromium: a copy of ${Math.round(size / MiB)} MiB: ${Math.round(peak / MiB)} MiB more in one process`);
process.exit(peak < MOST ? 0 : 1);
