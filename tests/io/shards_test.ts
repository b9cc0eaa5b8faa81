import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  BucketFolder,
  detect,
  fromArray,
  load,
  MemoryFolder,
  type NDArray,
  open,
  Program,
  type ProgressEvent,
  save,
  static as staticGraph,
  Tensor,
} from "../../mod.ts";
import { save as saveSafetensors } from "../../src/safetensors.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A folder that has these files and their index. */
async function folderOf(map: Record<string, string>): Promise<MemoryFolder> {
  const index = JSON.stringify({ metadata: { total_size: 32 }, weight_map: map });
  const folder = new MemoryFolder([["run/model.index.json", utf8(index)]]);
  await saveSafetensors(
    new Map([["a", fromArray([1, 2], "bfloat16")], ["x", fromArray([9], "int8")]]),
    "run/1.safetensors",
    {
      folder,
    },
  );
  await save(
    new Map([["b", new Tensor("float32", [2], Float32Array.of(3, 4), { name: "linear_0.w_0" })]]),
    "run/2.pdparams",
    {
      folder,
    },
  );
  return folder;
}

describe("a checkpoint in several files", () => {
  it("is opened by its index as one, whatever formats its files have", async () => {
    const folder = await folderOf({ b: "2.pdparams", a: "1.safetensors" });
    await using checkpoint = await open("run/model.index.json", { folder });
    assert.deepEqual(checkpoint.names(), ["b", "a"]);
    assert.equal(checkpoint.info("a").dtype, "bfloat16");
    assert.equal(checkpoint.info("b").kind, "Tensor");
    const [b, a] = [await checkpoint.get("b"), await checkpoint.getSlice("a", [1, 2])];
    assert.equal((b as Tensor).name, "linear_0.w_0");
    assert.deepEqual([b.toArray(), a.toArray()], [[3, 4], [2]]);
    const value = await checkpoint.value() as Map<string, NDArray>;
    assert.equal((await value.get("a")!.load()).at(0), 1);
  });

  it("is loaded by its index, in the order of the index, with one count of its progress", async () => {
    const folder = await folderOf({ b: "2.pdparams", a: "1.safetensors" });
    const events: ProgressEvent[] = [];
    const options = { folder, onProgress: (event: ProgressEvent) => void events.push(event) };
    const value = await load("run/model.index.json", options) as Map<string, Tensor>;
    assert.deepEqual([...value.keys()], ["b", "a"]);
    assert.deepEqual([...value.values()].map((array) => array.toArray()), [[3, 4], [1, 2]]);
    assert.equal(value.get("b")!.name, "linear_0.w_0");
    const arrays = await load({ folder, name: "run/model.index.json" }, { returnNumpy: true }) as Map<string, NDArray>;
    assert.ok([...arrays.values()].every((array) => !(array instanceof Tensor)));
    const counts = events.map(({ loaded }) => loaded);
    assert.deepEqual(counts, counts.toSorted((a, b) => a - b));
    assert.equal(events.at(-1)!.loaded, events.at(-1)!.total);
  });

  it("takes one request for an index that has a usual name", async () => {
    const files = await folderOf({ a: "1.safetensors" });
    const bytes = await staticGraph.loadFromFile("run/1.safetensors", { folder: files });
    for (const [name, most] of [["model.safetensors.index.json", 1], ["model.index.json", 2]] as const) {
      const bucket = new FakeBucket([[name, utf8('{"weight_map":{"a":"1.safetensors"}}')], ["1.safetensors", bytes]]);
      await using checkpoint = await open(name, { folder: new BucketFolder(bucket) });
      assert.deepEqual(checkpoint.names(), ["a"]);
      assert.equal(bucket.gets.filter(({ key }) => key === name).length, most);
    }
  });

  it("is refused if it must be safetensors and is not", async () => {
    const folder = await folderOf({ a: "1.safetensors", b: "2.pdparams" });
    for (const verb of [load, open]) {
      await assert.rejects(verb("run/model.index.json", { folder, safetensors: true }), { code: "WRONG_FORMAT" });
    }
  });

  it("is refused when the index names files or tensors that are missing", async () => {
    const missing = await folderOf({ a: "3.safetensors" }), wrong = await folderOf({ a: "2.pdparams" });
    for (const read of [open, load]) {
      const [none, noTensor] = [{ path: "3.safetensors" }, { at: "a" }];
      await assert.rejects(read("run/model.index.json", { folder: missing }), { code: "MISSING_PART", ...none });
      const entry = { folder: wrong, name: "run/model.index.json" };
      await assert.rejects(read(entry), { code: "MISSING_PART", ...noTensor });
      await assert.rejects(read("run/no.index.json", { folder: wrong }), { code: "NOT_FOUND" });
    }
  });
});

