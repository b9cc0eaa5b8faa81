import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  type AttributeValue,
  Complex,
  Float,
  fluid,
  jit,
  load,
  MemoryFolder,
  type NDArray,
  open,
  type Operator,
  type Program,
  recoverStateDict,
  static as paddleStatic,
  Tensor,
  zeros,
} from "../../mod.ts";
import { OpDesc } from "../../src/codec/program/op_desc.ts";
import type { ProgramDesc } from "../../src/codec/program/program_desc.ts";

const real = "tests/fixtures/real";
const { deserializeProgram, loadFromFile, loadInferenceModel, saveInferenceModel, saveToFile, serializeProgram } =
  paddleStatic;
const LEGACY = `${real}/paddle-2.6.2/infer-several/n`, PIR = `${real}/paddle-3.3.1/infer-several/n`;

/** Save the model at `prefix` again with `options`; returns the bytes of its program. */
async function savedWith(prefix: string, options: object): Promise<{ bytes: Uint8Array; folder: MemoryFolder }> {
  const { program, parameters } = await loadInferenceModel(prefix);
  const folder = new MemoryFolder();
  const names = await saveInferenceModel({ folder, name: "m" }, program.feeds(), program.fetches(), {
    program,
    parameters,
    ...options,
  });
  const name = names.find((name) => name.endsWith(".pdmodel") || name.endsWith(".json"))!;
  return { bytes: await loadFromFile({ folder, name }), folder };
}

function attributesOf(program: Program, type: string): string[] {
  return program.ops().filter((op) => op.type === type).flatMap((op) => [...op.attributes.keys()]);
}

