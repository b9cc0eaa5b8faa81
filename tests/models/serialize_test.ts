import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  DenseTensor,
  MemoryFolder,
  NDArray,
  type Program,
  type ProgramVariable,
  SelectedRows,
  static as paddleStatic,
} from "../../mod.ts";
import { BlockDesc } from "../../src/codec/program/block_desc.ts";
import { OpDesc } from "../../src/codec/program/op_desc.ts";
import { ProgramDesc } from "../../src/codec/program/program_desc.ts";
import { VarDesc } from "../../src/codec/program/var_desc.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";

const {
  deserializePersistables,
  deserializeProgram,
  loadInferenceModel,
  loadProgramState,
  normalizeProgram,
  saveInferenceModel,
  saveToFile,
  serializePersistables,
  serializeProgram,
} = paddleStatic;

const real = "tests/fixtures/real";
const bytesOf = (path: string) => new Uint8Array(readFileSync(path));

/** Prefixes of inference models that real Paddle wrote, with the program's extension. */
const MODELS = [
  [`${real}/paddle-2.4.2/infer-attribute-variable/m`, ".pdmodel"],
  [`${real}/paddle-2.6.2/infer-control-flow/m`, ".pdmodel"],
  [`${real}/paddle-2.6.2/infer-several/n`, ".pdmodel"],
  [`${real}/paddle-3.3.1/infer-control-flow/m`, ".json"],
  [`${real}/paddle-3.3.1/infer-several/n`, ".json"],
] as const;

for (const [prefix, ending] of MODELS) {
  const program = bytesOf(prefix + ending), params = bytesOf(prefix + ".pdiparams");

  describe(`the bytes of a model (${prefix.slice(real.length + 1)})`, () => {
    it("can be given in place of file names, and give the same model", async () => {
      const model = await loadInferenceModel(null, { modelFilename: program, paramsFilename: params });
      const filed = await loadInferenceModel(prefix);
      assert.deepEqual(model.program.serialize(), program);
      assert.deepEqual([...model.parameters.keys()], [...filed.parameters.keys()]);
      for (const [name, value] of filed.parameters) {
        const given = model.parameters.get(name) as DenseTensor;
        assert.ok(given instanceof DenseTensor && given.equals(value as DenseTensor), name);
      }
    });

    it("are written by serializePersistables byte for byte as in Paddle's file", async () => {
      const { program, parameters } = await loadInferenceModel(prefix);
      const ports = [program.feeds(), program.fetches()] as const;
      assert.deepEqual(serializePersistables(...ports, { program, parameters }), params);
    });

    it("are read by deserializePersistables into values by name, as views of the bytes", async () => {
      const { parameters } = await loadInferenceModel(prefix);
      const back = deserializePersistables(deserializeProgram(program), params);
      assert.deepEqual([...back.keys()], [...parameters.keys()]);
      for (const [name, value] of back as Map<string, DenseTensor>) {
        assert.ok(value instanceof DenseTensor && value.equals(parameters.get(name) as DenseTensor), name);
        assert.equal(value.bytes.buffer, params.buffer, name);
      }
    });

    it("are refused with a specific error when some are missing or left over", () => {
      const whole = deserializeProgram(program), last = whole.parameters().at(-1)!.name;
      assert.throws(() => deserializePersistables(whole, params.subarray(0, params.length - 1)), {
        code: "TRUNCATED",
      });
      assert.throws(() => deserializePersistables(whole, new Uint8Array([...params, 0])), {
        code: "TRAILING_DATA",
        offset: params.length,
      });
      assert.throws(() => deserializePersistables(whole, new Uint8Array(0)), { code: "EMPTY" });
      const values = deserializePersistables(whole, params);
      values.delete(last);
      assert.throws(
        () => serializePersistables(whole.feeds(), whole.fetches(), { program: whole, parameters: values }),
        { code: "INVALID_VALUE", at: last, message: /has no value/ },
      );
    });
  });
}

