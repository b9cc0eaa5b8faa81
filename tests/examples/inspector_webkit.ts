/**
 * Drives the inspector in WebKitGTK, which lacks what Chromium and Firefox have: `deno run -A --no-lock tests/examples/inspector_webkit.ts`.
 * Without WebKitGTK's driver it says so and passes.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import process from "node:process";
import { encode, load } from "../../mod.ts";
import { runCases } from "./run_cases.ts";

const DRIVER = "/usr/bin/WebKitWebDriver", XVFB = "/usr/bin/xvfb-run";
const BROWSER = ["/usr/lib", "/usr/libexec"].filter(existsSync).flatMap((root) => [
  ...readdirSync(root).map((name) => join(root, name)),
  root,
]).flatMap((folder) => ["webkit2gtk-4.1", "webkit2gtk-4.0"].map((name) => join(folder, name, "MiniBrowser")))
  .find(existsSync);
if (![DRIVER, XVFB].every(existsSync) || !BROWSER) {
  console.log("inspector in WebKitGTK: it is not here, passed over");
  process.exit(0);
}
const { base, folder, MODEL, NET, server } = await import("./served_inspector.ts");

async function freePort(): Promise<number> {
  const one = createServer();
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", () => resolve()));
  const { port } = one.address() as AddressInfo;
  await new Promise((resolve) => one.close(resolve));
  return port;
}

const port = await freePort();
// A group of its own, so that all of its processes can be ended.
const driver = spawn(XVFB, ["-a", DRIVER, `--port=${port}`], {
  detached: true,
  stdio: "ignore",
  env: {
    ...process.env,
    HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_CACHE_HOME: folder,
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
    WEBKIT_DISABLE_COMPOSITING_MODE: "1",
    LIBGL_ALWAYS_SOFTWARE: "1",
  },
});

/** A call of W3C's WebDriver protocol. */
async function call<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}/session${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value?.error}: ${value?.message}`);
  return value;
}

async function started(): Promise<string> {
  const options = { binary: BROWSER, args: ["--automation"] };
  for (let tries = 1;; tries++) {
    try {
      const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": options } };
      return (await call<{ sessionId: string }>("", { capabilities })).sessionId;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

let session = "";
const evaluate = <T>(script: string, ...args: unknown[]): Promise<T> =>
  call(`/${session}/execute/sync`, { script, args });
const until = async (condition: string) => {
  for (let tries = 1; !(await evaluate<boolean>(`return Boolean(${condition})`)); tries++) {
    if (tries === 300) throw new Error(`${condition}: ${await evaluate("return document.body.innerText")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
/** Drop files, and wait until the page tells of them. */
const drop = async (pattern: string, ...paths: string[]) => {
  const files = paths.map((path) => [basename(path), readFileSync(path).toString("base64")]);
  await evaluate(
    `document.getElementById("status").textContent = "";
    const dataTransfer = new DataTransfer();
    for (const [name, text] of arguments[0]) {
      dataTransfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
    }
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));`,
    files,
  );
  await until(`/${pattern}|^Failed/.test(document.getElementById("status").textContent)`);
  assert.equal(await evaluate(`return document.getElementById("failure").hidden`), true, await failure());
};
const failure = () => evaluate<string>(`return document.getElementById("failure").innerText`);

const CASES: Record<string, () => Promise<void>> = {
  async "a pickle, its statistics, an element, the saved file"() {
    await drop("38 tensors", NET);
    await evaluate(`const row = document.querySelector("[role=treeitem] [title=scale]");
      row.dispatchEvent(new MouseEvent("click", { bubbles: true, clientY: row.getBoundingClientRect().y + 5 }));`);
    await until(`document.querySelector(".histogram") && document.querySelectorAll("#cells input").length === 2`);
    await evaluate(`const input = document.querySelector("#cells input");
      input.value = "42.5";
      input.dispatchEvent(new Event("change"));`);
    await until(`document.getElementById("save").textContent === "Save 1 change"`);
    await evaluate(`const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        URL.createObjectURL = make;
        const reader = new FileReader();
        reader.onload = () => globalThis.saved = reader.result;
        reader.readAsDataURL(blob);
        return "#";
      };
      document.getElementById("save").click();`);
    await until("globalThis.saved");
    const url: string = await evaluate("return globalThis.saved");
    const wanted = await load(NET) as Map<string, { set(value: number, index: number): void }>;
    wanted.get("scale")!.set(42.5, 0);
    assert.deepEqual(new Uint8Array(Buffer.from(url.slice(url.indexOf(",") + 1), "base64")), encode(wanted));
  },
  async "a model, its operators, its weights recovered"() {
    await drop("10 tensors", ...["pdmodel", "pdiparams", "pdiparams.info"].map((end) => `${MODEL}.${end}`));
    await evaluate(`document.getElementById("tab-operators").click()`);
    await until(`/\\w/.test(document.querySelector("#operators [role=option]").textContent)`);
    await evaluate(`document.getElementById("recover").click()`);
    await until(`/recovered\\): /.test(document.getElementById("status").textContent)`);
  },
  async "archives"() {
    for (const name of ["gnu.tar", "pax.tar.gz", "packed.zip"]) {
      await drop("tensors?, ", `tests/fixtures/archives/${name}`);
    }
  },
};

let failures = 0;
try {
  session = await started();
  await call(`/${session}/url`, { url: base });
  failures = await runCases(CASES);
} finally {
  process.kill(-driver.pid!, "SIGTERM");
  server.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
const all = Object.keys(CASES).length;
console.log(`inspector in WebKitGTK: ${all - failures} of ${all}`);
process.exit(failures === 0 ? 0 : 1);
