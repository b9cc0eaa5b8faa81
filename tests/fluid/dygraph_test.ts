import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  fluid,
  fromArray,
  isPaddleError,
  load,
  MemoryFolder,
  NDArray,
  nn,
  optimizer,
  save,
  Tensor,
} from "../../mod.ts";
import { NAME_TABLE } from "../../src/model/keys.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const ROOTS = ["tests/fixtures/real", "../shared/real"].filter((folder) => existsSync(folder));
/** Number of reserved bytes in 1.6's files, which are uninitialized memory. */
const RESERVED = 256;

async function errorOf(promise: Promise<unknown>): Promise<{ code: string; names?: readonly string[] }> {
  try {
    await promise;
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error as { code: string; names?: readonly string[] };
  }
  throw new Error("no error");
}

const parameters = (): Map<string, Tensor> =>
  new Map(["weight", "bias"].map((key, i) => [
    key,
    new Tensor("float32", [2], Float32Array.of(i, i + 1), { name: `linear_0.${"wb"[i]}_0`, persistable: true }),
  ]));

/** Files written by fluid.save_dygraph of one version. */
function filesOf(version: string): string[] {
  return ROOTS.map((root) => join(root, version, "dygraph_v1")).filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder).filter((name) => /\.pd(params|opt)$/.test(name)).map((name) => join(folder, name))
    );
}

describe("fluid.saveDygraph", () => {
  it("writes back every file of Paddle 1.8 byte for byte", () =>
    inTempFolder(async (folder) => {
      const files = filesOf("paddle-1.8.5");
      assert.ok(files.length > 0);
      for (const file of files) {
        const kind = file.endsWith(".pdopt") ? "optimizer" : "parameters";
        await fluid.saveDygraph(await load(file) as Map<string, unknown>, join(folder, "m"), { kind });
        const path = join(folder, kind === "optimizer" ? "m.pdopt" : "m.pdparams");
        assert.deepEqual(readFileSync(path), readFileSync(file), file);
      }
    }));

  it("writes back every file of Paddle 1.6 byte for byte after the reserved bytes, whatever the order of the dict", () =>
    inTempFolder(async (folder) => {
      const files = filesOf("paddle-1.6.1");
      assert.ok(files.length > 0);
      for (const file of files) {
        const dict = await load(file) as Map<string, unknown>;
        const mixed = new Map([...dict].reverse());
        await fluid.saveDygraph(mixed, join(folder, "m"), { kind: "optimizer", layout: "1.6" });
        const [ours, theirs] = [readFileSync(join(folder, "m.pdopt")), readFileSync(file)];
        assert.deepEqual(ours.subarray(RESERVED), theirs.subarray(RESERVED), file);
      }
    }));

  it("sorts names by code point in the layout of 1.6, as std::map does", async () => {
    const folder = new MemoryFolder();
    const names = ["\u{1f600}", "\uff5e", "b", "a/b", "a"];
    const dict = new Map(names.map((name) => [name, fromArray([1], "int8")]));
    await fluid.saveDygraph(dict, "m", { folder, kind: "parameters", layout: "1.6" });
    const back = await load("m.pdparams", { folder }) as Map<string, unknown>;
    assert.deepEqual([...back.keys()], ["a", "a/b", "b", "\uff5e", "\u{1f600}"]);
  });

  it("refuses two tensors with the same name in the layout of 1.6, and writes nothing", async () => {
    const folder = new MemoryFolder();
    const twin = (name: string) => new Tensor("float32", [1], undefined, { name });
    const dict = new Map([["a", twin("w")], ["b", twin("w")]]);
    const error = await errorOf(fluid.saveDygraph(dict, "m", { folder, layout: "1.6" }));
    assert.deepEqual([error.code, error.names], ["NAME_COLLISION", ["w"]]);
    assert.equal((await errorOf(load("m.pdopt", { folder }))).code, "NOT_FOUND");
  });

  it("refuses values that are not tensors in the layout of 1.6", async () => {
    const folder = new MemoryFolder();
    const dict = new Map<string, unknown>([["LR_Scheduler", new Map([["last_epoch", 1]])]]);
    assert.equal((await errorOf(fluid.saveDygraph(dict, "m", { folder, layout: "1.6" }))).code, "INVALID_VALUE");
  });

  it("takes the suffix from the first value, as Paddle does", async () => {
    const folder = new MemoryFolder();
    await fluid.saveDygraph(parameters(), "net", { folder });
    await fluid.saveDygraph(new Map([["moment", fromArray([1], "float32")]]), "net", { folder });
    const [first, second] = await fluid.loadDygraph("net", { folder });
    assert.deepEqual([...first.keys()], ["weight", "bias"]);
    assert.deepEqual([...second!.keys()], ["moment", NAME_TABLE]);
  });

  it("writes a layer and its optimizer to two files of one prefix, with nothing said about which is which", async () => {
    const layer = new nn.Linear(2, 2);
    const adam = new optimizer.Adam({ parameters: layer.parameters() });
    for (const parameter of layer.parameters()) parameter.grad = parameter.clone();
    adam.step();
    const byName = new Map(layer.parameters().map((parameter) => [parameter.name, parameter]));
    for (const state of [layer.stateDict(), byName]) {
      const folder = new MemoryFolder();
      await fluid.saveDygraph(state, "net", { folder });
      await fluid.saveDygraph(adam.stateDict(), "net", { folder });
      const [parameters, states] = await fluid.loadDygraph("net", { folder });
      assert.deepEqual([...parameters.keys()], [...state.keys()]);
      assert.deepEqual([...states!.keys()], [...adam.stateDict().keys(), NAME_TABLE]);
    }
  });

  it("refuses an empty dict, an empty name and an unknown layout", async () => {
    const folder = new MemoryFolder();
    assert.equal((await errorOf(fluid.saveDygraph(new Map(), "m", { folder }))).code, "INVALID_VALUE");
    assert.equal((await errorOf(fluid.saveDygraph(parameters(), "", { folder }))).code, "INVALID_VALUE");
    assert.equal((await errorOf(fluid.saveDygraph(parameters(), "a/", { folder }))).code, "INVALID_VALUE");
    await assert.rejects(fluid.saveDygraph(parameters(), "m", { folder, layout: "1.7" as "1.8" }), TypeError);
  });
});

