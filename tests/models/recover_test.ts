import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  load,
  MemoryFolder,
  NDArray,
  open,
  recoverStateDict,
  save,
  type StateDict,
  static as paddleStatic,
  Tensor,
  type Warning,
} from "../../mod.ts";

const real = "tests/fixtures/real";

describe("an inference model turned back into weights", () => {
  it("has the network's own keys from .pdiparams.info, and the values of the file", async () => {
    const { stateDict, report } = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/m`);
    const loaded = await load(`${real}/paddle-2.6.2/jit-save/m`) as Map<string, NDArray>;
    assert.deepEqual([...stateDict.keys()].sort(), [...loaded.keys()].sort());
    for (const [key, tensor] of stateDict) {
      assert.ok(tensor instanceof Tensor);
      assert.ok(tensor.equals(loaded.get(key)!), key);
    }
    assert.ok(report.entries.every((entry) => entry.name === "info" && entry.exact));
    const mean = stateDict.get("body.1._mean") as Tensor;
    assert.equal(mean.stopGradient, true);
    assert.equal((stateDict.get("head.weight") as Tensor).stopGradient, false);
  });

  it("is saved with parameter names, so that set_state_dict finds them either way", async () => {
    const { stateDict } = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/m`);
    const folder = new MemoryFolder();
    await save(stateDict, "m.pdparams", { folder });
    const table = (await load("m.pdparams", { folder, keepNameTable: true }) as StateDict).get(
      "StructuredToParameterName@@",
    );
    assert.equal((table as Map<string, string>).get("head.weight"), "linear_1.w_0");
  });

  for (
    const [form, prefix] of [["the legacy form", "paddle-2.6.2/jit-save/no-info"], ["PIR", "paddle-3.3.1/jit-save/m"]]
  ) {
    it(`has the names of variables when there are no better ones (${form}), and notes it`, async () => {
      const { stateDict, report } = await recoverStateDict(`${real}/${prefix}`);
      for (const [key, tensor] of stateDict) assert.equal((tensor as Tensor).name, key);
      assert.ok(report.entries.every((entry) => entry.name === "variable"));
      assert.ok(report.notes.some((note) => note.includes("use_structured_name=False")));
    });
  }

  it("has its keys in the order in which the network uses them, and knows statistics from weights, without .pdiparams.info", async () => {
    const norm = (slots: string) => slots.split(" ").map((slot) => `batch_norm1d_0.${slot}`);
    for (
      const [prefix, slots] of [
        ["paddle-2.6.2/jit-save/no-info", norm("b_0 w_1 w_0 w_2")],
        ["paddle-3.3.1/jit-save/m", norm("w_1 w_2 w_0 b_0")],
      ] as const
    ) {
      const { stateDict } = await recoverStateDict(`${real}/${prefix}`);
      const keys = [...stateDict.keys()].filter((key) => !key.startsWith("eager_tmp"));
      assert.deepEqual(keys, ["linear_0.w_0", "linear_0.b_0", ...slots, "linear_1.w_0", "linear_1.b_0"], prefix);
      const frozen = keys.filter((key) => (stateDict.get(key) as Tensor).stopGradient);
      assert.deepEqual(frozen.sort(), norm("w_1 w_2"), prefix);
    }
  });

  it("notes values with generated names, such as buffers and computed weights, which no network finds by name", async () => {
    const model = await paddleStatic.loadInferenceModel(`${real}/paddle-3.3.1/jit-save/m`);
    const [first, second] = model.parameters.keys();
    model.rename(first, "eager_tmp_4");
    const folder = new MemoryFolder();
    await paddleStatic.relayout(model, "m", { folder });
    const { report } = await recoverStateDict("m", { folder });
    const notes = report.notes.filter((note) => note.includes("eager_tmp_4"));
    assert.equal(notes.length, 1);
    assert.ok(!notes[0].includes(second));
    const { report: named } = await recoverStateDict("m", { folder, names: new Map([["eager_tmp_4", "scale"]]) });
    assert.ok(!named.notes.some((note) => note.includes("eager_tmp_4")));
  });

  it("takes keys from a checkpoint of the same network by name, or as guesses by position", async () => {
    const { stateDict: like } = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/m`);
    const byName = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/no-info`, { like });
    assert.deepEqual([...byName.stateDict.keys()].sort(), [...like.keys()].sort());
    assert.ok(byName.report.entries.every((entry) => entry.name === "given"));
    const other = new Map([...like].map(([key, tensor]) => {
      const { dtype, shape, bytes, name } = tensor as Tensor;
      return [key, new Tensor(dtype, shape, bytes, { name: name.replace(/_(\d+)\./, (_, n) => `_${Number(n) + 7}.`) })];
    }));
    const byPlace = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/no-info`, { like: other });
    const guessed = byPlace.report.entries.filter((entry) => entry.name === "guess");
    assert.ok(guessed.some((entry) => entry.key === "head.weight" && entry.variable === "linear_1.w_0"));
  });

  it("has the parameters of all methods, also of those whose files Paddle 2.6 names after the methods before", async () => {
    const saved = `${real}/paddle-2.4.2/jit-methods/`;
    const { stateDict, report } = await recoverStateDict(saved + "m");
    const folder = new MemoryFolder(
      readdirSync(saved).map((name) => [name.replace("m.second.", "m.other.second."), readFileSync(saved + name)]),
    );
    const stacked = await recoverStateDict("m", { folder });
    assert.deepEqual([...stacked.stateDict.keys()], [...stateDict.keys()]);
    assert.deepEqual(stacked.report, report);
    // Without the method before it, the file belongs to another model.
    await folder.delete("m.other.pdmodel");
    const { report: { pruned } } = await recoverStateDict("m", { folder });
    assert.ok(pruned.length > 0);
  });

  it("tells which parameters it leaves out without the info: those of a method that may be another model", async () => {
    const saved = `${real}/paddle-2.4.2/jit-methods/`;
    const files = readdirSync(saved).filter((name) => !name.endsWith(".info"));
    const folder = new MemoryFolder(files.map((name) => [name, readFileSync(saved + name)]));
    const warnings: Warning[] = [], told = (warning: Warning) => warnings.push(warning);
    const { stateDict } = await recoverStateDict("m", { folder, onWarning: told });
    assert.deepEqual([...stateDict.keys()].sort(), ["linear_0.b_0", "linear_0.w_0"]);
    assert.deepEqual(warnings.map(({ code }) => code), ["OTHER_MODEL", "OTHER_MODEL"]);
    assert.ok(warnings.every(({ message }, i) => message.includes(["m.other.pdmodel", "m.second.pdmodel"][i])));
    // Their own prefixes give them, as said.
    const other = await recoverStateDict("m.other", { folder, onWarning: told });
    assert.ok([...other.stateDict.keys()].some((key) => !stateDict.has(key)));
    assert.equal(warnings.length, 2);
  });

  it("gives a parameter all keys that it has in the checkpoint, and tells which keys no file has", async () => {
    const from = `${real}/paddle-2.6.2/jit-save/no-info`;
    const { stateDict: like } = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/m`);
    const shared = new Map(like).set("tied.weight", like.get("head.weight")!);
    const more = new Map(shared).set("aux.weight", new Tensor("float32", [9, 9], undefined, { name: "linear_9.w_0" }));
    const { stateDict, report } = await recoverStateDict(from, { like: more });
    assert.deepEqual([...stateDict.keys()].sort(), [...shared.keys()].sort());
    assert.equal(stateDict.get("tied.weight"), stateDict.get("head.weight"));
    assert.deepEqual(report.entries.map(({ key }) => key), [...stateDict.keys()]);
    const [first, second] = report.entries.filter(({ key }) => ["tied.weight", "head.weight"].includes(key));
    assert.deepEqual({ ...first, key: "" }, { ...second, key: "" });
    assert.deepEqual(report.pruned, ["aux.weight"]);
    assert.ok(report.notes.every((note) => !note.includes("unknown")));
    // With returnNumpy and keepNameTable, a checkpoint is loaded as arrays with a table of names.
    const folder = new MemoryFolder();
    await save(more, "m.pdparams", { folder });
    const arrays = await load("m.pdparams", { folder, returnNumpy: true, keepNameTable: true }) as StateDict;
    assert.deepEqual((await recoverStateDict(from, { like: arrays })).report, report);
    // Without names, a key may be any variable of its shape.
    const nameless = new Map([...arrays].filter(([, array]) => array instanceof NDArray));
    const { pruned, notes } = (await recoverStateDict(from, { like: nameless })).report;
    assert.deepEqual(pruned, ["aux.weight"]);
    assert.ok(
      notes.some((note) => /^Keys of like that were pruned, or belong to .*"body\.0\.bias"/.test(note)),
      `${notes}`,
    );
  });

  it("guesses keys from a checkpoint of another process, where the same names mean other layers", async () => {
    const from = `${real}/paddle-2.6.2/jit-save/no-info`;
    const { stateDict: like } = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/m`);
    const keys = new Map([...like].map(([key, tensor]) => [(tensor as Tensor).name, key]));
    const numbered = (distance: number) =>
      new Map([...like].map(([key, tensor]) => {
        const name = (tensor as Tensor).name.replace(/_(\d+)(\.|$)/, (_, n, end) => `_${Number(n) + distance}${end}`);
        return [key, Tensor.from(tensor as Tensor, { name })];
      }));
    // The checkpoint has earlier layers that the model lacks: its linear_1 is linear_0 of the model.
    const { report } = await recoverStateDict(from, { like: numbered(1) });
    for (const { key, variable, name } of report.entries) {
      assert.deepEqual([key, name], [keys.get(variable), "guess"], variable);
    }
    // And later layers that the export left out.
    const [first] = [...like].filter(([, tensor]) => (tensor as Tensor).name === "linear_0.w_0");
    const more = numbered(1).set("aux", Tensor.from(first[1] as Tensor, { name: "linear_7.w_0" }));
    const wider = await recoverStateDict(from, { like: more });
    assert.deepEqual(wider.report.entries, report.entries);
  });

  it("takes keys by name only as guesses from a part of the network, and none when shapes differ", async () => {
    const from = `${real}/paddle-2.6.2/jit-save/no-info`;
    const { stateDict: like } = await recoverStateDict(`${real}/paddle-2.6.2/jit-save/m`);
    const body = new Map([...like].filter(([key]) => key.startsWith("body.")));
    const origins = async (part: StateDict) =>
      new Map(
        (await recoverStateDict(from, { like: part })).report.entries.map(({ variable, name }) => [variable, name]),
      );
    const ofBody = await origins(body);
    assert.deepEqual(["linear_0.w_0", "linear_1.w_0"].map((name) => ofBody.get(name)), ["guess", "variable"]);
    const [key, value] = [...body].find(([, tensor]) => (tensor as Tensor).name === "linear_0.w_0")!;
    const { dtype, shape, bytes, name } = value as Tensor;
    const other = new Map(body).set(key, new Tensor(dtype, [...shape].reverse(), bytes, { name }));
    assert.equal((await origins(other)).get("linear_0.w_0"), "variable");
  });

  it("does not say that keys are names of variables when the caller named them all, and says so when one is", async () => {
    const prefix = `${real}/paddle-3.3.1/jit-save/m`;
    const told = async (names: Map<string, string>) =>
      (await recoverStateDict(prefix, { names })).report.notes.some((note) => note.includes("keys are variable names"));
    const keys = [...(await recoverStateDict(prefix)).stateDict.keys()];
    const names = new Map(keys.map((key, i) => [key, `layer${i}.weight`]));
    assert.equal(await told(names), false);
    names.delete(keys[0]);
    assert.equal(await told(names), true);
  });

  it("takes keys from the caller, and refuses a duplicate", async () => {
    const from = `${real}/paddle-2.6.2/jit-save/no-info`;
    const names = new Map([["linear_1.w_0", "head.weight"]]);
    const { stateDict } = await recoverStateDict(from, { names });
    assert.equal((stateDict.get("head.weight") as Tensor).name, "linear_1.w_0");
    names.set("linear_0.w_0", "head.weight");
    await assert.rejects(recoverStateDict(from, { names }), { code: "NAME_COLLISION" });
  });

  it("can come from separate files, as Blobs, bytes or streams", async () => {
    const prefix = `${real}/paddle-2.6.2/jit-save/m`;
    const { readFileSync } = await import("node:fs");
    const parts = {
      program: new Blob([readFileSync(prefix + ".pdmodel")]),
      params: new Uint8Array(readFileSync(prefix + ".pdiparams")),
      info: new Blob([readFileSync(prefix + ".pdiparams.info")]).stream(),
    };
    const { stateDict } = await recoverStateDict(parts);
    const whole = await recoverStateDict(prefix);
    assert.deepEqual([...stateDict.keys()], [...whole.stateDict.keys()]);
    for (const [key, tensor] of whole.stateDict) {
      assert.ok((stateDict.get(key) as Tensor).equals(tensor as Tensor), key);
    }
  });

  it("can come from a folder of Paddle 1.x", async () => {
    const folder = `${real}/paddle-1.8.5/fluid-infer-separate/d`;
    const { stateDict } = await recoverStateDict(folder);
    const loaded = await load(folder) as Map<string, NDArray>;
    assert.ok(loaded.has("fc_0.w_0"));
    assert.deepEqual([...stateDict.keys()].sort(), [...loaded.keys()].sort());
    for (const [key, tensor] of stateDict) assert.ok((tensor as Tensor).equals(loaded.get(key)!), key);
  });

  it("notes which values may differ from those of training", async () => {
    const { report } = await recoverStateDict(`${real}/paddle-2.6.2/infer-bfloat16/m`);
    assert.ok(report.entries.some((entry) => !entry.exact && entry.changed[0].includes("bfloat16")));
  });
});

describe("open of a model", () => {
  it("lists names, dtypes and shapes, and reads one tensor at a time", async () => {
    await using model = await open(`${real}/paddle-2.6.2/jit-save/m`);
    const loaded = await load(`${real}/paddle-2.6.2/jit-save/m`) as Map<string, NDArray>;
    assert.deepEqual(model.names(), [...loaded.keys()]);
    for (const name of model.names()) {
      assert.deepEqual([...model.info(name).shape], [...loaded.get(name)!.shape]);
      assert.ok((await model.get(name)).equals(loaded.get(name)!), name);
    }
    const rows = await model.getSlice("head.weight", [1, 3]);
    assert.ok(rows.equals(loaded.get("head.weight")!.slice(1, 3)));
  });

  it("finds a tensor in .pdiparams with a single read, from the program's shapes", async () => {
    const reads: [string, number, number][] = [];
    const { readFileSync } = await import("node:fs");
    const files = new Map([".json", ".pdiparams"].map((end) => [
      "m" + end,
      new Uint8Array(readFileSync(`${real}/paddle-3.3.1/jit-save/m${end}`)),
    ]));
    const folder = {
      get: (name: string) => {
        const bytes = files.get(name);
        return Promise.resolve(
          bytes
            ? {
              size: bytes.length,
              name,
              read: (offset: number, into: Uint8Array) => {
                const part = bytes.subarray(offset, offset + into.length);
                reads.push([name, offset, part.length]);
                into.set(part);
                return Promise.resolve(part.length);
              },
            }
            : null,
        );
      },
      list: (prefix = "") => Promise.resolve([...files.keys()].filter((name) => name.startsWith(prefix))),
      put: () => Promise.reject(new Error("read only")),
      delete: () => Promise.reject(new Error("read only")),
    };
    await using model = await open("m", { folder });
    assert.ok(reads.every(([name]) => name === "m.json"), "the parameters were read");
    reads.length = 0;
    const tensor = await model.get("linear_1.w_0");
    assert.equal(reads.length, 1);
    assert.equal((tensor as Tensor).name, "linear_1.w_0");
  });
});

describe("weights from a model that Paddle's predictor has optimised", () => {
  const folded = "it has a batch normalisation folded into it";

  it("are reported as folded, computed ahead, or the network's own (2.6.2)", async () => {
    const { stateDict, report } = await recoverStateDict("tests/fixtures/programs/folded-2.6.2");
    const told = new Map(
      report.entries.map(({ variable, exact, changed }) => [variable, exact ? "exact" : changed[0]]),
    );
    assert.match(told.get("conv2d_0.w_0")!, new RegExp(folded));
    assert.match(told.get("fuse_conv_bn/conv2d_eltwise_y_in/0")!, /made by folding a batch normalisation/);
    assert.match(told.get("reshape2_0.tmp_0")!, /result of an operator, computed ahead/);
    assert.equal(told.get("conv2d_1.w_0"), "exact");
    assert.equal(stateDict.size, told.size);
    assert.ok(report.notes.some((note) => /1 convolution .* batch normalisation/.test(note)), report.notes.join("\n"));
  });

  it("are reported as computed ahead if they are an output of the network", async () => {
    const model = await paddleStatic.loadInferenceModel("tests/fixtures/programs/folded-2.6.2");
    const output = "save_infer_model/scale_1.tmp_0", folder = new MemoryFolder();
    model.rename("reshape2_0.tmp_0", output);
    await paddleStatic.relayout(model, "m", { folder });
    const { report } = await recoverStateDict("m", { folder });
    const entry = report.entries.find(({ variable }) => variable === output)!;
    assert.equal(entry.exact, false);
    assert.match(entry.changed[0], /result of an operator, computed ahead/);
  });

  it("are reported as folded also when the convolution had a bias, whose name stays the same (1.8.5)", async () => {
    const { report } = await recoverStateDict("tests/fixtures/programs/folded-1.8.5");
    const told = new Map(
      report.entries.map(({ variable, exact, changed }) => [variable, exact ? "exact" : changed[0]]),
    );
    for (const name of ["conv2d_0.w_0", "conv2d_1.w_0", "conv2d_1.b_0"]) {
      assert.match(told.get(name)!, new RegExp(folded), name);
    }
    assert.match(told.get("conv_bn_fuse/eltwise_y_in/0")!, /made by folding a batch normalisation/);
    for (const name of ["batch_norm_2.w_0", "batch_norm_2.b_0", "batch_norm_2.w_1", "batch_norm_2.w_2"]) {
      assert.equal(told.get(name), "exact");
    }
  });

  it("are exact when the batch normalisations are still there", async () => {
    const { report } = await recoverStateDict("tests/fixtures/real/paddle-2.6.2/jit-save/m");
    assert.ok(report.entries.every(({ exact }) => exact));
    assert.ok(!report.notes.some((note) => note.includes("folded")));
  });
});