describe("static.loadInferenceModel of bytes", () => {
  const [[prefix, ending]] = MODELS;
  const program = bytesOf(prefix + ending), params = bytesOf(prefix + ".pdiparams");
  // deno-lint-ignore no-explicit-any
  const given = (path: string | null, options: any) => loadInferenceModel(path, options);

  it("refuses other arguments with a clear TypeError", async () => {
    const path = { name: "TypeError", message: /bytes only where pathPrefix is null/ };
    await assert.rejects(given(prefix, { modelFilename: program }), path);
    await assert.rejects(given(prefix, { modelFilename: "m", paramsFilename: params }), path);
    const bytes = { name: "TypeError", message: /must be the bytes of the files/ };
    await assert.rejects(given(null, {}), bytes);
    await assert.rejects(given(null, { modelFilename: "m" }), bytes);
    await assert.rejects(given(null, { modelFilename: program, paramsFilename: "m.pdiparams" }), bytes);
    await assert.rejects(given(null, { modelFilename: new Uint8Array(0), paramsFilename: params }), { code: "EMPTY" });
  });

  it("reports missing parameters when only the program is given, and accepts a program without any", async () => {
    await assert.rejects(given(null, { modelFilename: program }), { code: "MISSING_PART" });
    const model = await loadInferenceModel(prefix);
    const [input] = model.feedTargetNames;
    const none = serializeProgram(input, input, { program: model.program });
    const { parameters, feedTargetNames } = await given(null, { modelFilename: none });
    assert.deepEqual([parameters.size, feedTargetNames], [0, [input]]);
    assert.equal(serializePersistables(input, input, { program: model.program, parameters: new Map() }), null);
  });
});

const VOCAB = 27;

/** The program with another kind for the variable of that name: replaces field 1 of its type, which is 7, a dense tensor. */
function withKind(program: Program, name: string, kind: number): Program {
  const bytes = program.serialize().slice(), key = new TextEncoder().encode(`${name}\x12`);
  const at = bytes.findIndex((_, i) => key.every((byte, k) => bytes[i + k] === byte)) + key.length + 1;
  assert.deepEqual([...bytes.subarray(at, at + 2)], [0x08, 0x07]);
  bytes[at + 1] = kind;
  return deserializeProgram(bytes);
}

describe("the value of a variable that is not a tensor", () => {
  const prefix = `${real}/paddle-2.6.2/infer-several/n`;
  const words = new Map([["", 0], ["word", 7], ["größer", -2], ["\u{1f600}", 2 ** 31 - 1]]);
  /** u64 count; then u64 length, UTF-8 and i32 of each entry; written by hand. */
  const record = [
    ...[4, 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0, 0, /**/ 0, 0, 0, 0],
    ...[4, 0, 0, 0, 0, 0, 0, 0, 0x77, 0x6f, 0x72, 0x64, 7, 0, 0, 0],
    ...[8, 0, 0, 0, 0, 0, 0, 0, 0x67, 0x72, 0xc3, 0xb6, 0xc3, 0x9f, 0x65, 0x72, 0xfe, 0xff, 0xff, 0xff],
    ...[4, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x9f, 0x98, 0x80, 0xff, 0xff, 0xff, 0x7f],
  ];

  it("is a Map of words for a vocabulary, and is written and read back in every layout", async () => {
    const plain = await loadInferenceModel(prefix);
    const [first] = plain.program.parameters();
    const program = withKind(plain.program, first.name, VOCAB);
    const parameters = new Map(plain.parameters).set(first.name, words);
    const ports = [program.feeds(), program.fetches()] as const;
    const bytes = serializePersistables(...ports, { program, parameters })!;
    assert.deepEqual([...bytes.subarray(0, record.length)], record);
    assert.deepEqual(deserializePersistables(program, bytes).get(first.name), words);

    const folder = new MemoryFolder();
    await saveInferenceModel("m", ...ports, { program, parameters, folder });
    await paddleStatic.relayout("m", "d", { folder, layout: "folder" });
    for (const name of ["m", "d"]) {
      const back = await loadInferenceModel(name, { folder });
      assert.deepEqual(back.parameters.get(first.name), words, name);
    }
    const rows = new SelectedRows([0], 1, new NDArray("float32", [1, 2]));
    assert.throws(
      () => serializePersistables(...ports, { program: plain.program, parameters: new Map([[first.name, rows]]) }),
      { code: "INVALID_VALUE", at: first.name, message: /need a file of their own/ },
    );
    for (const wrong of [new NDArray("float32", first.shape!), new SelectedRows([], 1, new NDArray("float32", [0]))]) {
      assert.throws(
        () => serializePersistables(...ports, { program, parameters: new Map(parameters).set(first.name, wrong) }),
        { code: "INVALID_VALUE", at: first.name, message: /a Map of words/ },
      );
    }
    assert.throws(
      () => serializePersistables(...ports, { program: plain.program, parameters }),
      { code: "INVALID_VALUE", at: first.name, message: /expected an array/ },
    );
  });
});

