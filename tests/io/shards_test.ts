import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { fromArray, load, MemoryFolder, type NDArray, open, type ProgressEvent, save, Tensor } from "../../mod.ts";
import { save as saveSafetensors } from "../../src/safetensors.ts";

/** A folder that has these files and their index. */
async function folderOf(map: Record<string, string>): Promise<MemoryFolder> {
  const index = JSON.stringify({ metadata: { total_size: 32 }, weight_map: map });
  const folder = new MemoryFolder([["run/model.index.json", new TextEncoder().encode(index)]]);
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
