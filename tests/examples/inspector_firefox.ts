/**
 * Drives the inspector in Firefox, where browsers differ: `deno run -A --no-lock tests/examples/inspector_firefox.ts [folder]`. Screenshots
 * are saved in `folder`, or in a new temporary one. Without Firefox it says so and passes.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { encode, load, recoverStateDict, type Tensor } from "../../mod.ts";
import { decode as decodeSafetensors } from "../../src/safetensors.ts";
import { runCases } from "./run_cases.ts";
import { sparsePickle } from "./sparse_pickle.ts";

const FIREFOX = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find((path) => existsSync(path));
if (!FIREFOX) {
  console.log("inspector in Firefox: it is not here, passed over");
  process.exit(0);
}
const { base, folder, MODEL, NET, server, shots } = await import("./served_inspector.ts");

const { default: puppeteer } = await import(["npm:puppeteer-core", "24.43.1"].join("@"));
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: FIREFOX,
  headless: true,
  protocol: "webDriverBiDi",
  userDataDir: join(folder, "profile"),
});
const page = await browser.newPage();
await page.setViewport({ width: 1280, height: 800 });
page.setDefaultTimeout(60_000);
const complaints: string[] = [];
page.on("pageerror", (error: Error) => complaints.push(String(error)));
await page.goto(base);

const text = (id: string): Promise<string> => page.$eval(`#${id}`, (place: Element) => place.textContent!);
const status = (pattern: RegExp) =>
  page.waitForFunction(
    (source: string) => new RegExp(source).test(document.getElementById("status")!.textContent!),
    {},
    pattern.source,
  );
const active = (): Promise<string | null> =>
  page.$eval("#tree", (tree: Element) => {
    const id = tree.getAttribute("aria-activedescendant");
    return id ? document.getElementById(id)!.getAttribute("aria-label") : null;
  });
const openFiles = async (paths: string[], pattern = /tensors?, /) => {
  await page.$eval("#status", (place: Element) => place.textContent = "");
  const input = await page.$("#files");
  await input.uploadFile(...paths);
  await status(pattern);
};
/** What the page offers as a download. */
const saved = async (form: string): Promise<Uint8Array> => {
  await page.select("#form", form);
  await page.evaluate(() => {
    const scope = globalThis as { offered?: Promise<string> };
    const make = URL.createObjectURL;
    scope.offered = new Promise((resolve) =>
      URL.createObjectURL = (blob) => {
        URL.createObjectURL = make;
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result as string);
        reader.readAsDataURL(blob as Blob);
        return "#";
      }
    );
    document.getElementById("save")!.click();
  });
  const url: string = await page.evaluate(() => (globalThis as { offered?: Promise<string> }).offered);
  return Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
};

const CASES: Record<string, () => Promise<void>> = {
  async "a pickle that is dropped"() {
    const bytes = [...readFileSync(NET)];
    await page.evaluate((bytes: number[]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(bytes)], "net.pdparams"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }, bytes);
    await status(/net\.pdparams: 38 tensors/);
    await page.screenshot({ path: join(shots, "firefox.png") });
  },
  async "the tree, an element and the saved file by keys alone"() {
    await openFiles([NET]);
    await page.focus("#filter");
    await page.keyboard.type("stem.0.weight");
    await page.focus("#tree");
    await page.keyboard.press("End");
    assert.match((await active())!, /^weight, float32/);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#cells input");
    await page.waitForSelector(".histogram");
    await page.focus("#go");
    await page.keyboard.type("0, 0, 1, 0");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => (document.activeElement as HTMLInputElement).dataset.place === "2");
    await page.evaluate(() => (document.activeElement as HTMLInputElement).select());
    await page.keyboard.type("42.5");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("save")!.textContent === "Save 1 change");
    const wanted = await load(NET) as Map<string, Tensor>;
    wanted.get("stem.0.weight")!.set(42.5, 0, 0, 1, 0);
    assert.deepEqual(new Uint8Array(await saved("pdparams")), encode(wanted));
    const safe = decodeSafetensors(await saved("safetensors"));
    assert.equal(safe.get("stem.0.weight")!.at(0, 0, 1, 0), 42.5);
  },
  async "changes are undone, and a save tells which values it is without"() {
    await openFiles([NET]);
    await page.focus("#filter");
    await page.keyboard.type("stem.0.weight");
    await page.focus("#tree");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#cells input");
    const type = async (place: number, value: string) => {
      await page.$eval(`#cells [data-place="${place}"]`, (input: HTMLInputElement) => input.select());
      await page.keyboard.type(value);
      await page.keyboard.press("Enter");
    };
    const saveIs = (text: string) =>
      page.waitForFunction((text: string) => document.getElementById("save")!.textContent === text, {}, text);
    await type(2, "42.5");
    await saveIs("Save 1 change");
    await page.click("#undo");
    await saveIs("Save");
    await page.waitForSelector(".histogram");
    await status(/^All changes are undone\.$/);
    await type(3, "7");
    await type(4, "word");
    await saveIs("Save 1 change");
    const wanted = await load(NET) as Map<string, Tensor>;
    wanted.get("stem.0.weight")!.set(7, 0, 0, 1, 1);
    assert.deepEqual(new Uint8Array(await saved("pdparams")), encode(wanted));
    await status(/ saved, without “word”\.$/);
  },
  async "a model: its operators, and its weights recovered"() {
    await openFiles(["pdmodel", "pdiparams", "pdiparams.info"].map((end) => `${MODEL}.${end}`).filter(existsSync));
    await page.click("#tab-operators");
    await page.waitForFunction(() => /\w/.test(document.querySelector("#operators [role=option]")?.textContent ?? ""));
    await page.click("#recover");
    await status(/recovered\): /);
    const { stateDict } = await recoverStateDict(MODEL);
    assert.deepEqual(new Uint8Array(await saved("pdparams")), encode(stateDict));
  },
  async "a damaged file leaves the one that is open as it was"() {
    await openFiles([NET]);
    const path = join(folder, "cut.pdparams");
    writeFileSync(path, readFileSync(NET).subarray(0, 700));
    await openFiles([path], /Failed/);
    assert.equal(await text("failure-code"), "TRUNCATED");
    await page.focus("#tree");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#cells input");
    assert.equal(await text("failure-code"), "TRUNCATED");
  },
  async "5 GiB in 1,200 tensors: names, and the last element"() {
    const path = join(folder, "large.pdparams");
    const shapes = new Map(
      Array.from({ length: 1200 }, (_, i) => [`layer.${i}`, i % 2 ? [64] : [2200, 1024]] as const),
    );
    await sparsePickle(path, shapes);
    const before = performance.now();
    await openFiles([path], /1,200 tensors, 5\.0 GiB/);
    console.log(`  names of a 5 GiB file: ${Math.round(performance.now() - before)} ms`);
    await page.focus("#filter");
    await page.keyboard.type("1199");
    await page.focus("#tree");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() =>
      [...document.querySelectorAll("#statistics dd")].some((one) => one.textContent === "7")
    );
  },
  // deno-lint-ignore require-await
  async "the page made no error of its own"() {
    assert.deepEqual(complaints, []);
  },
};

let failures = 0;
try {
  failures = await runCases(CASES, (n) => page.screenshot({ path: join(shots, `firefox-failed-${n}.png`) }));
} finally {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
const all = Object.keys(CASES).length;
console.log(`inspector in Firefox: ${all - failures} of ${all}; screenshots in ${shots}`);
process.exit(failures === 0 ? 0 : 1);