describe("static.saveInferenceModel", () => {
  it("drops attributes that no result depends on with clipExtra, and none without", async () => {
    const { bytes: all } = await savedWith(LEGACY, { clipExtra: false });
    const whole = deserializeProgram(all);
    for (const op of whole.ops()) op.setAttribute("op_callstack", ["here"], "STRINGS");
    for (const op of whole.ops().filter(({ type }) => type === "matmul_v2")) {
      op.setAttribute("use_mkldnn", true, "BOOLEAN");
      op.setAttribute("force_fp32_output", true, "BOOLEAN");
      op.setAttribute("op_role", 0, "INT");
    }
    const { parameters } = await loadInferenceModel(LEGACY);
    const folder = new MemoryFolder();
    const ports = [whole.feeds(), whole.fetches()] as const;
    await saveInferenceModel("all", ...ports, { program: whole, parameters, folder, clipExtra: false });
    await saveInferenceModel("few", ...ports, { program: whole, parameters, folder });
    const kept = deserializeProgram(await loadFromFile({ folder, name: "all.pdmodel" }));
    const few = deserializeProgram(await loadFromFile({ folder, name: "few.pdmodel" }));
    assert.ok(attributesOf(kept, "matmul_v2").includes("use_mkldnn"));
    assert.ok(!attributesOf(few, "matmul_v2").includes("use_mkldnn"));
    // Extra in 3.x only.
    assert.ok(attributesOf(few, "matmul_v2").includes("force_fp32_output"));
    assert.ok(attributesOf(few, "matmul_v2").includes("op_role"));
    // Ops without extra attributes keep the call stack, as in Paddle.
    const stacked = few.ops().filter((op) => op.attributes.has("op_callstack")).map(({ type }) => type);
    assert.ok(stacked.includes("greater_than") && !stacked.includes("matmul_v2"));
  });

  it("keeps with clipExtra what a pass for inference has merged into an operator, which Paddle drops", async () => {
    const { program, parameters } = await loadInferenceModel(LEGACY);
    const multiply = program.ops().find(({ type }) => type === "matmul_v2")!;
    multiply.setAttribute("use_mkldnn", true, "BOOLEAN");
    multiply.setAttribute("fuse_activation", "", "STRING");
    const isKept = async () => {
      const { bytes } = await savedWith(LEGACY, { program, parameters });
      return attributesOf(deserializeProgram(bytes), "matmul_v2").includes("use_mkldnn");
    };
    assert.equal(await isKept(), false);
    multiply.setAttribute("fuse_activation", "relu");
    assert.equal(await isKept(), true);
  });

  it("keeps of a training program the attributes and outputs that Paddle 2.6.2 keeps, and no mark of training", async () => {
    const program = deserializeProgram(readFileSync(`${real}/paddle-2.6.2/static-save/m.pdmodel`));
    const parameters = await load(`${real}/paddle-2.6.2/static-save/m.pdparams`) as Map<string, NDArray>;
    const exported = async (clipExtra: boolean) => {
      const folder = new MemoryFolder();
      await saveInferenceModel("m", "x", "batch_norm_0.tmp_3", { program, parameters, folder, clipExtra });
      return deserializeProgram(await loadFromFile({ folder, name: "m.pdmodel" }));
    };
    const common = ["op_device", "op_namescope", "op_role", "op_role_var"];
    const norm = ["data_layout", "epsilon", "is_test", "momentum", "trainable_statistics", "use_global_stats"];
    const few = await exported(true);
    const attributes = few.ops().slice(1, -1).map((op) => [op.type, ...op.attributes.keys()].sort());
    assert.deepEqual(attributes, [
      ["mul", "x_num_col_dims", "y_num_col_dims", ...common].sort(),
      ["elementwise_add", "axis", ...common].sort(),
      ["relu", ...common].sort(),
      ["batch_norm", ...norm, ...common].sort(),
    ]);
    const outputs = [...few.ops().at(-2)!.outputs].filter(([, names]) => names.length > 0).map(([slot]) => slot);
    assert.deepEqual(outputs.sort(), ["MeanOut", "SavedMean", "SavedVariance", "VarianceOut", "Y"]);
    const all = (await exported(false)).ops().find(({ type }) => type === "mul")!;
    const extra = ["force_fp32_output", "scale_out", "scale_x", "scale_y", "use_mkldnn", "with_quant_attr"];
    for (const name of [...extra, "op_callstack"]) assert.ok(all.attributes.has(name), name);
    for (const made of [few, await exported(false)]) {
      const marked = made.vars().filter((variable) => variable.isParameter || variable.stopGradient !== undefined);
      assert.deepEqual(marked, []);
    }
  });

  /** What `core.get_op_extra_attrs` and the operators' protos name in each version, of what one drops and another keeps. */
  const DROPPED: readonly [version: number, extras: readonly string[], withOutputs: readonly string[]][] = [
    [2_003_002, [], []],
    [2_004_002, ["use_mkldnn", "fused_reshape_Out", "op_callstack"], []],
    [2_005_002, ["use_mkldnn", "op_callstack"], ["transpose2", "flatten2"]],
    [2_006_002, ["use_mkldnn", "op_callstack"], ["transpose2", "flatten2"]],
    [3_000_000, ["use_mkldnn", "use_onednn", "force_fp32_output", "op_callstack"], ["transpose2"]],
    [3_003_001, ["use_mkldnn", "use_onednn", "force_fp32_output", "op_callstack"], ["transpose2"]],
  ];
  const EXTRAS = ["use_mkldnn", "use_onednn", "fused_reshape_Out", "force_fp32_output", "op_callstack"];
  for (const [version, extras, withOutputs] of DROPPED) {
    it(`drops what the version that wrote the program calls extra, as does jit.save: ${version}`, async () => {
      const { program, parameters } = await loadInferenceModel(LEGACY);
      const desc = program as ProgramDesc;
      desc.version = version;
      const matmul = desc.ops().find(({ type }) => type === "matmul_v2")!;
      for (const name of EXTRAS) matmul.setAttribute(name, name === "op_callstack" ? ["here"] : false);
      const [out] = matmul.outputs.get("Out")!;
      const others = ["transpose2", "flatten2"].map((type) =>
        OpDesc.of(type, { X: [out] }, { Out: [out], XShape: ["s"] })
      );
      desc.blocks[0].ops.splice(desc.ops().indexOf(matmul) + 1, 0, ...others);
      const tensors = [...parameters].map(([name, value]) => [name, Tensor.from(value as NDArray, { name })] as const);
      const ways: ((folder: MemoryFolder) => Promise<unknown>)[] = [
        (folder) => jit.save({ programs: { forward: program }, stateDict: new Map(tensors) }, "m", { folder }),
        (folder) => saveInferenceModel("m", program.feeds(), program.fetches(), { program, parameters, folder }),
      ];
      for (const save of ways) {
        const folder = new MemoryFolder();
        await save(folder);
        const ops = deserializeProgram(await loadFromFile({ folder, name: "m.pdmodel" })).ops();
        const { attributes } = ops.find(({ type }) => type === "matmul_v2")!;
        assert.deepEqual(EXTRAS.filter((name) => !attributes.has(name)).sort(), extras.toSorted());
        const less = ops.filter(({ type, outputs }) =>
          /2$/.test(type) && type !== "matmul_v2" && !outputs.has("XShape")
        );
        assert.deepEqual(less.map(({ type }) => type), withOutputs);
      }
    });
  }

  it("keeps of a program of Paddle 2.5.2 the attributes and outputs that it keeps itself", async () => {
    const read = (name: string) => deserializeProgram(readFileSync(`tests/fixtures/programs/${name}-2.5.2.pdmodel`));
    const kept = (program: Program) =>
      program.ops().map(({ type, outputs, attributes }) => {
        const slots = [...outputs].filter(([, names]) => names.length > 0).map(([slot]) => slot);
        return [type, ...slots.sort(), ...[...attributes.keys()].sort()];
      });
    const program = read("whole"), folder = new MemoryFolder();
    const parameters = new Map([["depthwise_conv2d_0.w_0", zeros([2, 1, 3, 3])]]);
    await saveInferenceModel("m", program.feeds(), program.fetches(), { program, parameters, folder });
    assert.deepEqual(
      kept(deserializeProgram(await loadFromFile({ folder, name: "m.pdmodel" }))),
      kept(read("clipped")),
    );
  });

  it("keeps the mark of a quantised operator with clipExtra", async () => {
    const { program, parameters } = await loadInferenceModel(LEGACY);
    const multiply = program.ops().find(({ type }) => type === "matmul_v2")!;
    for (const isQuantised of [true, false]) {
      multiply.setAttribute("with_quant_attr", isQuantised, "BOOLEAN");
      const { bytes } = await savedWith(LEGACY, { program, parameters });
      assert.equal(attributesOf(deserializeProgram(bytes), "matmul_v2").includes("with_quant_attr"), isQuantised);
    }
  });

  it("writes a program in the form of Paddle 2.4 with legacyFormat, as Paddle 3.3 does", () => {
    const read = (name: string) => deserializeProgram(readFileSync(`tests/fixtures/programs/${name}-3.3.1.pdmodel`));
    const program = read("plain"), theirs = read("legacy");
    const bytes = serializeProgram(program.feeds(), program.fetches(), { program, legacyFormat: true });
    const ours = deserializeProgram(bytes);
    assert.equal(ours.version, 2_004_002);
    const shown = (
      { type, attributes }: Operator,
    ) => [type, [...attributes].filter(([name]) => name !== "op_callstack")];
    let assigned = 0;
    for (const [i, op] of ours.ops().entries()) {
      const their = theirs.ops()[i];
      if (op.type === "assign_value" && op.attributes.get("dtype") === 2) {
        // Paddle 2.4 expects int32 here, and fails on the file that Paddle 3.3 writes.
        assert.deepEqual(op.attributes.get("int32_values"), [1, 0, 1]);
        assert.deepEqual(their.attributes.get("int64_values"), [1, 0, 1]);
        assigned++;
      } else assert.deepEqual(shown(op), shown(their));
    }
    assert.equal(assigned, 1);
    assert.equal(ours.ops().filter(({ type }) => type === "set_value").length, 3);
  });

  const FILLED: [AttributeValue, number | bigint | null][] = [
    [new Float(0.5), 0.5],
    [new Float(2), 2],
    [3, 3],
    [true, 1],
    [new Complex(1, 2), null],
  ];
  it("writes the value of fill_any_like as Paddle 2.4 did, or says that 2.4 had no such value", () => {
    for (const [value, wanted] of FILLED) {
      const program = deserializeProgram(readFileSync("tests/fixtures/programs/plain-3.3.1.pdmodel")) as ProgramDesc;
      const [main] = program.blocks, like = main.ops.find(({ type }) => type === "scale") ?? main.ops[1];
      const [made] = [...like.outputs.values()].flat(), [input] = [...like.inputs.values()].flat();
      const fill = OpDesc.of("fill_any_like", { X: [input] }, { Out: [made] });
      fill.setAttribute("value", value, "SCALAR");
      main.ops = main.ops.map((op) => op === like ? fill : op);
      const write = () =>
        deserializeProgram(serializeProgram(program.feeds(), made, { program, legacyFormat: true })).ops()
          .find(({ type }) => type === "fill_any_like")!;
      if (wanted === null) assert.throws(write, { code: "UNSUPPORTED_FEATURE", at: "fill_any_like" });
      else {
        assert.deepEqual([write().attributeType("value"), write().attributes.get("value")], ["FLOAT", wanted]);
      }
    }
  });

  it("refuses legacyFormat when Paddle 2.4 had no list for the values assigned to an array", () => {
    for (
      const [type, change] of [["set_value", ["values", [new Complex(1, 0)], "SCALARS"]], ["assign_value", [
        "dtype",
        4,
        "INT",
      ]]] as const
    ) {
      const program = deserializeProgram(readFileSync("tests/fixtures/programs/plain-3.3.1.pdmodel"));
      program.ops().find((op) => op.type === type)!.setAttribute(
        ...change as unknown as [string, AttributeValue, string],
      );
      assert.throws(
        () => serializeProgram(program.feeds(), program.fetches(), { program, legacyFormat: true }),
        { code: "UNSUPPORTED_FEATURE", at: type },
      );
    }
  });

  it("writes PIR with line breaks with readable, and reads and writes it unchanged", async () => {
    const { bytes } = await savedWith(PIR, {});
    const { bytes: readable, folder } = await savedWith(PIR, { readable: true });
    assert.ok(new TextDecoder().decode(readable).startsWith('{\n    "base_code": {\n        "magic": "pir"'));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(readable)), JSON.parse(new TextDecoder().decode(bytes)));
    const { program, parameters } = await loadInferenceModel({ folder, name: "m" });
    assert.equal(parameters.size, program.parameters().length);
    assert.deepEqual(program.serialize(), readable);
  });

  it("leaves out what only training needs with trainable: false, and the parameters are still found", async () => {
    const { bytes, folder } = await savedWith(PIR, { trainable: false });
    const text = new TextDecoder().decode(bytes);
    assert.ok(text.startsWith('{"base_code":{"magic":"pir","trainable":false,') && !text.includes('"OA"'));
    const back = await loadInferenceModel({ folder, name: "m" }), first = await loadInferenceModel(PIR);
    for (const [name, value] of first.parameters) {
      assert.ok((back.parameters.get(name) as NDArray).equals(value as NDArray), name);
    }
  });

  it("refuses options that the program's form does not have", async () => {
    for (
      const [prefix, options] of [[PIR, { legacyFormat: true }], [LEGACY, { readable: true }], [LEGACY, {
        trainable: false,
      }]] as const
    ) {
      await assert.rejects(savedWith(prefix, options), { code: "UNSUPPORTED_FEATURE" });
    }
  });
});

