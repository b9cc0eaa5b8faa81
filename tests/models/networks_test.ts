import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  fluid,
  jit,
  load,
  MemoryFolder,
  NDArray,
  open,
  type Program,
  recoverStateDict,
  static as paddleStatic,
} from "../../mod.ts";

const { deserializeProgram, InferenceModel } = paddleStatic;

function read(name: string): { program: Program; bytes: Uint8Array } {
  const bytes = new Uint8Array(readFileSync(`tests/fixtures/programs/${name}`));
  return { program: deserializeProgram(bytes), bytes };
}

function zeros(program: Program): Map<string, NDArray> {
  return new Map(program.parameters().map(({ name, dtype, shape }) => [name, new NDArray(dtype!, shape!)]));
}

describe("a transformer of Paddle 1.8", () => {
  it("with axes that are multiples of the unknown one is read, and written with the same bytes", () => {
    const { program, bytes } = read("transformer-1.8.5.pdmodel");
    assert.deepEqual(program.serialize(), bytes);
    assert.deepEqual(program.variable("layer_norm_0.tmp_0")!.shape, [-1]);
    assert.ok(program.vars().every(({ shape }) => shape === null || shape.every((axis) => axis >= -1)));
  });

  it("is refused when a parameter has such an axis", () => {
    const { bytes } = read("transformer-1.8.5.pdmodel");
    const wrong = bytes.slice();
    // The desc of layer_norm_0.tmp_0 (float32, [-7]), and `persistable: false` of the variable that contains it.
    const name = new TextEncoder().encode("layer_norm_0.tmp_0\x12");
    const at = wrong.findIndex((_, i) => name.every((byte, k) => wrong[i + k] === byte)) + name.length;
    const flag = wrong.indexOf(0x18, at + wrong[at]);
    assert.equal(wrong[flag + 1], 0);
    wrong[flag + 1] = 1;
    assert.throws(() => deserializeProgram(wrong), { code: "BAD_SHAPE" });
  });
});

