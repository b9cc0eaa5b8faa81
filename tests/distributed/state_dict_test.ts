import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  distributed,
  fromArray,
  load,
  MemoryFolder,
  type NDArray,
  PythonRecord,
  save,
  type StateDict,
  Tensor,
  Tuple,
  type Value,
  type Warning,
} from "../../mod.ts";

const real = (version: string) => `tests/fixtures/real/paddle-${version}/distributed/`;
const MODULE = "paddle.distributed.flex_checkpoint.dcp.metadata";

interface Saved {
  offset: number[];
  array: NDArray;
  /** Lengths of the part, and its elements that are in the file. */
  flat?: { shape: number[]; range: [number, number] };
}

/** A checkpoint of one tensor `w` in parts, each in a file of its own. */
async function parted(shape: number[], parts: Saved[]): Promise<MemoryFolder> {
  const folder = new MemoryFolder();
  const local: Value[] = [], stored = new Map<Value, Value>();
  for (const [rank, { offset, array, flat }] of parts.entries()) {
    const fields: [string, Value][] = [
      ["global_offset", Tuple.from(offset)],
      ["local_shape", Tuple.from(flat?.shape ?? array.shape)],
      ["is_flattened", flat !== undefined],
      ["flattened_range", flat ? Tuple.from(flat.range) : null],
    ];
    local.push(
      new PythonRecord(MODULE, "LocalTensorMetadata", new Map([...fields, ["global_shape", Tuple.from(shape)]])),
    );
    stored.set(
      new PythonRecord(MODULE, "LocalTensorIndex", new Map([["tensor_key", "w"], ...fields])),
      `${rank}_0.distcp`,
    );
    await save(new Map([["w", array]]), `run/${rank}_0.distcp`, { folder });
  }
  const fields: [string, Value][] = [["state_dict_metadata", new Map([["w", local]])], ["storage_metadata", stored]];
  await save(new PythonRecord(MODULE, "Metadata", new Map(fields)), "run/0.metadata", { folder });
  return folder;
}

/** The part of a matrix of rising numbers, six to a row. */
function part(rows: [number, number], columns: [number, number]): NDArray {
  const [from, to] = rows, [left, right] = columns;
  const numbers = Array.from(
    { length: to - from },
    (_, r) => Array.from({ length: right - left }, (_, c) => (from + r) * 6 + left + c),
  );
  return Tensor.fromArray(numbers, "float32");
}

const whole = part([0, 5], [0, 6]);