describe("static.loadProgramState with varList", () => {
  const prefix = `${real}/paddle-2.6.2/jit-save/m`;

  it("gives the tensors of one file by name, whatever the order of the list", async () => {
    const model = await loadInferenceModel(prefix);
    const folder = new MemoryFolder();
    await saveToFile({ folder, name: "all" }, bytesOf(prefix + ".pdiparams"));
    const variables = model.program.parameters();
    for (const varList of [variables, variables.toReversed()]) {
      const state = await loadProgramState("all", { varList, folder });
      assert.deepEqual([...state.keys()].sort(), [...model.parameters.keys()].sort());
      for (const [name, value] of model.parameters) {
        assert.equal(state.get(name)!.constructor, NDArray, "plain arrays, as in Paddle");
        assert.ok(state.get(name)!.equals(value as NDArray), name);
      }
    }
    await assert.rejects(loadProgramState("all", { folder }), { name: "TypeError", message: /varList must be given/ });
    await assert.rejects(loadProgramState("all", { folder, varList: variables.slice(1) }), {
      name: "FormatError",
      at: "eager_tmp_0",
    });
  });

  it("is not written from bytes whose buffer was detached, with a clear TypeError", async () => {
    const bytes = new Uint8Array(8), folder = new MemoryFolder();
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    await assert.rejects(saveToFile("all", bytes, { folder }), { name: "TypeError", message: /detached/ });
  });

  it("gives the wanted tensors of a folder, and names a missing file", async () => {
    const model = await loadInferenceModel(prefix);
    const folder = new MemoryFolder();
    await paddleStatic.relayout(model, "d", { folder, layout: "folder" });
    const [first, second] = model.program.parameters();
    const state = await loadProgramState("d", { folder, varList: [second] });
    assert.deepEqual([...state.keys()], [second.name]);
    const nobody: ProgramVariable = { ...first, name: "nobody" };
    await assert.rejects(loadProgramState("d", { folder, varList: [first, nobody] }), {
      code: "MISSING_PART",
      names: ["nobody"],
    });
    const warnings: string[] = [];
    const all = await loadProgramState("d", {
      folder,
      onWarning: ({ code, at }) => void warnings.push(`${code} ${at}`),
    });
    assert.deepEqual([...all.keys()].sort(), [...model.parameters.keys()].sort());
    assert.deepEqual(warnings, ["EXTRA_FILE __model__"]);
  });
});

/** The operators that fetch outputs, as JSON; the ids of their results are only numbered. */
function fetchOps(program: Program): { "#": string; O: object[] }[] {
  const json = JSON.parse(new TextDecoder().decode(program.serialize()));
  const [{ ops }] = json.program.regions[0].blocks;
  return ops.filter((op: { "#": string }) => op["#"] === "1.fetch").map((op: { "#": string; O: object[] }) => {
    return { ...op, O: op.O.map((result) => ({ ...result, "%": 0 })) };
  });
}