describe("a model from Paddle's quantisers, whose program still says float32", () => {
  const [both, weights] = ["quantised-2.4.2", "int8-2.6.2"].map((name) => `tests/fixtures/programs/${name}`);
  const kindOf = (value: unknown) => `${(value as NDArray).dtype} [${(value as NDArray).shape}]`;

  it("is loaded and opened with the dtypes of its records: integers, and a scale for each channel", async () => {
    const quantised = await load(both) as Map<string, NDArray>;
    assert.equal(kindOf(quantised.get("fc_0.w_0")), "int8 [4,3]");
    assert.equal(kindOf(quantised.get("fc_0.w_0@scale")), "float32 [1,3]");
    assert.equal(kindOf((await load(weights) as Map<string, NDArray>).get("fc_1.w_0")), "int8 [3,2]");
    await using file = await open(both);
    assert.equal(file.info("fc_0.w_0").dtype, "int8");
    const row = await file.getSlice("fc_0.w_0", [1, 2]);
    assert.deepEqual(row.toArray(), [(quantised.get("fc_0.w_0")!.toArray() as number[][])[1]]);
  });

  it("is written in other layouts and back with the same bytes", async () => {
    for (const prefix of [both, weights]) {
      const folder = new MemoryFolder();
      const model = await paddleStatic.loadInferenceModel(prefix);
      await paddleStatic.relayout(model, "scattered", { folder, layout: "folder" });
      await paddleStatic.relayout("scattered", "m", { folder });
      const source = (await folder.get("m.pdiparams"))!;
      const bytes = new Uint8Array(source.size);
      await source.read(0, bytes);
      assert.deepEqual(bytes, new Uint8Array(readFileSync(`${prefix}.pdiparams`)));
    }
  });

  it("is recovered with a note that these are not the values of training", async () => {
    const { stateDict, report } = await recoverStateDict(weights);
    assert.equal(kindOf(stateDict.get("fc_0.w_0")), "int8 [4,3]");
    const inexact = report.entries.filter(({ exact }) => !exact);
    assert.deepEqual(inexact.map(({ key }) => key).sort(), ["fc_0.w_0", "fc_1.w_0"]);
    assert.match(inexact[0].changed.join(), /int8/);
  });

  it("is read with an info that lacks scales and zero points, as with onnx_format: these have their own names", async () => {
    const folder = new MemoryFolder();
    const model = await paddleStatic.loadInferenceModel(both);
    model.rename("fc_1.w_0@scale", "fc_1.w_0@zero_point");
    const isAdded = (name: string) => name.includes("@");
    const known = [...model.parameters.keys()].filter((name) => !isAdded(name));
    model.info = new Map(known.map((name) => [name, { structuredName: `net.${name}`, stopGradient: false }]));
    await paddleStatic.relayout(model, "m", { folder });
    const keys = [...model.parameters.keys()].map((name) => isAdded(name) ? name : `net.${name}`);
    assert.ok(keys.includes("fc_0.w_0@scale") && keys.includes("fc_1.w_0@zero_point"));
    assert.deepEqual([...(await load("m", { folder }) as Map<string, unknown>).keys()], keys);
    await using file = await open("m", { folder });
    assert.deepEqual(file.names(), keys);
    const layer = await jit.load("m", { folder });
    assert.ok(layer.variables.has("fc_1.w_0@zero_point"));
    assert.deepEqual([...(await recoverStateDict("m", { folder })).stateDict.keys()].sort(), keys.sort());
  });

  it("may hold float16, as after convert_weight_to_fp16, which recoverStateDict reports", async () => {
    const folder = new MemoryFolder();
    const { program, parameters } = await paddleStatic.loadInferenceModel(weights);
    const halved = [...parameters].map(([name, value]) => {
      return [name, value instanceof NDArray && value.dtype === "float32" ? value.astype("float16") : value] as const;
    });
    await paddleStatic.relayout(new InferenceModel(program, new Map(halved)), "m", { folder });
    await using file = await open("m", { folder });
    assert.equal(file.info("fc_0.b_0").dtype, "float16");
    const { stateDict, report } = await recoverStateDict("m", { folder });
    assert.equal(kindOf(stateDict.get("fc_0.b_0")), "float16 [3]");
    const entry = report.entries.find(({ key }) => key === "fc_0.b_0")!;
    assert.deepEqual([entry.exact, entry.changed.length], [false, 1]);
    assert.match(entry.changed[0], /float16 where the program says float32/);
  });

  it("accepts no integers from the caller where the program says float32, and saves no other dtype", async () => {
    const model = await paddleStatic.loadInferenceModel(weights);
    assert.throws(() => model.replace("fc_0.b_0", new NDArray("int8", [3])), { code: "INVALID_VALUE" });
    const folder = new MemoryFolder();
    model.parameters.set("fc_0.b_0", new NDArray("float64", [3]));
    await assert.rejects(paddleStatic.relayout(model, "m", { folder }), { code: "INVALID_VALUE" });
  });
});

describe("a PIR program whose axes are multiples of the unknown one", () => {
  it("is read, gives these axes as unknown, and is written with the same bytes", () => {
    const { program, bytes } = read("instance_norm-3.3.1.json");
    assert.deepEqual(program.serialize(), bytes);
    const shapes = program.vars().map(({ shape }) => String(shape));
    assert.deepEqual(shapes.slice(2), ["-1,6,4,4", "-1,6,4,4", "-1", "-1", "-1,6,4,4"]);
    assert.match(new TextDecoder().decode(bytes), /\[-6\]/);
  });
});

