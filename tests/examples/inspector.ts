/**
 * Drives the inspector in Chromium: `deno run -A --no-lock tests/examples/inspector.ts [folder]`. Screenshots are saved in `folder`,
 * or in a new temporary one. Without Chromium it says so and passes.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import process from "node:process";
import { encode, load, NDArray, openArchive, type StateDict, static as paddleStatic, Tensor } from "../../mod.ts";
import { decodeNpz, encode as encodeNpy, encodeNpz } from "../../src/npy.ts";
import { decode as decodeSafetensors } from "../../src/safetensors.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";
import { contrast } from "./contrast.ts";
import { runCases } from "./run_cases.ts";
import { sparsePickle } from "./sparse_pickle.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!CHROMIUM) {
  console.log("inspector: chromium is not here, passed over");
  process.exit(0);
}
const { base, folder, MODEL, NET, REAL, server, shots } = await import("./served_inspector.ts");

/** Another origin that serves one file with Range requests. */
let sent = 0;
/** Answers wait for it. */
let gate: Promise<void> = Promise.resolve();
const file = readFileSync(NET);
const big = encode(
  new Map([["layer.w", new Tensor("float32", [1000, 1000])], ["layer.b", new Tensor("float32", [3])]]),
);
const OLD = `${REAL}/paddle-1.8.5/fluid-infer-separate/d`;
const SERVED: Record<string, Uint8Array> = {
  "/big.pdparams": big,
  "/alone/__model__": readFileSync(`${OLD}/__model__`),
};
for (const end of ["pdmodel", "pdiparams"]) SERVED[`/m.${end}`] = readFileSync(`${MODEL}.${end}`);
for (const name of readdirSync(OLD)) SERVED[`/old/${name}`] = readFileSync(join(OLD, name));
const other = createServer(async (request, response) => {
  await gate;
  const body = SERVED[request.url!] ?? null;
  const cors = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "*",
    "access-control-expose-headers": "*, content-range, content-length, etag, accept-ranges",
    "accept-ranges": "bytes",
    "etag": '"1"',
  };
  if (request.url!.startsWith("/never")) return;
  if (!body) return response.writeHead(404, cors).end();
  if (request.method === "OPTIONS") return response.writeHead(204, cors).end();
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const start = match ? Number(match[1]) : 0;
  const end = match?.[2] ? Math.min(Number(match[2]) + 1, body.length) : body.length;
  const range = match ? { "content-range": `bytes ${start}-${end - 1}/${body.length}` } : {};
  response.writeHead(match ? 206 : 200, { ...cors, ...range, "content-length": end - start });
  sent += end - start;
  response.end(body.subarray(start, end));
});
await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", () => resolve()));
const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;

const { chromium } = await import(["npm:playwright-core", "1.65.1"].join("@"));
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
  ],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
const requests: string[] = [], complaints: string[] = [];
context.on("request", (request: { url(): string }) => requests.push(request.url()));
page.on("console", (message: { type(): string; text(): string }) => {
  if (message.type() === "error") complaints.push(message.text());
});
page.on("pageerror", (error: Error) => complaints.push(String(error)));
// Nobody can use a dialog in a headless browser, so files are downloaded unless a case provides a picker.
await page.addInitScript("delete globalThis.showSaveFilePicker");
await page.goto(base);

const status = async (pattern: RegExp) => {
  await page.waitForFunction(
    (source: string) => new RegExp(source).test(document.getElementById("status")!.textContent!),
    pattern.source,
  );
};
const labels = (): Promise<string[]> =>
  page.$$eval("[role=treeitem]", (rows: Element[]) => rows.map((row) => row.getAttribute("aria-label")!));
const active = (): Promise<string | null> =>
  page.$eval("#tree", (tree: Element) => {
    const id = tree.getAttribute("aria-activedescendant");
    return id ? document.getElementById(id)!.getAttribute("aria-label") : null;
  });
const openFiles = async (paths: string[], pattern = /tensors?, /) => {
  await page.$eval("#status", (place: Element) => place.textContent = "");
  await page.setInputFiles("#files", paths);
  await status(pattern);
};
const choose = async (name: string) => {
  await page.fill("#filter", name);
  await page.focus("#tree");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#cells input");
};
const download = async (form: string): Promise<Uint8Array> => {
  await page.selectOption("#form", form);
  const [got] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  return new Uint8Array(readFileSync(await got.path()));
};

/** The question that the page asks next; the answer is no. */
const questioned = (): Promise<string> =>
  new Promise((resolve) =>
    page.once("dialog", async (dialog: { message(): string; dismiss(): Promise<void> }) => {
      await dialog.dismiss();
      resolve(dialog.message());
    })
  );

