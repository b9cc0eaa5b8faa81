import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  distributed,
  type Folder,
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
  /** The shape of the part, and the range of its elements that is in the file. */
  flat?: { shape: number[]; range: [number, number] };
}

/** A checkpoint of one tensor `w` in parts, each in its own file. */
async function parted(shape: number[], parts: Saved[], ending = "distcp"): Promise<MemoryFolder> {
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
      `${rank}_0.${ending}`,
    );
    await save(new Map([["w", array]]), `run/${rank}_0.${ending}`, { folder, safetensors: ending === "safetensors" });
  }
  const fields: [string, Value][] = [["state_dict_metadata", new Map([["w", local]])], ["storage_metadata", stored]];
  await save(new PythonRecord(MODULE, "Metadata", new Map(fields)), "run/0.metadata", { folder });
  return folder;
}

/** Part of a matrix of ascending numbers, six per row. */
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

  it("are called by their name where load is given their folder", async () => {
    await assert.rejects(load(real("3.3.1") + "model"), {
      code: "EXTRA_FILE",
      message: /is a distributed checkpoint: .*loadMergedStateDict/,
    });
  });

  it("are assembled from parts by rows, by columns and by both", async () => {
    const folder = await parted([5, 6], [
      { offset: [0, 0], array: part([0, 3], [0, 4]) },
      { offset: [0, 4], array: part([0, 3], [4, 6]) },
      { offset: [3, 0], array: part([3, 5], [0, 1]) },
      { offset: [3, 1], array: part([3, 5], [1, 6]) },
    ]);
    const merged = await distributed.loadMergedStateDict("run", { folder });
    assert.deepEqual((merged.get("w") as NDArray).toArray(), whole.toArray());
  });

  it("are assembled from parts in safetensors files, which Paddle 3.3 writes where asked to", async () => {
    const parts = [{ offset: [0, 0], array: part([0, 2], [0, 6]) }, { offset: [2, 0], array: part([2, 5], [0, 6]) }];
    const folder = await parted([5, 6], parts, "safetensors");
    const merged = await distributed.loadMergedStateDict("run", { folder });
    assert.ok((merged.get("w") as NDArray).equals(whole));
  });

  it("are assembled from flattened parts", async () => {
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

  it("are refused when parts overlap, leave a gap, or do not match the metadata", async () => {
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

  it("are refused with a specific message when the metadata is damaged", async () => {
    type Fields = Map<string, Value>;
    const record = (name: string, fields: Fields) => new PythonRecord(MODULE, name, fields);
    /** The metadata of a single whole matrix, after a change. */
    const damaged = async (change: (all: Fields, local: Fields, index: Fields, stored: Map<Value, Value>) => void) => {
      const place = (): [string, Value][] => [["global_offset", Tuple.of(0, 0)], ["is_flattened", false]];
      const local: Fields = new Map([...place(), ["local_shape", Tuple.of(5, 6)], ["global_shape", Tuple.of(5, 6)]]);
      const index: Fields = new Map<string, Value>([...place(), ["tensor_key", "w"]]);
      const stored = new Map<Value, Value>([[record("LocalTensorIndex", index), "0_0.distcp"]]);
      const all: Fields = new Map<string, Value>([
        ["state_dict_metadata", new Map([["w", [record("LocalTensorMetadata", local)]]])],
        ["storage_metadata", stored],
        ["flat_mapping", new Map([["w", Tuple.of("w")]])],
      ]);
      change(all, local, index, stored);
      const folder = new MemoryFolder();
      await save(new Map([["w", whole]]), "run/0_0.distcp", { folder });
      await save(record("Metadata", all), "run/0.metadata", { folder });
      // A custom folder, which may accept any name.
      const own: Folder = {
        get: (name) => folder.get(name.replace("run/../", "run/")),
        put: (name) => folder.put(name),
        list: (prefix) => folder.list(prefix),
        delete: (name) => folder.delete(name),
      };
      return await distributed.loadMergedStateDict("run", { folder: own });
    };
    assert.ok(((await damaged(() => {})).get("w") as NDArray).equals(whole));
    const part = (local: Fields) => record("LocalTensorMetadata", local);
    const CASES: [RegExp, Parameters<typeof damaged>[0]][] = [
      [/lacks the locations/, (all) => all.set("storage_metadata", null)],
      [/lacks the locations/, (all) => all.delete("state_dict_metadata")],
      [/an invalid location/, (_, __, ___, stored) => stored.set("w", "0_0.distcp")],
      [/an invalid location/, (_, __, ___, stored) => [...stored.keys()].forEach((index) => stored.set(index, 0))],
      [/a location without a tensor/, (_, __, index) => index.delete("tensor_key")],
      [/a tensor without parts/, (all) => all.set("state_dict_metadata", new Map([["w", []]]))],
      [/a tensor without parts/, (all, local) => all.set("state_dict_metadata", new Map([[1, [part(local)]]]))],
      [/an invalid part/, (all) => all.set("state_dict_metadata", new Map([["w", [null]]]))],
      [
        /an invalid part/,
        (all, _, index) => all.set("state_dict_metadata", new Map([["w", [record("LocalTensorIndex", index)]]])),
      ],
      [/a part with another number of axes/, (_, local) => local.set("local_shape", Tuple.of(5, 6, 1))],
      [/a part without a file/, (_, __, index) => index.set("global_offset", Tuple.of(0, 1))],
      [/a part without a file/, (_, __, index) => index.set("tensor_key", "v")],
      [/a part without lengths/, (_, local) => local.delete("global_offset")],
      [/an invalid length/, (_, local) => local.set("local_shape", Tuple.of(5, -6))],
      [/an invalid length/, (_, local) => local.set("local_shape", Tuple.of<Value>(5, 2n ** 60n))],
      [/beyond its tensor/, (_, local) => local.set("global_shape", Tuple.of(5, 5))],
      [/beyond its tensor/, (_, local) => local.set("global_shape", Tuple.of(30))],
      [
        /several shapes/,
        (all, local) =>
          all.set(
            "state_dict_metadata",
            new Map([["w", [part(local), part(new Map(local).set("global_shape", Tuple.of(6, 6)))]]]),
          ),
      ],
      [/a flattened part without a range/, (_, local) => {
        local.set("is_flattened", true);
        local.set("flattened_range", Tuple.of(3));
      }],
      [/a flattened part without a range/, (_, local) => {
        local.set("is_flattened", true);
        local.set("flattened_range", Tuple.of(3, 2));
      }],
      [/does not map strings to strings/, (all) => all.set("flat_mapping", new Map([["w", Tuple.of(1)]]))],
      [/does not map strings to strings/, (all) => all.set("flat_mapping", new Map([["w", Tuple.of()]]))],
    ];
    for (const [message, change] of CASES) {
      await assert.rejects(damaged(change), { code: "BAD_FIELD", message }, String(message));
    }
    const other = new MemoryFolder();
    await save(new Map([["w", whole]]), "run/0.metadata", { folder: other });
    await assert.rejects(distributed.loadMergedStateDict("run", { folder: other }), { message: /holds no Metadata/ });
    await assert.rejects(
      damaged((_, __, ___, stored) => {
        for (const index of stored.keys()) stored.set(index, "../0_0.distcp");
      }),
      { code: "UNSAFE_PATH" },
    );
  });

  it("are refused when two tensors would have the same place in the nested dict", async () => {
    const folder = new MemoryFolder();
    const saveAt = (paths: [string, string[]][]) => {
      const tensors = paths.map(([name]) => [name, whole] as const);
      return distributed.saveStateDict(new Map(tensors), "run", { folder, version: "3.3" }).then(async () => {
        const metadata = await load({ folder, name: "run/0.metadata" }) as PythonRecord;
        metadata.fields.set("flat_mapping", new Map(paths.map(([name, path]) => [name, Tuple.from(path)])));
        await save(metadata, { folder, name: "run/0.metadata" });
      });
    };
    for (
      const paths of [[["x", ["a"]], ["y", ["a"]]], [["x", ["a"]], ["y", ["a", "b"]]], [["y", ["a", "b"]], ["x", [
        "a",
      ]]]]
    ) {
      await saveAt(paths as [string, string[]][]);
      const at = paths[1][0];
      await assert.rejects(distributed.loadMergedStateDict("run", { folder }), { code: "BAD_FIELD", at });
    }
  });

  it("may have tensors without axes or elements, even in parts", async () => {
    const folder = await parted([0, 6], [
      { offset: [0, 0], array: new Tensor("float32", [0, 4]) },
      { offset: [0, 4], array: new Tensor("float32", [0, 2]) },
    ]);
    assert.deepEqual(
      (await distributed.loadMergedStateDict("run", { folder })).get("w"),
      new Tensor("float32", [0, 6]),
    );
    const scalar = Tensor.fromArray([7], "float32");
    const flat = await parted([], [{ offset: [], array: scalar, flat: { shape: [], range: [0, 1] } }]);
    const found = (await distributed.loadMergedStateDict("run", { folder: flat })).get("w") as NDArray;
    assert.deepEqual([found.shape, found.toArray()], [[], 7]);
  });

  it("are refused for other dtypes, missing tensors, unknown versions and colliding or invalid keys", async () => {
    const state = new Map([["weight", new Tensor("float64", [3, 2])]]);
    await assert.rejects(distributed.loadStateDict(state, real("3.3.1") + "model"), {
      code: "BAD_DTYPE",
      at: "weight",
    });
    const folder = await parted([5, 6], [{ offset: [0, 0], array: whole }]);
    await save(new Map([["v", whole]]), "run/0_0.distcp", { folder });
    await assert.rejects(distributed.loadMergedStateDict("run", { folder }), {
      code: "MISSING_PART",
      path: "0_0.distcp",
      at: "w",
    });
    await assert.rejects(distributed.saveStateDict(state, "run", { folder, version: "2.6" as "3.0" }), {
      name: "TypeError",
      message: /"3\.0" or "3\.3": got 2\.6/,
    });
    await assert.rejects(distributed.loadMergedStateDict("run", { folder, uniqueId: 4 }), { code: "NOT_FOUND" });
    await assert.rejects(
      distributed.saveStateDict(new Map([["a", new Map([[1, whole]])]]) as StateDict, "run", { folder }),
      {
        code: "INVALID_VALUE",
        at: "a.1",
      },
    );
    const twice = new Map<string, Value>([["a", new Map([["b", whole]])], ["a.b", whole]]);
    await assert.rejects(distributed.saveStateDict(twice, "run", { folder }), { code: "NAME_COLLISION", at: "a.b" });
  });

  it("change no tensor when one of them does not fit", async () => {
    const state = new Map([["weight", new Tensor("float32", [3, 2])], ["bias", new Tensor("float32", [3])]]);
    await assert.rejects(distributed.loadStateDict(state, real("3.3.1") + "model"), { code: "BAD_SHAPE", at: "bias" });
    assert.deepEqual(state.get("weight")!.toArray(), [[0, 0], [0, 0], [0, 0]]);
  });

  it("are written from nested state dicts and read back unchanged", async () => {
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

  for (const version of ["3.0", "3.3"] as const) {
    it(`have float8 tensors, by the metadata of ${version}: their file has int8 in their place`, async () => {
      const folder = new MemoryFolder();
      const state = new Map<string, Value>([
        ["__proto__", Tensor.fromArray([0.5, -2], "float8_e5m2")],
        ["model", new Map<string, Value>([["w", Tensor.fromArray([[1.5], [448]], "float8_e4m3fn")]])],
        ["n", Tensor.fromArray([7], "int8")],
      ]);
      await distributed.saveStateDict(state as StateDict, "run", { folder, version });
      const merged = await distributed.loadMergedStateDict("run", { folder });
      const { dtype, data } = (merged.get("model") as Map<string, NDArray>).get("w")!;
      assert.deepEqual([dtype, [...data as Uint8Array]], ["float8_e4m3fn", [0x3c, 0x7e]]);
      assert.equal((merged.get("__proto__") as NDArray).dtype, "float8_e5m2");
      assert.equal((merged.get("n") as NDArray).dtype, "int8");
      await distributed.loadStateDict(state as StateDict, "run", { folder });
    });
  }

  it("are found by the greatest number of a save, also one of many digits, and have no other numbers", async () => {
    const folder = new MemoryFolder();
    const state = (x: number): StateDict => new Map([["w", Tensor.fromArray([x], "float32")]]);
    const first = async () => ((await distributed.loadMergedStateDict("run", { folder })).get("w") as Tensor).at(0);
    for (const [i, uniqueId] of [999_999_999, 1_795_795_200_000].entries()) {
      await distributed.saveStateDict(state(i), "run", { folder, uniqueId });
      assert.equal(await first(), i);
      // Without a number, the last save is written again.
      await distributed.saveStateDict(state(i + 8), "run", { folder });
      assert.equal(await first(), i + 8);
    }
    const before = await folder.list();
    for (const uniqueId of [-1, 1.5, NaN, 2 ** 53, "3", null] as number[]) {
      const wrong = { name: "TypeError", message: /^Option uniqueId must be an integer of 0 or more: got / };
      await assert.rejects(distributed.saveStateDict(state(0), "run", { folder, uniqueId }), wrong);
      await assert.rejects(distributed.loadMergedStateDict("run", { folder, uniqueId }), wrong);
      await assert.rejects(distributed.loadStateDict(state(0), "run", { folder, uniqueId }), wrong);
    }
    assert.deepEqual(await folder.list(), before);
  });

  it("are refused for values that are not tensors", async () => {
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