describe("a PIR program whose layers share a parameter by its name", () => {
  const prefix = "tests/fixtures/programs/shared-3.3.1";

  it("has the parameter once, as its file does", async () => {
    assert.deepEqual([...(await load(prefix) as Map<string, unknown>).keys()], ["shared"]);
    const { stateDict, report } = await recoverStateDict(prefix);
    assert.deepEqual([...stateDict.keys()], ["shared"]);
    assert.ok(report.entries[0].exact);
    assert.deepEqual([...(await jit.load(prefix)).stateDict().keys()], ["param_0"]);
  });

  it("still shares it after it is renamed, pruned and written again", async () => {
    const model = await paddleStatic.loadInferenceModel(prefix);
    model.rename("shared", "both");
    assert.throws(() => model.delete("both"), { code: "INVALID_VALUE" });
    model.prune(model.fetchTargets[0]);
    const folder = new MemoryFolder();
    await paddleStatic.relayout(model, "m", { folder });
    const { program, parameters } = await paddleStatic.loadInferenceModel("m", { folder });
    assert.deepEqual([...parameters.keys()], ["both"]);
    const made = program.ops().filter(({ type }) => type === "builtin.parameter");
    assert.deepEqual(made.map((op) => [...op.outputs.values()].flat().length), [1, 1]);
    assert.deepEqual(program.vars().filter(({ name }) => name === "both").length, 2);
  });

  it("may give it to a layer that was pruned, as Paddle 3.0 leaves it, but not twice to no layer at all", () => {
    const json = JSON.parse(new TextDecoder().decode(read("shared-3.3.1.json").bytes));
    const [block] = json.program.regions[0].blocks;
    const shared = block.ops.find((op: { "#": string }) => op["#"] === "p");
    block.ops.push({ ...shared, O: { ...shared.O, "%": 1000 } });
    const program = () => deserializeProgram(new TextEncoder().encode(JSON.stringify(json)));
    assert.deepEqual(program().parameters(), read("shared-3.3.1.json").program.parameters());
    block.ops = block.ops.filter((op: { "#": string }) => op["#"] === "p");
    assert.throws(program, { code: "NAME_COLLISION", message: /neither is read/ });
  });

  it("is refused when their shapes differ", () => {
    const text = new TextDecoder().decode(read("shared-3.3.1.json").bytes);
    const at = text.lastIndexOf('"shared"');
    const wrong = text.slice(0, at) + text.slice(at).replace("[2,2]", "[2,3]");
    assert.throws(() => deserializeProgram(new TextEncoder().encode(wrong)), { code: "NAME_COLLISION" });
  });
});

describe("a PIR loop that appends to an array", () => {
  it("is kept when the model is pruned to an output computed from the array", () => {
    const { program } = read("loops-3.3.1.json");
    const model = new InferenceModel(program, zeros(program));
    const types = (of: Program) => of.ops().map(({ type }) => type);
    const before = types(program);
    model.prune(model.fetchTargets[0]);
    assert.equal(model.fetchTargets.length, 1);
    assert.deepEqual(model.feedTargetNames, ["x", "n"]);
    assert.deepEqual([...model.parameters.keys()].length, program.parameters().length);
    assert.deepEqual(types(model.program), before.toSpliced(before.lastIndexOf("pd_op.fetch"), 1));
    assert.ok(before.includes("pd_op.array_write_") && before.includes("pd_op.while"));
  });
});