const CASES: Record<string, () => Promise<void>> = {
  async "a pickle: names, dtypes, shapes, sizes"() {
    await openFiles([NET]);
    const rows = await labels();
    assert.ok(rows.includes("scale, float32, 2, 8 B"), rows.join("; "));
    assert.ok(rows.includes("zero_d, float32, scalar, 4 B"));
    const state = await load(NET) as StateDict;
    const count = [...state.values()].filter((value) => value instanceof Tensor).length;
    await status(new RegExp(`${count} tensors`));
  },
  async "the tree by keys alone"() {
    await page.reload();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement!.textContent), "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement!.id), "content");
    await openFiles([NET]);
    await page.focus("#tree");
    assert.equal(await active(), "scale, float32, 2, 8 B");
    await page.keyboard.press("ArrowDown");
    assert.match((await active())!, /^steps/);
    await page.keyboard.press("End");
    const last = await active();
    await page.keyboard.press("Home");
    assert.match((await active())!, /^scale/);
    assert.notEqual(last, await active());
    await page.keyboard.type("stem");
    assert.match((await active())!, /^stem, 6 tensors/);
    const expanded = () => page.getAttribute("#tree .active", "aria-expanded");
    assert.equal(await expanded(), "true");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await expanded(), "false");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.getAttribute("#tree .active", "aria-level"), "2");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    assert.match((await active())!, /^stem/);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#detail h2 >> text=empty");
    const outline = await page.$eval("#tree", (tree: Element) => getComputedStyle(tree).outlineStyle);
    assert.equal(outline, "solid");
  },
  async "a click opens and closes, and shows a tensor"() {
    await page.reload();
    await openFiles([NET]);
    await page.click("[role=treeitem] >> text=scale");
    await page.waitForSelector("#detail h2 >> text=scale");
    await page.click("[role=treeitem] >> text=stem");
    assert.equal(await page.getAttribute("[role=treeitem][aria-label^=stem]", "aria-expanded"), "false");
  },
  async "statistics and a histogram"() {
    const data = Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i) + (i % 3 === 0 ? 2 : 0));
    data.set([NaN, Infinity, 0, 0]);
    const path = join(folder, "numbers.pdparams");
    writeFileSync(path, encode(new Map([["block.with.a.long.name.weight", new Tensor("float32", [3000, 100], data)]])));
    await openFiles([path]);
    await choose("weight");
    await page.waitForSelector(".histogram");
    const figures: string[] = await page.$$eval(
      "#statistics dd",
      (all: Element[]) => all.map((one) => one.textContent!),
    );
    const known = data.filter((x) => Number.isFinite(x));
    const mean = known.reduce((a, b) => a + b, 0) / known.length;
    const std = Math.sqrt(known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / known.length);
    const near = (text: string, value: number) =>
      assert.ok(Math.abs(Number(text) - value) < 1e-6 + Math.abs(value) * 1e-5, text);
    near(figures[0], known.reduce((a, b) => Math.min(a, b)));
    near(figures[1], known.reduce((a, b) => Math.max(a, b)));
    near(figures[2], mean);
    near(figures[3], std);
    assert.deepEqual(figures.slice(4), [`${known.filter((x) => x === 0).length} of 300,000`, "1", "1"]);
    assert.equal(await page.$$eval(".histogram rect", (bars: Element[]) => bars.length > 20), true);
    await page.fill("#filter", "");
    await page.screenshot({ path: join(shots, "light.png") });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: join(shots, "dark.png") });
    await page.setViewportSize({ width: 390, height: 800 });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    await page.screenshot({ path: join(shots, "narrow.png"), fullPage: true });
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme: "light" });
  },
  async "an element is changed and saved"() {
    await openFiles([NET]);
    await choose("stem.0.weight");
    await page.fill("#cells input >> nth=2", "42.5");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#save >> text=Save 1 change");
    const ground = () => page.$eval("#save", (save: Element) => getComputedStyle(save).backgroundColor);
    const before = await ground();
    await page.hover("#save");
    assert.equal(await ground(), before, "its text is for this ground");
    await page.fill("#cells input >> nth=0", "word");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".refusal >> text=is not a valid float32");
    assert.equal(await page.isHidden("#failure"), true);
    const wanted = await load(NET) as Map<string, Tensor>;
    wanted.get("stem.0.weight")!.set(42.5, 0, 0, 1, 0);
    const bytes = await download("pdparams");
    assert.deepEqual(bytes, encode(wanted));
    const safe = decodeSafetensors(await download("safetensors"));
    const npz = await decodeNpz(await download("npz"));
    for (const [name, array] of wanted) {
      if (!(array instanceof Tensor)) continue;
      for (const again of [safe.get(name)!, npz.get(name)!]) {
        assert.deepEqual([again.dtype, again.shape, again.bytes], [array.dtype, array.shape, array.bytes], name);
      }
    }
    await page.evaluate(() => {
      const pick = async () => await (await navigator.storage.getDirectory()).getFileHandle("saved", { create: true });
      Object.assign(globalThis, { showSaveFilePicker: pick });
    });
    await page.selectOption("#form", "pdparams");
    await page.$eval("#status", (place: Element) => place.textContent = "");
    await page.click("#save");
    await status(/ saved, without “word”\.$/);
    const kept: number[] = await page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle("saved");
      return [...new Uint8Array(await (await handle.getFile()).arrayBuffer())];
    });
    assert.deepEqual(Uint8Array.from(kept), bytes);
    await page.evaluate(() => delete (globalThis as { showSaveFilePicker?: unknown }).showSaveFilePicker);
  },
  async "a save has the change typed right before it, and goes on whatever else is looked at"() {
    await page.fill("#url", `${elsewhere}/big.pdparams`);
    await page.click("#url-form button");
    await status(/2 tensors/);
    await choose("layer.b");
    await page.waitForSelector(".histogram");
    let release = () => {};
    gate = new Promise((resolve) => release = resolve);
    const download = page.waitForEvent("download");
    download.catch(() => {});
    try {
      await page.fill("#cells input >> nth=0", "42.5");
      await page.click("#save");
      await page.waitForSelector("#cancel");
      await page.fill("#cells input >> nth=1", "43.5");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".refusal >> text=is being saved");
      await page.click("#save");
      await page.fill("#filter", "");
      await page.click("[role=treeitem] >> text=/^w$/");
      await page.waitForSelector("#detail h2 >> text=layer.w");
      const question = questioned();
      await page.setInputFiles("#files", [NET]);
      assert.match(await question, /not saved yet/);
    } finally {
      release();
    }
    const state = await load(await (await download).path()) as Map<string, Tensor>;
    assert.deepEqual(state.get("layer.b")!.toArray(), [42.5, 0, 0]);
    await status(/saved\.$/);
    assert.equal(await page.textContent("#save"), "Save");
    await choose("layer.b");
    await page.fill("#cells input >> nth=1", "43.5");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#save >> text=Save 2 changes");
    await page.click("#undo");
    await page.waitForSelector("#undo", { state: "hidden" });
  },
  async "a change is undone by the old value, by the button, and remembered by its document"() {
    await openFiles([NET, "tests/fixtures/safetensors/every_dtype.safetensors"]);
    const documents = ["net.pdparams", "every_dtype.safetensors"];
    const show = async (label: string) => {
      await page.selectOption("#document", { label });
      await status(new RegExp(`^${label}:`));
    };
    await show(documents[0]);
    const change = async (value: string) => {
      await page.fill("#cells input >> nth=2", value);
      await page.keyboard.press("Enter");
    };
    const saveIs = (text: string) =>
      page.waitForFunction((text: string) => document.getElementById("save")!.textContent === text, text);
    await choose("stem.0.weight");
    const old = await page.inputValue("#cells input >> nth=2");
    await change("42.5");
    await saveIs("Save 1 change");
    await change(old);
    await saveIs("Save");
    await change("word");
    await page.waitForSelector(".refusal:visible");
    await page.keyboard.press("Escape");
    assert.equal(await page.inputValue("#cells input >> nth=2"), old);
    assert.equal(await page.isHidden(".refusal >> nth=2"), true);
    await change("42.5");
    await saveIs("Save 1 change");
    await show(documents[1]);
    await saveIs("Save");
    await show(documents[0]);
    await saveIs("Save 1 change");
    await choose("stem.0.weight");
    assert.equal(await page.inputValue("#cells input >> nth=2"), "42.5");
    // Another file is opened only if the user agrees to lose the change.
    const asked = questioned();
    await page.setInputFiles("#files", [`${MODEL}.pdmodel`]);
    assert.match(await asked, /^1 unsaved change /);
    await page.waitForSelector(".histogram");
    await page.click("#undo");
    await saveIs("Save");
    await page.waitForSelector(".histogram");
    await status(/^All changes are undone\.$/);
    await page.waitForFunction(
      (old: string) => document.querySelectorAll<HTMLInputElement>("#cells input")[2]?.value === old,
      old,
    );
  },
  async "a failure to show one of several documents is gone when another is shown"() {
    const broken = join(folder, "broken.pdparams");
    writeFileSync(broken, readFileSync(NET).subarray(0, 100));
    await openFiles([NET, broken]);
    await page.selectOption("#document", { label: "broken.pdparams" });
    await page.waitForSelector("#failure:visible");
    await page.selectOption("#document", { label: "net.pdparams" });
    await status(/^net.pdparams: /);
    assert.equal(await page.isHidden("#failure"), true);
  },
  async "changes to a document that is not shown are not lost without a question"() {
    await openFiles([NET, "tests/fixtures/safetensors/every_dtype.safetensors"]);
    await page.selectOption("#document", { label: "net.pdparams" });
    await status(/^net.pdparams:/);
    await choose("stem.0.weight");
    await page.fill("#cells input >> nth=2", "42.5");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#save >> text=Save 1 change");
    await page.selectOption("#document", { label: "every_dtype.safetensors" });
    await status(/^every_dtype.safetensors:/);
    const asked = questioned();
    await page.setInputFiles("#files", [`${MODEL}.pdmodel`]);
    assert.match(await asked, /^1 unsaved change /);
    await page.selectOption("#document", { label: "net.pdparams" });
    await page.waitForSelector("#undo:visible");
    await page.click("#undo");
    await page.waitForSelector("#undo", { state: "hidden" });
  },
  async "an array that has two names is changed under both"() {
    const array = new NDArray("float32", [2, 2]);
    const path = join(folder, "shared.pdparams");
    writeFileSync(path, encode(new Map([["one", array], ["other", array]])));
    await openFiles([path]);
    await choose("one");
    await page.fill("#cells input >> nth=2", "42.5");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#save >> text=Save 1 change");
    await choose("other");
    await page.waitForSelector("#detail h2 >> text=other");
    await page.waitForFunction(() => document.querySelectorAll<HTMLInputElement>("#cells input")[2]?.value === "42.5");
    await page.click("#undo");
    await page.waitForSelector("#undo", { state: "hidden" });
  },
  async "a file that is dropped while another is opening takes its place"() {
    await page.fill("#url", `${elsewhere}/never.pdparams`);
    const request = page.waitForRequest(/never/);
    await page.click("#url-form button");
    await request;
    await openFiles([NET]);
    assert.equal(await page.isHidden("#failure"), true, await page.textContent("#failure"));
    assert.equal(await page.textContent("#document-title"), "net.pdparams");
  },
  async "a folder that takes long to look through says so, can be cancelled, and gives way to what is opened later"() {
    await openFiles([NET]);
    const drop = () =>
      page.evaluate((bytes: number[]) => {
        const late = {
          fullPath: "/late/late.pdparams",
          isFile: true,
          file: (resolve: (file: File) => void) => resolve(new File([Uint8Array.from(bytes)], "late.pdparams")),
        };
        const batches = [[late], []];
        const readEntries = (resolve: (entries: unknown[]) => void) => {
          Object.assign(globalThis, { release: () => resolve(batches.shift()!) });
          if (batches.length < 2) resolve(batches.shift()!);
        };
        const entry = { isDirectory: true, createReader: () => ({ readEntries }) };
        const items = [{ webkitGetAsEntry: () => entry, getAsFile: () => null }];
        const event = new DragEvent("drop", { bubbles: true, cancelable: true });
        Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items } });
        document.body.dispatchEvent(event);
      }, [...encode(new Map([["late", new Tensor("float32", [1])]]))]);
    const release = () => page.evaluate(() => (globalThis as unknown as { release(): void }).release());
    await drop();
    await status(/^Opening…$/);
    await page.click("#cancel");
    await release();
    await status(/^Opening: cancelled\.$/);
    await drop();
    await openFiles([MODEL + ".pdmodel"], /operators/);
    await release();
    await openFiles([NET]);
    assert.equal(await page.textContent("#document-title"), "net.pdparams");
    await drop();
    await release();
    await status(/^.?late/);
  },
  async "a broken archive does not keep the files beside it from being opened"() {
    writeFileSync(join(folder, "broken.zip"), "PK\x03\x04 and no more");
    await openFiles([join(folder, "broken.zip"), NET]);
    assert.equal(await page.isHidden("#failure"), true);
    await page.selectOption("#document", { label: "broken.zip" });
    await page.waitForSelector("#failure >> text=TRUNCATED");
    assert.equal(await page.textContent("#tab-tensors"), await page.textContent("[role=tab][aria-selected=true]"));
    await page.click("#failure-close");
  },
  async "text is dropped into a field, and nowhere else"() {
    const isTaken = (selector: string) =>
      page.$eval(selector, (place: Element) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.setData("text/plain", "https://example.com/m.pdparams");
        const ofType = (type: string) => new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
        return ["dragover", "drop"].map((type) => !place.dispatchEvent(ofType(type)));
      });
    assert.deepEqual(await isTaken("#url"), [false, false]);
    assert.deepEqual(await isTaken("#content"), [true, true]);
    await status(/no files/);
  },
  async "fits a narrow phone, however many buttons there are"() {
    await openFiles(["tests/fixtures/archives/gnu.tar"]);
    const fits = async () => {
      for (const width of [360, 320]) {
        await page.setViewportSize({ width, height: 700 });
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      }
      await page.setViewportSize({ width: 1280, height: 800 });
    };
    await fits();
    await openFiles([NET]);
    await choose("stem.0.weight");
    await page.fill("#cells input >> nth=2", "42.5");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#save >> text=Save 1 change");
    await fits();
    await page.click("#undo");
    await page.waitForSelector("#undo", { state: "hidden" });
  },
  async "fits it with long and deeply nested names, which stay visible"() {
    const model = await paddleStatic.loadInferenceModel(MODEL);
    model.rename(model.feedTargetNames[0], "x".repeat(200));
    writeFileSync(join(folder, "long.pdmodel"), model.program.serialize());
    writeFileSync(
      join(folder, "deep.pdparams"),
      encode(new Map([["a.".repeat(99) + "w", new Tensor("float32", [1])]])),
    );
    writeFileSync(join(folder, `${"x".repeat(200)}.txt`), "text");
    for (const name of ["long.pdmodel", `${"x".repeat(200)}.txt`, "deep.pdparams"]) {
      await openFiles([join(folder, name)], /tensors?, |Failed/);
      await page.setViewportSize({ width: 380, height: 700 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 380, name);
      await page.setViewportSize({ width: 1280, height: 800 });
    }
    await choose("w");
    // In one step: the row may be rendered again between two.
    const indent = await page.evaluate(() => {
      const name = document.querySelector("#tree .active span")!;
      return parseFloat(getComputedStyle(name).paddingLeft) / name.clientWidth;
    });
    assert.ok(indent <= 0.5, String(indent));
    await page.setViewportSize({ width: 380, height: 700 });
    await page.fill("#cells input", "word");
    await page.keyboard.press("Enter");
    const refusal = await (await page.waitForSelector(".refusal:visible")).boundingBox();
    const footer = await (await page.$("footer")).boundingBox();
    assert.ok(refusal.y + refusal.height <= footer.y, "the refusal is not below the footer");
    await page.setViewportSize({ width: 1280, height: 800 });
  },
  async "a file that is saved over itself is the one that is shown then, beside the others"() {
    await openFiles([NET, `${MODEL}.pdmodel`]);
    await page.selectOption("#document", { label: "net.pdparams" });
    await status(/^net.pdparams:/);
    await page.evaluate(() => {
      const pick = async () =>
        await (await navigator.storage.getDirectory()).getFileHandle("net.pdparams", { create: true });
      Object.assign(globalThis, { showSaveFilePicker: pick });
    });
    await page.selectOption("#form", "pdparams");
    for (const value of ["1.5", "2.5"]) {
      await choose("stem.0.weight");
      await page.fill("#cells input >> nth=2", value);
      await page.keyboard.press("Enter");
      await page.waitForSelector("#save >> text=Save 1 change");
      await page.click("#save");
      await status(/^net\.pdparams: .* saved\./);
      assert.equal(await page.textContent("#save"), "Save");
      await choose("stem.0.weight");
      assert.equal(await page.inputValue("#cells input >> nth=2"), value);
      assert.equal(await page.$$eval("#document option", (all: Element[]) => all.length), 2);
    }
    await page.evaluate(() => delete (globalThis as { showSaveFilePicker?: unknown }).showSaveFilePicker);
  },
  async "a file of a dropped folder that is saved over itself is the one that is shown then, one of a server is not"() {
    const edit = async () => {
      await choose("b");
      await page.fill("#cells input >> nth=0", "2.5");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#save >> text=Save 1 change");
      await page.selectOption("#form", "pdparams");
      await page.click("#save");
      await status(/^.?big\.pdparams.?: .* saved\.$/);
    };
    await page.evaluate(async (bytes: number[]) => {
      const root = await navigator.storage.getDirectory();
      const handle = await root.getFileHandle("big.pdparams", { create: true });
      const stream = await handle.createWritable();
      await stream.write(Uint8Array.from(bytes));
      await stream.close();
      const file = await handle.getFile();
      Object.defineProperty(file, "webkitRelativePath", { value: "run/big.pdparams" });
      Object.assign(globalThis, { showSaveFilePicker: () => handle });
      const field = document.getElementById("folder")!;
      Object.defineProperty(field, "files", { value: [file], configurable: true });
      field.dispatchEvent(new Event("change"));
      delete (field as { files?: unknown }).files;
    }, [...encode(new Map([["layer.b", new Tensor("float32", [3])]]))]);
    await status(/^.?run\/big\.pdparams.?: 1 tensor,/);
    await edit();
    await choose("b");
    assert.equal(await page.inputValue("#cells input >> nth=0"), "2.5");
    await page.waitForSelector(".histogram");
    assert.equal(await page.isHidden("#failure"), true, await page.textContent("#failure"));

    await page.fill("#url", `${elsewhere}/big.pdparams`);
    await page.click("#url-form button");
    await status(/2 tensors/);
    await edit();
    await page.waitForSelector("#undo", { state: "hidden" });
    assert.equal(await page.inputValue("#cells input >> nth=0"), "2.5");
    await page.evaluate(() => delete (globalThis as { showSaveFilePicker?: unknown }).showSaveFilePicker);
  },
  async "a scalar is named without an index"() {
    await openFiles([NET]);
    await choose("zero_d");
    await page.fill("#cells input >> nth=0", "2.5");
    await page.keyboard.press("Enter");
    await status(/^.?zero_d.? is 2\.5\.$/);
    await page.click("#undo");
    await page.waitForSelector("#undo", { state: "hidden" });
  },
  async "a file is opened by its content if its name is that of another format"() {
    const arrays = new Map([["w", new NDArray("float32", [2])]]);
    const files = {
      "npz.pdparams": await encodeNpz(arrays),
      "npy.pdparams": encodeNpy(arrays.get("w")!),
      "pickle.npz": encode(arrays),
      "pickle.npy": encode(arrays),
    };
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(folder, name), bytes);
      await openFiles([join(folder, name)], /1 tensor,|Failed/);
      assert.equal(await page.isHidden("#failure"), true, await page.textContent("#failure"));
      await choose("");
    }
    writeFileSync(join(folder, "text.npz"), "text");
    await openFiles([join(folder, "text.npz")], /Failed/);
    assert.match(await page.textContent("#failure-message"), /not an \.npz file/);
    await page.click("#failure-close");
  },
  async "a model: parameters, operators, weights recovered"() {
    const prefix = MODEL;
    await openFiles(
      [`${prefix}.pdmodel`, `${prefix}.pdiparams`, `${prefix}.pdiparams.info`].filter((path) => existsSync(path)),
    );
    const parameters = (await labels()).filter((label) => / B$/.test(label));
    assert.ok(parameters.length > 0);
    await page.click("#tab-operators");
    await page.waitForFunction(() => !document.querySelector("#operators [role=option]")!.textContent!.includes("…"));
    await page.click("#operators [role=option] >> nth=1");
    await page.waitForSelector("#detail h3 >> text=Attributes");
    await page.screenshot({ path: join(shots, "operators.png") });
    await page.click("#tab-tensors");
    await choose("body.0.weight");
    await page.fill("#cells input >> nth=0", "42.5");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#save >> text=Save 1 change");
    await page.click("#recover");
    await status(/recovered\): /);
    await page.waitForSelector("#detail li >> text=/changes made here to m are not in them/");
    await page.selectOption("#document", { label: "m" });
    await status(/^m: /);
    await page.click("#undo");
    await page.waitForSelector("#undo", { state: "hidden" });
    await page.click("#recover");
    await status(/recovered\): /);
    const bytes = await download("pdparams");
    const { recoverStateDict } = await import("../../mod.ts");
    const { stateDict } = await recoverStateDict(prefix);
    assert.deepEqual(bytes, encode(stateDict));
  },
  async "a PIR program with its parameters"() {
    const prefix = `${REAL}/paddle-3.3.1/infer-several/n`;
    await openFiles([`${prefix}.json`, `${prefix}.pdiparams`]);
    await page.click("#tab-operators");
    await page.waitForSelector("#operators [aria-label*=' reads a, w']");
    const rows: string[] = await page.$$eval(
      "#operators [role=option]",
      (all: Element[]) => all.map((row) => row.getAttribute("aria-label")!),
    );
    const matmul = rows.find((row) => /^\d+: pd_op\.matmul, reads a, w,/.test(row));
    assert.ok(matmul, rows.join("; "));
    await page.focus("#operators");
    await page.keyboard.type("matm");
    const current = await page.$eval("#operators .active", (row: Element) => row.getAttribute("aria-label"));
    assert.equal(current, matmul, "the type of an operator can be typed, as the name of a tensor can");
  },
  async "safetensors"() {
    const path = "tests/fixtures/safetensors/every_dtype.safetensors";
    await openFiles([path]);
    const names = [...decodeSafetensors(new Uint8Array(readFileSync(path))).keys()];
    await status(new RegExp(`${names.length} tensors`));
  },
  async "an archive"() {
    const path = "tests/fixtures/archives/gnu.tar";
    await using archive = await openArchive(path);
    await openFiles([path], /tensors, |Failed/);
    assert.equal(await page.isHidden("#failure"), true, await page.textContent("#failure"));
    const documents: string[] = await page.$$eval(
      "#document option",
      (all: Element[]) => all.map((one) => one.textContent!),
    );
    assert.ok(
      (await archive.list()).length >= documents.length && documents.some((one) => one.includes("m_infer/inference")),
    );
  },
  async "a damaged file: class, code, place; the page survives"() {
    const path = join(folder, "cut.pdparams");
    writeFileSync(path, file.subarray(0, 700));
    await openFiles([path], /Failed/);
    assert.equal(await page.textContent("#failure-class"), "FormatError");
    assert.equal(await page.textContent("#failure-code"), "TRUNCATED");
    assert.match(await page.textContent("#failure-place"), /cut\.pdparams.*byte/);
    await page.screenshot({ path: join(shots, "failure.png") });
    await choose("");
    assert.equal(await page.textContent("#failure-code"), "TRUNCATED", "what was open is still there");
    await openFiles([NET]);
    assert.equal(await page.isHidden("#failure"), true);
  },
  async "the weights of a pickle that also has an object of an unknown class, and a file of them alone"() {
    const path = join(folder, "trained.pdparams");
    const plain = encode(new Map<string, unknown>([["args", "HERE"], ["w", new Tensor("float32", [2, 2])]]), {
      protocol: 2,
    });
    const namespace = "cargparse\nNamespace\n)\x81}X\x02\0\0\0lrK\x03sb";
    const text = Buffer.from(plain).toString("latin1").replace("X\x04\0\0\0HERE", () => namespace);
    writeFileSync(path, text, "latin1");
    await openFiles([path]);
    await status(/1 tensor/);
    await page.waitForSelector("#detail li >> text=/shown as records.*argparse\\.Namespace/");
    await page.selectOption("#form", "pdparams");
    await page.click("#save");
    await page.waitForSelector("#failure-message >> text=/Cannot save the object .argparse/");
    assert.deepEqual([...decodeSafetensors(await download("safetensors")).keys()], ["w"]);
    await page.click("#tab-values");
    await page.waitForSelector("#values >> text=argparse.Namespace");
    assert.match(await page.textContent("#values"), /args\.lr.*3/s);
    await page.screenshot({ path: join(shots, "unknown_class.png") });
  },
  async "why a model is refused, if a file beside it is not plain data"() {
    const files = ["pdmodel", "pdiparams"].map((end) => `${MODEL}.${end}`);
    const info = join(folder, `${basename(MODEL)}.pdiparams.info`);
    writeFileSync(info, "cos\nsystem\n(Vls\ntR.");
    await openFiles([...files, info], /Failed/);
    assert.equal(await page.textContent("#failure-code"), "FORBIDDEN_SYMBOL");
    assert.match(await page.textContent("#failure-place"), /os\.system/);
  },
  async "a URL, by ranges"() {
    await page.fill("#url", `${elsewhere}/big.pdparams`);
    sent = 0;
    await page.click("#url-form button");
    await status(/2 tensors/);
    assert.ok(sent < big.length / 4, `${sent} of ${big.length} bytes were fetched`);
    await page.fill("#url", `${elsewhere}/missing.pdparams`);
    await page.click("#url-form button");
    await page.waitForSelector("#failure-code >> text=NOT_FOUND");
    await page.focus("#failure-close");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement!.id), "content");
  },
  async "a failure is gone once the same tensor is read"() {
    await page.fill("#url", `${elsewhere}/big.pdparams`);
    await page.click("#url-form button");
    await status(/2 tensors/);
    await context.setOffline(true);
    try {
      await page.fill("#filter", "layer.w");
      await page.focus("#tree");
      await page.keyboard.press("End");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#failure:visible");
      await page.waitForSelector("#statistics >> text=Not computed.");
    } finally {
      await context.setOffline(false);
    }
    await choose("layer.w");
    await page.waitForSelector(".histogram");
    await page.waitForSelector("#failure", { state: "hidden" });
  },
  async "a URL with a password is refused as that, and the password is not shown"() {
    await page.fill("#url", elsewhere.replace("://", "://me:secret@") + "/big.pdparams");
    await page.click("#url-form button");
    await page.waitForSelector("#failure-message >> text=/user name or password/");
    assert.doesNotMatch(await page.textContent("#failure"), /secret|CORS/);
    await page.click("#failure-close");
  },
  async "a model by its prefix, with its operators and its weights"() {
    await page.fill("#url", `${elsewhere}/m`);
    await page.click("#url-form button");
    await status(/m: \d+ tensors, .*operators/);
    await page.click("#recover");
    await status(/recovered\): /);
  },
  async "a model of Paddle 1.x by the URL of its program"() {
    await page.fill("#url", `${elsewhere}/old/__model__`);
    await page.click("#url-form button");
    await status(/old\/: \d+ tensors/);
    await page.click("#recover");
    await status(/recovered\): /);
    await page.fill("#url", `${elsewhere}/alone/__model__`);
    await page.click("#url-form button");
    await status(/alone\/: 0 tensors/);
    await page.waitForSelector("#detail li >> text=This is the program alone: The model");
    await page.click("#operators [role=option] >> nth=1");
  },
  async "pages of elements by keys: the focus stays, and indices are written as they are shown"() {
    const path = join(folder, "pages.pdparams");
    writeFileSync(path, encode(new Map([["w", new Tensor("float32", [3, 10])]])));
    await openFiles([path]);
    await choose("w");
    const shown = (first: string) => page.waitForSelector(`#cells tr:first-child th >> text="[${first}]"`);
    await page.focus("[aria-label='Next elements']");
    await page.keyboard.press("Enter");
    await shown("2, 0");
    assert.equal(await page.evaluate(() => document.activeElement!.getAttribute("aria-disabled")), "true");
    await page.keyboard.press("Enter");
    await page.fill("#go", "[0, 3]");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => (document.activeElement as HTMLInputElement).dataset.place === "3");
    await shown("0, 0");
    await page.keyboard.type("7");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#outdated");
    await page.click("#compute");
    await page.waitForSelector("#statistics dd >> text=70");
    assert.equal(await page.isVisible("#outdated"), false);
    await page.click("#undo");
    await page.waitForSelector("#undo", { state: "hidden" });
  },
  async "20,000 tensors: few rows in the page, the last can be reached"() {
    const path = join(folder, "many.pdparams");
    const state = new Map<string, Tensor>();
    for (let i = 0; i < 20_000; i++) state.set(`layers.${i >> 2}.part${i & 3}`, new Tensor("float32", [8, 8]));
    writeFileSync(path, encode(state));
    await openFiles([path], /20,000 tensors/);
    assert.ok((await labels()).length < 100);
    await page.focus("#tree");
    await page.keyboard.press("End");
    assert.match((await active())!, /^part3, float32/);
    await page.$eval("#tree", (tree: Element) => tree.scrollTop = tree.scrollHeight / 2);
    await page.waitForTimeout(100);
    assert.ok((await labels()).length < 100);
    await page.fill("#filter", "layers.4999.part2");
    await status(/^1 of 20,000/);
    await page.fill("#filter", "");
  },
  async "names of 1 GiB in less than 2 s"() {
    const path = join(folder, "gib.pdparams");
    const shapes = new Map(Array.from({ length: 200 }, (_, i) => [`encoder.${i}.weight`, [5 * 1024, 256]] as const));
    await sparsePickle(path, shapes);
    const open = () => timeOf(() => openFiles([path], /200 tensors/));
    await takesLittle("names of a 1 GiB file", open, 2000);
  },
  async "5 GiB: names, the last element, statistics that can be cancelled"() {
    const path = join(folder, "large.pdparams");
    await sparsePickle(path, new Map([["huge.weight", [1_310_720, 1024]], ["huge.bias", [4]]]));
    await openFiles([path], /2 tensors, 5\.0 GiB/);
    await choose("huge.weight");
    await page.fill("#go", "1310719, 1023");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => (document.activeElement as HTMLInputElement).dataset.place === "1342177279");
    assert.equal(await page.evaluate(() => (document.activeElement as HTMLInputElement).value), "7");
    await page.click("#compute");
    await page.waitForFunction(() => (document.getElementById("progress") as HTMLProgressElement).value > 0);
    const before = performance.now();
    await page.focus("#cancel");
    await page.keyboard.press("Enter");
    await status(/cancelled/);
    assert.equal(await page.evaluate(() => document.activeElement!.id), "content");
    assert.ok(performance.now() - before < 5000);
    await choose("huge.bias");
    await page.waitForSelector("#statistics dd >> text=7");
  },
  async "an .npy of 5 GiB"() {
    const path = join(folder, "large.npy");
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1310720, 1024), }".padEnd(117) + "\n";
    writeFileSync(path, Buffer.from(`\x93NUMPY\x01\0v\0${header}`, "latin1"));
    truncateSync(path, 128 + 5 * 2 ** 30);
    await openFiles([path], /1 tensor, 5\.0 GiB/);
    await choose("");
  },
  async "contrast in light and dark"() {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const colors: Record<string, string> = await page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        const names = [
          "ground",
          "raised",
          "selected",
          "text",
          "quiet",
          "accent",
          "on-accent",
          "bad",
          "bad-ground",
          "edited",
          "control",
        ];
        return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
      });
      const pairs: [string, string, number][] = [["on-accent", "accent", 4.5], ["bad", "bad-ground", 4.5], [
        "text",
        "bad-ground",
        4.5,
      ]];
      for (const ground of ["ground", "raised", "selected"]) pairs.push(["text", ground, 4.5], ["quiet", ground, 4.5]);
      pairs.push(
        ["edited", "ground", 4.5],
        ["control", "ground", 3],
        ["control", "raised", 3],
        ["accent", "ground", 3],
        ["accent", "raised", 3],
      );
      for (const [front, back, least] of pairs) {
        const found = contrast(colors[front], colors[back]);
        assert.ok(found >= least, `${colorScheme}: ${front} on ${back} is ${found.toFixed(2)}`);
      }
    }
  },
  // deno-lint-ignore require-await
  async "nothing was sent anywhere, and the page's policy held"() {
    const others = requests.filter((url) =>
      !url.startsWith(base) && !url.startsWith(elsewhere) && !url.startsWith("blob:")
    );
    assert.deepEqual(others, []);
    assert.deepEqual(complaints.filter((text) => !text.includes("404")), []);
  },
};

let failures = 0;
try {
  failures = await runCases(CASES, (n) => page.screenshot({ path: join(shots, `failed-${n}.png`) }));
} finally {
  await browser.close();
  server.close();
  other.close();
  rmSync(folder, { recursive: true, force: true });
}
const all = Object.keys(CASES).length;
console.log(`inspector: ${all - failures} of ${all}; screenshots in ${shots}`);
process.exit(failures === 0 ? 0 : 1);