describe("a file whose name ends in .index.json", () => {
  const PIR = readFileSync("tests/fixtures/real/paddle-3.3.1/infer-several/n.json");
  const params = readFileSync("tests/fixtures/real/paddle-3.3.1/infer-several/n.pdiparams");

  it("is read as a program if it is one: that of a method named index, or of a prefix that ends in .index", async () => {
    const folder = new MemoryFolder([["n.index.json", PIR], ["n.index.pdiparams", params]]);
    assert.ok(await load("n.index.json", { folder }) instanceof Program);
    await using checkpoint = await open({ folder, name: "n.index.json" });
    assert.ok(await checkpoint.value() instanceof Program);
    assert.ok(await load("n.index", { folder }) instanceof Map);
    assert.equal((await audit("n.index.json", { folder })).kind, "program");
    assert.equal(await detect("n.index.json", { folder }), "pir");
  });

  it("is not taken for a program of the prefix before .index", async () => {
    const shards = await folderOf({ b: "2.pdparams" });
    const source = (await shards.get("run/model.index.json"))!;
    const index = new Uint8Array(source.size);
    await source.read(0, index);
    const folder = new MemoryFolder([["n.json", PIR], ["n.pdiparams", params], ["n.index.json", index]]);
    const alone = new MemoryFolder([["n.json", PIR], ["n.pdiparams", params]]);
    assert.deepEqual(await load("n", { folder }), await load("n", { folder: alone }));
    const methods = new MemoryFolder([
      ...["n.json", "n.index.json"].map((name) => [name, PIR] as [string, Uint8Array]),
      ...["n.pdiparams", "n.index.pdiparams"].map((name) => [name, params] as [string, Uint8Array]),
    ]);
    await using checkpoint = await open("n", { folder: methods });
    assert.deepEqual(checkpoint.names(), [...(await load("n", { folder: alone }) as Map<string, NDArray>).keys()]);
  });
});

describe("the index of a checkpoint in several files", () => {
  it("is detected as such, and named in the error when its bytes are loaded", async () => {
    const folder = await folderOf({ b: "2.pdparams" });
    assert.equal(await detect("run/model.index.json", { folder }), "shards");
    const source = (await folder.get("run/model.index.json"))!;
    await assert.rejects(load(source), {
      code: "WRONG_FORMAT",
      message: /index of a sharded checkpoint.*\.index\.json/,
    });
  });

  it("is no clean one if a file lacks a tensor that the index assigns to it, as load refuses it then", async () => {
    const folder = await folderOf({ a: "1.safetensors", c: "1.safetensors", b: "2.pdparams" });
    await assert.rejects(load("run/model.index.json", { folder }), { code: "MISSING_PART", at: "c" });
    const { ok, exitCode, error } = await audit("run/model.index.json", { folder });
    assert.deepEqual([ok, exitCode, error?.code, error?.at], [false, 2, "MISSING_PART", "c"]);
  });

  it("is audited with all its files, and the first that is refused is reported", async () => {
    const folder = await folderOf({ b: "2.pdparams", a: "1.safetensors" });
    const report = await audit("run/model.index.json", { folder });
    assert.deepEqual([report.ok, report.exitCode, report.kind, report.error], [true, 0, "shards", undefined]);
    assert.ok(report.symbols.length > 0 && report.symbols.every(({ file }) => file === "2.pdparams"));
    const evil = utf8("cos\nsystem\n(Vls\ntR.");
    const index = JSON.stringify({ weight_map: { x: "evil.pdparams", b: "2.pdparams" } });
    for (const [name, bytes] of [["run/evil.pdparams", evil], ["run/evil.index.json", utf8(index)]] as const) {
      const sink = await folder.put(name);
      await sink.write(bytes);
      await sink.close();
    }
    const refused = await audit("run/evil.index.json", { folder });
    assert.deepEqual([refused.ok, refused.exitCode, refused.error?.code], [false, 1, "FORBIDDEN_SYMBOL"]);
    assert.deepEqual(refused.symbols.map(({ symbol, file }) => [symbol, file])[0], ["os.system", "evil.pdparams"]);
    assert.ok(refused.symbols.some(({ file }) => file === "2.pdparams"));
    const broken = await audit("run/model.index.json", { folder: await folderOf({ a: "3.safetensors" }) });
    assert.deepEqual([broken.ok, broken.exitCode, broken.error?.code], [false, 2, "MISSING_PART"]);
  });
});