describe("a training program before Paddle 2.2, which does not mark its parameters", () => {
  const FC = ["fc_0.b_0", "fc_0.w_0"];
  const BATCH = ["batch_norm_0.b_0", "batch_norm_0.w_0", "batch_norm_0.w_1", "batch_norm_0.w_2", ...FC];
  const DATA = ["dn.batch_size", "dn.batch_square_sum", "dn.batch_sum", ...FC];
  const ofEach = (layers: string[], ...endings: string[]) => layers.flatMap((name) => endings.map((end) => name + end));
  const WHAT_PADDLE_WRITES: { program: string; why: string; layers: string[]; optimizer: string[] }[] = [
    {
      program: "lookahead-1.8.5",
      why: "LookAhead reads its settings, and writes parameters, outside of what is marked as the optimizer's",
      layers: BATCH,
      optimizer: [...ofEach(BATCH, "@SLOW"), "learning_rate_0", "lookahead_alpha", "lookahead_k", "lookahead_step"],
    },
    {
      program: "averaged-1.8.5",
      why: "Adadelta does not use its learning rate, and averages count their steps in the forward pass",
      layers: DATA,
      optimizer: [
        "@EMA_STEP_COUNTER@",
        ...ofEach(DATA, "__avg_squared_grad_0", "__avg_squared_update_0", "_ema_0"),
        "learning_rate_0",
        "scheduled_ema_decay_rate",
      ],
    },
    {
      program: "adamw-2.0.2",
      why: "AdamW writes parameters in operators of its own",
      layers: DATA,
      optimizer: [
        ...ofEach(DATA, "_beta1_pow_acc_0", "_beta2_pow_acc_0", "_moment1_0", "_moment2_0"),
        "learning_rate_0",
      ],
    },
  ];

  for (const { program: name, why, layers, optimizer } of WHAT_PADDLE_WRITES) {
    it(`is saved in two files as by Paddle: ${name.replace("-", " of ")}: ${why}`, async () => {
      const { program } = read(`${name}.pdmodel`);
      const folder = new MemoryFolder();
      await paddleStatic.save(program, "m", { folder, parameters: zeros(program) });
      const keys = async (file: string) => [...(await load(file, { folder }) as Map<string, unknown>).keys()].sort();
      assert.deepEqual(await keys("m.pdparams"), layers);
      assert.deepEqual(await keys("m.pdopt"), optimizer.sort());
    });
  }

  it("has its parameters, without the optimizer's variables, saved and loaded by the functions of 1.x", async () => {
    const { program: mainProgram } = read("momentum-1.8.5.pdmodel");
    const folder = new MemoryFolder();
    const files = await fluid.io.saveParams("d", { mainProgram, folder, parameters: zeros(mainProgram) });
    const names = files.map((file) => file.slice(file.lastIndexOf("/") + 1)).sort();
    const loaded = await fluid.io.loadParams("d", { mainProgram, folder });
    assert.deepEqual([...loaded.keys()], names);
    assert.deepEqual(names, [...BATCH, "fc_1.b_0", "fc_1.w_0"]);
  });

  it("is saved with parameters and optimizer state in the same files as by Paddle", async () => {
    const { program } = read("momentum-1.8.5.pdmodel");
    const folder = new MemoryFolder();
    await paddleStatic.save(program, "m", { folder, parameters: zeros(program) });
    const keys = async (name: string) => [...(await load(name, { folder }) as Map<string, unknown>).keys()];
    const weights = ["batch_norm_0.b_0", "batch_norm_0.w_0", "batch_norm_0.w_1", "batch_norm_0.w_2", "fc_0.b_0"];
    assert.deepEqual(await keys("m.pdparams"), [...weights, "fc_0.w_0", "fc_1.b_0", "fc_1.w_0"]);
    const moved = ["batch_norm_0.b_0", "batch_norm_0.w_0", "fc_0.b_0", "fc_0.w_0", "fc_1.b_0", "fc_1.w_0"];
    assert.deepEqual(await keys("m.pdopt"), ["@LR_DECAY_COUNTER@", ...moved.map((name) => `${name}_velocity_0`)]);
  });
});

describe("a model with variables as attributes (cumsum and sum along a computed axis)", () => {
  const prefix = "tests/fixtures/real/paddle-2.4.2/infer-attribute-variable/m";
  const types = (of: Program) => of.ops().map(({ type }) => type);

  it("keeps the operators that compute these variables when it is pruned", async () => {
    const [, cumsum, sum] = (await paddleStatic.loadInferenceModel(prefix)).fetchTargets;
    for (const [output, reader] of [[cumsum, "cumsum"], [sum, "reduce_sum"]] as const) {
      const model = await paddleStatic.loadInferenceModel(prefix);
      model.prune(output);
      const kept = types(model.program);
      assert.ok(kept.indexOf("fill_constant") >= 0 && kept.indexOf("fill_constant") < kept.indexOf(reader), reader);
    }
    const model = await paddleStatic.loadInferenceModel(prefix);
    model.prune(model.fetchTargets[0]);
    assert.ok(!types(model.program).includes("fill_constant"));
  });

  it("keeps them when it is saved again", async () => {
    const model = await paddleStatic.loadInferenceModel(prefix);
    const folder = new MemoryFolder();
    const { program, parameters } = model;
    await paddleStatic.saveInferenceModel("m", model.feedTargetNames, model.fetchTargets, {
      program,
      parameters,
      folder,
    });
    const again = await paddleStatic.loadInferenceModel({ folder, name: "m" });
    assert.equal(types(again.program).filter((type) => type === "fill_constant").length, 1);
    assert.ok(again.program.variable("fill_constant_1.tmp_0"));
  });
});