describe("distributed checkpoints", () => {
  for (const version of ["2.6.2", "3.3.1"]) {
    it(`of Paddle ${version} are read, and fill a state dict`, async () => {
      const path = real(version) + "model";
      const expected = await load(path + "/0_0.distcp") as StateDict;
      const merged = await distributed.loadMergedStateDict(path);
      assert.deepEqual([...merged.keys()], ["weight", "bias"]);
      const state = new Map([["weight", new Tensor("float32", [3, 2])], ["more", new Tensor("float32", [1])]]);
      const warnings: Warning[] = [];
      await distributed.loadStateDict(state, path, { onWarning: (warning) => warnings.push(warning) });
      for (const found of [merged.get("weight") as NDArray, state.get("weight")!]) {
        assert.ok(found.equals(expected.get("weight") as NDArray));
      }
      assert.deepEqual(warnings.map(({ code, at }) => [code, at]), [["MISSING_KEY", "more"]]);
    });
  }

  it("are put together from parts by rows, columns and both", async () => {
    const folder = await parted([5, 6], [
      { offset: [0, 0], array: part([0, 3], [0, 4]) },
      { offset: [0, 4], array: part([0, 3], [4, 6]) },
      { offset: [3, 0], array: part([3, 5], [0, 1]) },
      { offset: [3, 1], array: part([3, 5], [1, 6]) },
    ]);
    const merged = await distributed.loadMergedStateDict("run", { folder });
    assert.deepEqual((merged.get("w") as NDArray).toArray(), whole.toArray());
  });

  it("are put together from parts that were flattened", async () => {
    const block = part([1, 5], [0, 6]).reshape([24]);
    const cut = (from: number, to: number) => new Tensor("float32", [to - from], block.slice(from, to).bytes.slice());
    const folder = await parted([5, 6], [
      { offset: [0, 0], array: part([0, 1], [0, 6]) },
      { offset: [1, 0], array: cut(0, 10), flat: { shape: [4, 6], range: [0, 10] } },
      { offset: [1, 0], array: cut(10, 24), flat: { shape: [4, 6], range: [10, 24] } },
    ]);
    const merged = await distributed.loadMergedStateDict("run", { folder });
    assert.deepEqual((merged.get("w") as NDArray).toArray(), whole.toArray());
  });

  it("are refused where parts overlap, leave a gap, or are not what the metadata say", async () => {
    const top = { offset: [0, 0], array: part([0, 3], [0, 6]) };
    const cases: [number[], Saved[], string][] = [
      [[5, 6], [top], "SIZE_MISMATCH"],
      [[5, 6], [top, { offset: [2, 0], array: part([3, 5], [0, 6]) }], "BAD_FIELD"],
      [[5, 6], [top, { offset: [4, 0], array: part([3, 5], [0, 6]) }], "BAD_FIELD"],
      [[3, 6], [{ ...top, flat: { shape: [3, 6], range: [0, 18] } }], "BAD_SHAPE"],
      [[5, 6], [top, { offset: [3, 0], array: part([3, 5], [0, 6]).astype("float64") }], "BAD_DTYPE"],
    ];
    for (const [shape, parts, code] of cases) {
      const folder = await parted(shape, parts);
      await assert.rejects(distributed.loadMergedStateDict("run", { folder }), { code });
    }
    const folder = await parted([3, 6], [top]);
    await folder.delete("run/0_0.distcp");
    await assert.rejects(distributed.loadMergedStateDict("run", { folder }), { code: "MISSING_PART" });
    await assert.rejects(distributed.loadMergedStateDict("other", { folder }), { code: "NOT_FOUND" });
  });

  it("change no tensor where one of them does not fit", async () => {
    const state = new Map([["weight", new Tensor("float32", [3, 2])], ["bias", new Tensor("float32", [3])]]);
    await assert.rejects(distributed.loadStateDict(state, real("3.3.1") + "model"), { code: "BAD_SHAPE", at: "bias" });
    assert.deepEqual(state.get("weight")!.toArray(), [[0, 0], [0, 0], [0, 0]]);
  });

  it("are written, nested or not, and come back as they were", async () => {
    for (const version of ["3.0", "3.3"] as const) {
      const folder = new MemoryFolder();
      const state = new Map<string, Value>([
        ["model", new Map([["w", new Tensor("bfloat16", [2], Uint16Array.of(1, 2), { name: "p" })]])],
        ["opt", new Map([["a.b", fromArray([1, 2, 3], "float32")]])],
      ]);
      await distributed.saveStateDict(state, "run", { folder, version });
      assert.deepEqual(await folder.list(), ["run/0.metadata", "run/0_0.distcp"]);
      const again = await distributed.loadMergedStateDict("run", { folder });
      const model = again.get("model") as StateDict, opt = again.get("opt") as StateDict;
      assert.equal((model.get("w") as Tensor).name, "p");
      assert.equal((model.get("w") as Tensor).dtype, "bfloat16");
      assert.deepEqual((opt.get("a.b") as Tensor).toArray(), [1, 2, 3]);
      await distributed.saveStateDict(state, "run", { folder, version, uniqueId: 3 });
      assert.ok((await folder.list()).includes("run/3.metadata"));
    }
  });

  it("hold nothing but tensors", async () => {
    const folder = new MemoryFolder();
    await assert.rejects(distributed.saveStateDict(new Map([["epoch", 3]]), "run", { folder }), {
      code: "INVALID_VALUE",
    });
    const cycle = new Map<string, Value>();
    cycle.set("a", cycle);
    await assert.rejects(distributed.saveStateDict(cycle, "run", { folder }), { code: "CYCLE" });
    assert.deepEqual(await folder.list(), []);
  });
});
