import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { fromArray, MemoryFolder, type NDArray, open, save, Tensor } from "../../mod.ts";
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

  it("is refused when the index names files or tensors that are missing", async () => {
    const missing = await folderOf({ a: "3.safetensors" });
    await assert.rejects(open("run/model.index.json", { folder: missing }), {
      code: "MISSING_PART",
      path: "3.safetensors",
    });
    const wrong = await folderOf({ a: "2.pdparams" });
    await assert.rejects(open({ folder: wrong, name: "run/model.index.json" }), { code: "MISSING_PART", at: "a" });
    await assert.rejects(open("run/no.index.json", { folder: wrong }), { code: "NOT_FOUND" });
  });
});