describe("a model whose loop writes its input", () => {
  const prefix = "tests/fixtures/real/paddle-2.4.2/jit-loop-input/m";

  it("keeps the loop when it is saved again, but not the operators that compute a given input", async () => {
    const { program, parameters, feedTargetNames, fetchTargets } = await paddleStatic.loadInferenceModel(prefix);
    const folder = new MemoryFolder();
    await paddleStatic.saveInferenceModel("m", feedTargetNames, fetchTargets, { program, parameters, folder });
    const again = await paddleStatic.loadInferenceModel({ folder, name: "m" });
    const types = (of: Program) => of.ops().map(({ type }) => type);
    assert.deepEqual(types(again.program), types(program));
    const cut = paddleStatic.normalizeProgram(program, ["tmp_8"], ["tmp_8"]);
    assert.deepEqual(types(cut), ["feed", "fetch"]);
  });
});

describe("a PIR value", () => {
  it("has one id where an operator writes it and where others read it, parameters and inputs among them", () => {
    const { program } = read("shared-3.3.1.json");
    const ids = new Map(program.vars().map(({ id, name }) => [id, name]));
    const written = new Set<string>();
    for (const { inputs, outputs } of program.ops()) {
      for (const id of [...inputs.values()].flat()) assert.ok(written.has(id), id);
      for (const id of [...outputs.values()].flat()) written.add(id);
    }
    assert.ok([...written].every((id) => ids.has(id)));
    const names = [...written].map((id) => ids.get(id));
    assert.deepEqual(names.filter((name) => name === "shared").length, 2);
  });

  it("has its own flags, not those of the operator's first result, and is persistable where the file says so", () => {
    const bytes = new Uint8Array(readFileSync("tests/fixtures/real/paddle-3.3.1/infer-control-flow/m.json"));
    const program = deserializeProgram(bytes);
    const [main] = program.blocks;
    const loop = main.ops.find(({ type }) => type === "pd_op.while")!;
    const flagsOf = (id: string) => {
      const { persistable, stopGradient } = main.vars.find((variable) => variable.id === id)!;
      return { persistable, stopGradient };
    };
    assert.deepEqual([...loop.outputs.values()].flat().map(flagsOf), [
      { persistable: false, stopGradient: true },
      { persistable: false, stopGradient: false },
    ]);
    const [fetched] = program.fetches();
    assert.equal(program.variable(fetched.name)!.persistable, true);
    assert.ok(program.parameters().every(({ name }) => name !== fetched.name));
  });
});

describe("a recurrent network of Paddle 3.3", () => {
  const prefix = "tests/fixtures/programs/lstm-3.3.1";
  const weights = ["b_0", "b_1", "w_0", "w_1"].map((name) => `lstm_cell_0.${name}`);

  it("is given without its dropout state, for which Paddle shows uninitialized memory", async () => {
    assert.deepEqual([...(await load(prefix) as Map<string, unknown>).keys()], weights);
    assert.deepEqual([...(await jit.load(prefix)).stateDict().keys()], ["param_0", "param_1", "param_2", "param_3"]);
    const { stateDict, report } = await recoverStateDict(prefix);
    assert.deepEqual([...stateDict.keys()].sort(), weights);
    assert.ok(report.entries.every(({ exact }) => exact));
  });

  it("keeps that variable in the program through pruning, renaming and saving", async () => {
    const model = await paddleStatic.loadInferenceModel(prefix);
    model.prune(model.fetchTargets[0]);
    for (const name of [...model.parameters.keys()]) model.rename(name, `all/${name}`);
    const folder = new MemoryFolder();
    await paddleStatic.relayout(model, "m", { folder });
    const again = await paddleStatic.loadInferenceModel("m", { folder });
    assert.deepEqual([...again.parameters.keys()], weights.map((name) => `all/${name}`));
    assert.equal(again.program.variable("lstm_0.dropout_state__non_persistable")?.persistable, false);
  });
});