describe("jit.save", () => {
  const METHODS = `${real}/paddle-2.4.2/jit-methods/m`;

  it("puts the parameters of all methods in one file with combineParams, where every reader finds forward's", async () => {
    const layer = await jit.load(METHODS);
    const folder = new MemoryFolder();
    const names = await jit.save(layer, "m", { folder, combineParams: true });
    assert.ok(names.includes("m.other.pdiparams") && names.includes("m.other.pdmodel"));
    const wanted = new Map(layer.program()!.parameters().map(({ name }) => [name, layer.variables.get(name)!]));
    const all = [...layer.variables.keys()].length;
    assert.ok(wanted.size < all, "another method has parameters of its own");
    for (const from of [{ folder, name: "m" }, `${real}/paddle-2.4.2/jit-combine/m`]) {
      const model = await loadInferenceModel(from);
      assert.deepEqual([...model.parameters.keys()], model.program.parameters().map(({ name }) => name));
      assert.ok((await jit.load(from)).variables.size > model.parameters.size);
      const { stateDict } = await recoverStateDict(from);
      assert.deepEqual(new Set(stateDict.keys()), new Set((await load(from) as Map<string, unknown>).keys()));
      const checkpoint = await open(from);
      assert.ok(checkpoint.names().length >= model.parameters.size);
      await checkpoint.close();
    }
    const model = await loadInferenceModel({ folder, name: "m" });
    for (const [name, tensor] of wanted) assert.ok((model.parameters.get(name) as NDArray).equals(tensor), name);
  });

  it("has the parameters of all methods where one file holds them and no .pdiparams.info says whose they are", async () => {
    const from = `${real}/paddle-2.4.2/jit-combine/m`;
    const folder = new MemoryFolder();
    for (const ending of [".pdmodel", ".other.pdmodel", ".second.pdmodel", ".pdiparams"]) {
      await saveToFile({ folder, name: "m" + ending }, readFileSync(from + ending));
    }
    const { variables } = await jit.load(from);
    const bare = { folder, name: "m" };
    const layer = await jit.load(bare);
    assert.deepEqual([...layer.variables.keys()].sort(), [...variables.keys()].sort());
    for (const [name, tensor] of variables) assert.ok(layer.variables.get(name)!.equals(tensor), name);
    assert.deepEqual(new Set((await load(bare) as Map<string, unknown>).keys()), new Set(variables.keys()));
    assert.equal((await recoverStateDict(bare)).stateDict.size, variables.size);
    const checkpoint = await open(bare);
    assert.deepEqual(new Set(checkpoint.names()), new Set(variables.keys()));
    await checkpoint.close();
    assert.equal((await jit.save(layer, "again", { folder })).filter((name) => name.endsWith(".pdmodel")).length, 3);
  });

  it("prunes to the outputs of outputSpec, by name or number, and the inputs that they need", async () => {
    const program = deserializeProgram(readFileSync(`${LEGACY}.pdmodel`));
    const { parameters } = await loadInferenceModel(LEGACY);
    const tensors = await load(LEGACY) as Map<string, never>;
    const layer = { programs: { forward: program }, stateDict: tensors };
    const [first] = program.fetches();
    const needed = paddleStatic.normalizeProgram(program, ["a"], [first]);
    // Paddle has a state dict of named Tensors.
    const state = await recoverStateDict(LEGACY);
    const named = { ...layer, stateDict: state.stateDict };
    for (const outputSpec of [[0], [first.name], [first]]) {
      const folder = new MemoryFolder();
      await assert.rejects(jit.save(named, "m", { folder, outputSpec }), { code: "INVALID_VALUE" });
      await jit.save(named, "m", { folder, outputSpec, inputNamesAfterPrune: ["a"] });
      const model = await loadInferenceModel({ folder, name: "m" });
      assert.deepEqual(model.fetchTargets, [first]);
      assert.deepEqual(model.feedTargetNames, ["a"]);
      assert.deepEqual([...model.parameters.keys()], needed.parameters().map(({ name }) => name));
      await jit.save(named, "w", { folder, outputSpec, inputNamesAfterPrune: ["a"], skipPruneProgram: true });
      assert.equal((await loadInferenceModel({ folder, name: "w" })).parameters.size, parameters.size);
    }
    await assert.rejects(jit.save(named, "m", { folder: new MemoryFolder(), outputSpec: [99] }), { code: "NOT_FOUND" });
  });

  it("writes a file for each parameter with separateParameters", async () => {
    for (const prefix of [`${real}/paddle-2.6.2/jit-save/m`, `${real}/paddle-3.3.1/jit-save/m`]) {
      const layer = await jit.load(prefix);
      const folder = new MemoryFolder();
      await jit.save(layer, "d/m", { folder, separateParameters: true });
      const back = await loadInferenceModel({ folder, name: "d" });
      assert.deepEqual([...back.parameters.keys()].sort(), [...layer.variables.keys()].sort());
    }
    const several = await jit.load(METHODS);
    await assert.rejects(jit.save(several, "m", { folder: new MemoryFolder(), separateParameters: true }), {
      code: "INVALID_VALUE",
    });
  });
});