describe("fluid.loadDygraph", () => {
  it("gives arrays for a name with either suffix or none, and the name table on request", async () => {
    const folder = new MemoryFolder();
    await fluid.saveDygraph(parameters(), "net", { folder });
    for (const name of ["net", "net.pdparams", "net.pdopt"]) {
      const [dict, optimizer] = await fluid.loadDygraph(name, { folder });
      assert.deepEqual([...dict.keys()], ["weight", "bias"]);
      const weight = dict.get("weight") as NDArray;
      assert.ok(weight instanceof NDArray && !(weight instanceof Tensor));
      assert.deepEqual(weight.toArray(), [0, 1]);
      assert.equal(optimizer, null);
    }
    const [kept] = await fluid.loadDygraph("net", { folder, keepNameTable: true });
    assert.deepEqual([...kept.get(NAME_TABLE) as Map<string, string>], [
      ["weight", "linear_0.w_0"],
      ["bias", "linear_0.b_0"],
    ]);
  });

  it("needs parameters beside the optimizer's state", async () => {
    const folder = new MemoryFolder();
    await fluid.saveDygraph(new Map([["moment", fromArray([1], "float32")]]), "net", { folder });
    assert.equal((await errorOf(fluid.loadDygraph("net", { folder }))).code, "NOT_FOUND");
  });

  it("refuses files that hold no dict", async () => {
    for (const [parametersFile, optimizerFile] of [[[1], new Map()], [new Map(), [1]]] as const) {
      const folder = new MemoryFolder();
      await save(parametersFile, "net.pdparams", { folder });
      await save(optimizerFile, "net.pdopt", { folder });
      const error = await errorOf(fluid.loadDygraph("net", { folder }));
      assert.equal(error.code, "WRONG_FORMAT");
    }
  });

  it("reports a damaged optimizer state, and does not treat it as missing", async () => {
    const folder = new MemoryFolder();
    await fluid.saveDygraph(parameters(), "net", { folder });
    const sink = await folder.put("net.pdopt");
    await sink.write(Uint8Array.of(0x80, 2, 0x7d));
    await sink.close();
    assert.equal((await errorOf(fluid.loadDygraph("net", { folder }))).code, "TRUNCATED");
  });

  it("reads pairs of files from Paddle 1.6 and 1.8", async () => {
    for (const version of ["paddle-1.6.1", "paddle-1.8.5"]) {
      const file = filesOf(version).find((name) => name.endsWith("adam.pdparams"))!;
      const [dict, optimizer] = await fluid.loadDygraph(file);
      assert.ok(dict.size > 0 && optimizer!.size > 0, version);
      assert.ok(!dict.has(NAME_TABLE));
    }
  });
});