describe("static.normalizeProgram", () => {
  for (const [prefix, ending] of MODELS.filter(([name]) => name.includes("infer-several"))) {
    const program = deserializeProgram(bytesOf(prefix + ending));
    const [a, b] = program.feeds().map(({ name }) => name), [out] = program.fetches();

    it(`reports a name that is no input or output, and inputs that are superfluous or missing (${ending})`, () => {
      assert.throws(() => normalizeProgram(program, "nobody", out), { code: "NOT_FOUND", at: "nobody" });
      assert.throws(() => normalizeProgram(program, a, "nobody"), { code: "NOT_FOUND", at: "nobody" });
      assert.throws(() => normalizeProgram(program, [a, b], out), {
        code: "INVALID_VALUE",
        names: [b],
        message: /No output needs/,
      });
      // A ProgramDesc does not distinguish fed from computed variables, and Paddle does not notice either.
      if (ending === ".json") {
        assert.throws(() => normalizeProgram(program, a, program.fetches()), {
          code: "INVALID_VALUE",
          names: [b],
          message: /need other inputs/,
        });
      }
      // deno-lint-ignore no-explicit-any
      assert.throws(() => normalizeProgram({} as any, a, out), { name: "TypeError", message: /Expected a Program/ });
    });

    it(`changes only the outputs with skipPruneProgram (${ending})`, () => {
      const kept = normalizeProgram(program, [a, b], out, { skipPruneProgram: true });
      assert.deepEqual([kept.feeds().map(({ name }) => name), kept.fetches()], [[a, b], [out]]);
      const inner = (all: Program) => all.ops().map(({ type }) => type).filter((type) => !/fe(ed|tch)$/.test(type));
      assert.deepEqual(inner(kept), inner(program));
      assert.ok(inner(normalizeProgram(program, a, out)).length < inner(program).length);
    });
  }

  it("removes all traces of training, and leaves the given program unchanged", () => {
    const programs = [
      ["programs/momentum-1.8.5.pdmodel", "batch_norm_0.tmp_2"],
      ["real/paddle-2.6.2/static-save/m.pdmodel", "batch_norm_0.tmp_3"],
      ["real/paddle-3.3.1/static-save/m.json", "%39"],
    ];
    for (const [path, output] of programs) {
      const program = deserializeProgram(bytesOf(`tests/fixtures/${path}`)), before = program.serialize();
      const made = normalizeProgram(program, "x", output);
      const norms = made.ops().filter((op) => op.attributes.has("is_test"));
      assert.deepEqual(norms.map((op) => op.attributes.get("is_test")), [true], path);
      // Paddle 2.6 stores what the backward pass needs there.
      assert.ok(!norms[0].outputs.has("ReserveSpace"), path);
      assert.ok(made.ops().every(({ type }) => !/grad|momentum|adam/.test(type)), path);
      assert.deepEqual(made.parameters().length, 6, path);
      assert.deepEqual(program.serialize(), before, path);
    }
  });

  it("leaves out an optimizer's updates also if an output is computed after them or is a parameter, and training's devices", () => {
    const program = deserializeProgram(bytesOf(`${real}/paddle-2.6.2/static-save/m.pdmodel`)) as ProgramDesc;
    const [main] = program.blocks;
    const update = main.ops.find(({ outputs }) => outputs.has("ParamOut"))!, [weight] = update.inputs.get("Param")!;
    main.vars = [...main.vars, VarDesc.of("late")];
    main.ops = [...main.ops, OpDesc.of("relu", { X: [weight] }, { Out: ["late"] })];
    main.ops.at(-1)!.setAttribute("op_device", "gpu:1");
    const types = (outputs: string[]) => normalizeProgram(program, [], outputs).ops().map(({ type }) => type);
    assert.deepEqual(types(["late"]), ["relu", "fetch"]);
    assert.deepEqual(types([weight]), ["fetch"]);
    const devices = normalizeProgram(program, [], "late").ops().map((op) => op.attributes.get("op_device"));
    assert.deepEqual(devices, ["", ""], "the device of training");
  });

  it("leaves out the backward pass of a PyLayer, and the parameters that only this reads", () => {
    const program = ProgramDesc.of(2_006_002);
    const [main] = program.blocks, forward = BlockDesc.of(1, 0), backward = BlockDesc.of(2, 0);
    main.vars = [VarDesc.of("x"), VarDesc.of("y"), VarDesc.of("w", { shape: [2], persistable: true })];
    main.ops = [OpDesc.of("pylayer", { Input: ["x"] }, { Out: ["y"] })];
    main.ops[0].setAttribute("blocks", [1, 2], "BLOCKS");
    forward.ops = [OpDesc.of("tanh", { X: ["x"] }, { Out: ["y"] })];
    backward.ops = [OpDesc.of("elementwise_mul", { X: ["y@GRAD"], Y: ["w"] }, { Out: ["x@GRAD"] })];
    program.blocks = [main, forward, backward];
    const made = deserializeProgram(normalizeProgram(program, "x", "y").serialize());
    assert.deepEqual(made.blocks.map(({ ops }) => ops.map(({ type }) => type)), [["feed", "pylayer", "fetch"], [
      "tanh",
    ]]);
    assert.deepEqual(made.ops()[1].attributes.get("blocks"), [1]);
    assert.deepEqual(made.parameters(), []);
    const whole = normalizeProgram(program, "x", "y", { skipPruneProgram: true });
    assert.deepEqual(whole.blocks.map(({ ops }) => ops.length), [3, 1]);
    assert.deepEqual(whole.ops()[1].attributes.get("blocks"), [1]);
    assert.deepEqual(whole.parameters().map(({ name }) => name), ["w"]);
    main.ops[0].setAttribute("blocks", [2, 1], "BLOCKS");
    const other = normalizeProgram(program, "x", "y", { skipPruneProgram: true });
    assert.deepEqual([other.blocks[1].ops[0].type, other.ops()[1].attributes.get("blocks")], ["elementwise_mul", [1]]);
    program.blocks.push(BlockDesc.of(3, 0));
    assert.equal(normalizeProgram(program, "x", "y", { skipPruneProgram: true }).blocks.length, 3, "an unused block");
    main.ops.push(OpDesc.of("pylayer_grad", { "Out@GRAD": ["y@GRAD"] }, { "Input@GRAD": ["x@GRAD"] }));
    main.ops[1].setAttribute("blocks", [1], "BLOCKS");
    const training = normalizeProgram(program, "x", "y", { skipPruneProgram: true });
    assert.deepEqual(training.blocks.map(({ ops }) => ops.length), [4, 1, 1, 0]);
  });

  it("takes little time for a program whose operators all run the same blocks", async () => {
    const program = ProgramDesc.of(2_006_002), many = 2000;
    const runs = (name: string, to: number) => {
      const op = OpDesc.of("conditional_block", { Input: ["x"] }, { Out: [name] });
      op.setAttribute("sub_block", to, "BLOCK");
      return op;
    };
    const [main] = program.blocks, names = Array.from({ length: many }, (_, i) => `y${i}`);
    main.vars = ["x", ...names].map((name) => VarDesc.of(name));
    main.ops = names.map((name) => runs(name, 1));
    for (let i = 1; i <= many; i++) {
      const block = BlockDesc.of(i, i - 1);
      block.ops = [i < many ? runs("inside", i + 1) : OpDesc.of("tanh", { X: ["x"] }, { Out: ["inside"] })];
      program.blocks.push(block);
    }
    assert.equal(normalizeProgram(program, "x", names).blocks.length, 1 + many);
    await takesLittle("normalizing", () => timeOf(() => normalizeProgram(program, "x", names)), 2000);
  });

  it("keeps what writes in place to a variable in PIR if that is read later, even to a persistable one", () => {
    // Outputs: n + x before and after n = sum(x) * 0 + 7; a number before and after it is incremented twice.
    const program = deserializeProgram(bytesOf("tests/fixtures/programs/writes-3.3.1.json"));
    const types = (output: string, feeds: string[]) => {
      const made = normalizeProgram(program, feeds, output).ops().map(({ type }) => type.replace("pd_op.", ""));
      return made.filter((type) => type.endsWith("_") || type === "add");
    };
    assert.deepEqual(types("%3", ["x"]), ["add"]);
    assert.deepEqual(types("%11", ["x"]), ["assign_out_", "add"]);
    assert.deepEqual(types("%14", []), []);
    assert.deepEqual(types("%18", []), ["increment_", "increment_"]);
    // The same if the second increment is of what the first returns.
    const json = new TextDecoder().decode(program.serialize()), second = json.lastIndexOf('"1.increment_"');
    const text = json.slice(0, second) + json.slice(second).replace('"%":12', '"%":15');
    const chained = deserializeProgram(new TextEncoder().encode(text));
    const kept = normalizeProgram(chained, [], "%18").ops().filter(({ type }) => type === "pd_op.increment_");
    assert.deepEqual(kept.map(({ inputs }) => [...inputs.values()].flat()), [["%12"], ["%15"]]);
  });

  it("keeps persistable variables as parameters unless they are fed, and drops operators that only compute a given input", () => {
    const fed = deserializeProgram(bytesOf(`${real}/paddle-3.3.1/infer-fed-state/m.json`));
    assert.deepEqual(fed.feeds().map(({ name }) => name), ["x", "h"]);
    assert.deepEqual(normalizeProgram(fed, "x", fed.fetches()).fetches(), fed.fetches());
    const program = deserializeProgram(bytesOf(`${real}/paddle-3.3.1/static-save/m.json`));
    const made = normalizeProgram(program, "x", "%38"), types = made.ops().map(({ type }) => type);
    assert.ok(types.includes("pd_op.relu") && !types.includes("pd_op.batch_norm_"), types.join());
    assert.deepEqual(made.fetches().map(({ name }) => name), ["fetch_name_0"]);
  });

  it("fetches outputs of a PIR module with just the operators that Paddle writes, also where one makes several values", () => {
    for (
      const name of [
        "real/paddle-3.3.1/infer-control-flow/m",
        "real/paddle-3.3.1/infer-several/n",
        "programs/loops-3.3.1",
      ]
    ) {
      const program = deserializeProgram(bytesOf(`tests/fixtures/${name}.json`));
      const made = normalizeProgram(program, program.feeds(), program.fetches());
      assert.ok(fetchOps(program).length > 1, name);
      assert.deepEqual(fetchOps(made), fetchOps(program), name);
      assert.deepEqual(made.fetches(), program.fetches(), name);
    }
  });

  it("fetches outputs of a PIR module without the flags of training if the other operators have none", () => {
    const text = new TextDecoder().decode(bytesOf(`${real}/paddle-3.3.1/infer-several/n.json`));
    const frozen = deserializeProgram(new TextEncoder().encode(text.replace('"trainable":true', '"trainable":false')));
    const ops = fetchOps(normalizeProgram(frozen, frozen.feeds(), frozen.fetches()));
    assert.deepEqual(ops.map((op) => Object.keys(op)), Array(3).fill(["#", "A", "I", "O"]));
  });

  it("lists the outputs of a PIR module by their columns, whatever the order of its operators", () => {
    const bytes = bytesOf(`${real}/paddle-3.3.1/infer-several/n.json`);
    const json = JSON.parse(new TextDecoder().decode(bytes));
    const [block] = json.program.regions[0].blocks;
    block.ops.push(block.ops.splice(block.ops.findIndex((op: { "#": string }) => op["#"] === "1.fetch"), 1)[0]);
    const turned = deserializeProgram(new TextEncoder().encode(JSON.stringify(json)));
    assert.deepEqual(turned.fetches(), deserializeProgram(bytes).fetches());
  });

  it("switches training off in the integer attribute of Paddle 1.6", () => {
    const program = deserializeProgram(bytesOf(`${real}/paddle-1.6.1/fluid-infer-combined/e/__model__`));
    for (const op of program.ops()) if (op.attributeType("is_test") === "INT") op.setAttribute("is_test", 0);
    const made = normalizeProgram(program, program.feeds(), program.fetches());
    const flags = made.ops().filter((op) => op.attributes.has("is_test")).map((op) => op.attributes.get("is_test"));
    assert.deepEqual(flags, [1, 1]);
  });
});