describe("fluid.io.saveInferenceModel", () => {
  it("writes the whole training program with exportForDeployment: false", async () => {
    const prefix = `${real}/paddle-2.6.2/static-save/m`;
    const mainProgram = deserializeProgram(readFileSync(prefix + ".pdmodel"));
    const parameters = await paddleStatic.load(mainProgram, prefix);
    const folder = new MemoryFolder();
    const names = await fluid.io.saveInferenceModel("d", ["x"], ["y"], {
      mainProgram,
      parameters,
      folder,
      exportForDeployment: false,
    });
    assert.deepEqual(names, ["y"]);
    assert.deepEqual(
      await loadFromFile({ folder, name: "d/__model__.main_program" }),
      new Uint8Array(readFileSync(prefix + ".pdmodel")),
    );
    const values = await fluid.io.loadPersistables("d", { mainProgram, folder });
    assert.equal(values.size, mainProgram.parameters().length);
  });

  it("reports its progress, also where it writes only the program", async () => {
    const { program, parameters } = await loadInferenceModel(LEGACY);
    for (const programOnly of [false, true]) {
      let loaded = 0;
      await fluid.io.saveInferenceModel("d", program.feeds().map(({ name }) => name), program.fetches(), {
        mainProgram: program,
        parameters,
        programOnly,
        folder: new MemoryFolder(),
        onProgress: (event) => loaded = event.loaded,
      });
      assert.ok(loaded > 0, String(programOnly));
    }
  });
});
