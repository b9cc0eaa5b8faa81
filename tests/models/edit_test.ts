import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  type AttributeValue,
  type DenseTensor,
  Float,
  fluid,
  isPaddleError,
  jit,
  load,
  MemoryFolder,
  NDArray,
  nn,
  type Operator,
  type PaddleError,
  Program,
  type ProgramVariable,
  save,
  SelectedRows,
  static as paddleStatic,
  Tensor,
} from "../../mod.ts";
import { PirProgram } from "../../src/codec/pir/pir_program.ts";
import { OpDesc } from "../../src/codec/program/op_desc.ts";
import { ProgramDesc } from "../../src/codec/program/program_desc.ts";
import { VarDesc } from "../../src/codec/program/var_desc.ts";
import { filesBelow } from "../helpers/files_below.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const real = "tests/fixtures/real";
const { deserializeProgram, loadInferenceModel, relayout, saveInferenceModel } = paddleStatic;

function bytesIn(folder: MemoryFolder, name: string): Promise<Uint8Array> {
  return paddleStatic.loadFromFile({ folder, name });
}

/** Compare byte for byte, reporting only the offset of the first difference. */
function assertSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const at = expected.findIndex((byte, i) => actual[i] !== byte);
  assert.ok(
    at < 0 && actual.length === expected.length,
    `${what}: differs at byte ${at}, ${actual.length} of ${expected.length} bytes`,
  );
}

/** Programs in both formats that real Paddle wrote. */
function programs(): { path: string; bytes: Uint8Array; program: Program }[] {
  return filesBelow(real).filter((path) =>
    /\.pdmodel$|__model__$|\.json$/.test(path) && !/expect\.json|damage/.test(path)
  )
    .map((path) => ({ path, bytes: new Uint8Array(readFileSync(path)) }))
    .map(({ path, bytes }) => ({ path, bytes, program: deserializeProgram(bytes) }));
}

describe("a program", () => {
  it("is written byte for byte as it was read, after any inspection", () => {
    const all = programs();
    assert.ok(all.length > 20, `${all.length} programs`);
    for (const { path, bytes, program } of all) {
      for (const op of program.ops()) [...op.attributes, ...op.inputs, ...op.outputs];
      assert.ok(program.vars().every((variable) => typeof variable.name === "string"));
      assertSame(program.serialize(), bytes, path);
      assertSame(program.clone().serialize(), bytes, path);
    }
  });

  it("finds each variable by its name, whatever was looked up before it was renamed or removed", () => {
    for (const { path, program } of programs()) {
      const first = new Map(program.vars().reverse().map((variable) => [variable.name, variable]));
      for (const [name, variable] of first) assert.deepEqual(program.variable(name), variable, path);
      const names = program.parameters().map(({ name }) => name);
      if (names.length === 0) continue;
      const [from] = names, to = `${from} renamed`;
      program.rename(from, to);
      assert.equal(program.variable(from), undefined, path);
      assert.equal(program.variable(to)?.name, to, path);
      assert.deepEqual(program.parameters().map(({ name }) => name).sort(), [to, ...names.slice(1)].sort(), path);
      if (program instanceof PirProgram) program.deleteParameter(to);
      if (program instanceof ProgramDesc) { for (const block of program.blocks) block.vars.shift(); }
      for (const { name } of program.vars()) assert.equal(program.variable(name)?.name, name, path);
    }
  });

  it("keeps unknown fields, also those of its version, when something else is changed", () => {
    const bytes = new Uint8Array(readFileSync("tests/fixtures/programs/plain-3.3.1.pdmodel"));
    // The second of two version fields is merged into the first: an unknown field 9 of Version, and one of the program itself.
    const extra = Uint8Array.of(0x22, 2, 0x48, 7, 0xa2, 6, 1, 0x78);
    const whole = new Uint8Array(bytes.length + extra.length);
    whole.set(bytes);
    whole.set(extra, bytes.length);
    const program = deserializeProgram(whole);
    const { version } = program;
    program.rename(program.vars()[0].name, "renamed");
    const again = deserializeProgram(program.serialize());
    assert.equal(again.version, version);
    assert.equal(again.vars()[0].name, "renamed");
    const text = Array.from(program.serialize()).join();
    assert.ok(text.includes("72,7"), "field 9 of the version");
    assert.ok(text.endsWith("162,6,1,120"), "field 100 of the program");
  });

  it("renames a parameter also in its operators' lists of parameters and gradients", () => {
    const program = deserializeProgram(new Uint8Array(readFileSync(`${real}/paddle-2.6.2/static-save/m.pdmodel`)));
    program.rename("fc_1.w_0", "head");
    const again = deserializeProgram(program.serialize());
    const roles = again.ops().map((op) => op.attributes.get("op_role_var")).filter((names) =>
      String(names).includes("fc_1.w")
    );
    assert.ok(roles.length >= 2, `${roles.length} operators`);
    for (const names of roles) assert.deepEqual(names, ["head", "fc_1.w_0@GRAD"]);
  });

  it("renames the state of a recurrent network, and the gradients of a loop, where operators list them as text", () => {
    for (const list of ["ex_states", "states", "original_output_grad", "skip_eager_deletion_vars"]) {
      const program = deserializeProgram(new Uint8Array(readFileSync("tests/fixtures/programs/plain-3.3.1.pdmodel")));
      const [{ name }] = program.vars(), op = program.ops().at(-1)!;
      op.setAttribute(list, ["other", name], "STRINGS");
      op.setAttribute("message", [name], "STRINGS");
      program.rename(name, "renamed");
      const again = deserializeProgram(program.serialize()).ops().at(-1)!;
      assert.deepEqual(again.attributes.get(list), ["other", "renamed"], list);
      assert.deepEqual(again.attributes.get("message"), [name], "text that is no list of variables");
    }
  });

  it("in PIR can lose an added attribute of a parameter, and keeps the others", () => {
    const program = deserializeProgram(new Uint8Array(readFileSync("tests/fixtures/programs/loops-3.3.1.json")));
    const parameter = program.ops().find((op) => op.type === "builtin.parameter")!;
    const before = [...parameter.attributes.keys()];
    parameter.setAttribute("extra", 1.5);
    assert.equal(parameter.attributes.get("extra"), 1.5);
    parameter.deleteAttribute("extra");
    assert.deepEqual([...parameter.attributes.keys()], before);
  });

  it("in PIR keeps every attribute that is set, and no other changes, whether a parameter has it in short or not", () => {
    const bytes = new Uint8Array(readFileSync("tests/fixtures/programs/loops-3.3.1.json"));
    const attributes = (program: Program, at: number) => new Map(program.ops()[at].attributes);
    const ops = deserializeProgram(bytes).ops();
    const at = (type: string) => ops.findIndex((op) => op.type === type);
    const changes: [at: number, name: string, value: AttributeValue][] = [
      ...["is_distributed", "is_parameter", "need_clip"].map((name) =>
        [at("builtin.parameter"), name, !ops[at("builtin.parameter")].attributes.get(name)] as [number, string, boolean]
      ),
      [at("builtin.parameter"), "parameter_name", "head.weight"],
      ...["persistable", "stop_gradient", "trainable"].map((name) => {
        const [before] = ops[at("builtin.parameter")].attributes.get(name) as boolean[];
        return [at("builtin.parameter"), name, [!before]] as [number, string, boolean[]];
      }),
      [at("builtin.parameter"), "extra", 2.5],
      [at("pd_op.while"), "stop_gradient", [false, true]],
      [at("pd_op.while"), "extra", "text"],
    ];
    for (const [where, name, value] of changes) {
      const program = deserializeProgram(bytes);
      program.ops()[where].setAttribute(name, value);
      const again = deserializeProgram(program.serialize());
      assert.deepEqual(attributes(again, where), attributes(deserializeProgram(bytes), where).set(name, value), name);
      if (ops[where].attributes.has(name)) continue;
      again.ops()[where].deleteAttribute(name);
      const last = deserializeProgram(again.serialize());
      assert.deepEqual(attributes(last, where), attributes(deserializeProgram(bytes), where), name);
    }
  });

  it("differs in one attribute only when that is changed, and not at all when it is changed back", () => {
    let scaled = 0;
    for (const { path, bytes, program } of programs()) {
      const op = program.ops().find((op) => typeof op.attributes.get("scale") === "number");
      if (!op) continue;
      scaled++;
      const shown = (of: Program) =>
        of.ops().map((op) => [op.type, [...op.attributes], [...op.inputs], [...op.outputs]]);
      const before = shown(program), at = program.ops().indexOf(op);
      const scale = op.attributes.get("scale")!;
      op.setAttribute("scale", 2.5);
      const after = deserializeProgram(program.serialize());
      assert.equal(after.ops()[at].attributes.get("scale"), 2.5, path);
      after.ops()[at].setAttribute("scale", scale);
      assert.deepEqual(shown(after), before, path);
      op.setAttribute("scale", scale);
      assertSame(program.serialize(), bytes, path);
    }
    assert.ok(scaled > 3, `${scaled} programs with an attribute "scale"`);
  });

  it("can be saved with paddle.save and loaded with paddle.load", async () => {
    const folder = new MemoryFolder();
    for (const { path, bytes, program } of programs().slice(0, 20)) {
      await save(program, "p.pdmodel", { folder });
      const back = await load("p.pdmodel", { folder, mode: "static" });
      assert.ok(back instanceof Program && back.form === program.form, path);
      assert.deepEqual(await bytesIn(folder, "p.pdmodel"), bytes);
    }
  });

  it("cut anywhere gives a PaddleError, or a program that ends at a field", () => {
    for (const file of ["paddle-2.6.2/jit-save/m.pdmodel", "paddle-3.3.1/jit-save/m.json"]) {
      const bytes = new Uint8Array(readFileSync(`${real}/${file}`));
      let whole = 0;
      for (let n = 0; n < bytes.length; n++) {
        try {
          deserializeProgram(bytes.subarray(0, n));
          whole++;
        } catch (error) {
          assert.ok(isPaddleError(error), `${file} cut at ${n}: ${error}`);
        }
      }
      // The block is followed by the version and the op version map: cut between them, the file is still well formed.
      assert.ok(whole <= 3, `${file}: ${whole} cuts passed`);
    }
  });
});

describe("a program of several blocks", () => {
  const prefix = `${real}/paddle-2.6.2/infer-control-flow/m`;

  it("keeps the blocks that the chosen outputs need, and every operator still refers to its own", async () => {
    const whole = await loadInferenceModel(prefix);
    const inner = (program: Program, type: string) =>
      (program.ops() as (Operator & { blocks(): number[] })[]).filter((op) => op.type === type)
        .map((op) => program.blocks[op.blocks()[0]].ops.map(({ type }) => type));
    const branches = inner(whole.program, "conditional_block"), [loop] = inner(whole.program, "while");
    // The outputs of one branch, of the other, and of the loop.
    const wanted: [output: string, branches: unknown[], loops: unknown[]][] = [
      ["_generated_var_0", [branches[0]], []],
      ["_generated_var_2", [branches[1]], []],
      [whole.fetchTargets[1].name, branches, [loop]],
    ];
    for (const [output, left, loops] of wanted) {
      const made = paddleStatic.normalizeProgram(whole.program, "x", output);
      const back = deserializeProgram(made.serialize());
      const numbers = back.blocks.map(({ idx, parentIdx }) => [idx, parentIdx]);
      assert.deepEqual(numbers, [[0, -1], [1, 0], [2, 0], [3, 0]].slice(0, 1 + left.length + loops.length), output);
      assert.deepEqual([inner(back, "conditional_block"), inner(back, "while")], [left, loops], output);
      assert.deepEqual(back.fetches().map(({ name }) => name), [output]);
    }
  });

  it("renumbers nested blocks together with the blocks around them", () => {
    const program = deserializeProgram(readFileSync(prefix + ".pdmodel")) as ProgramDesc;
    const [main, , branch, body] = program.blocks, loop = main.ops.find(({ type }) => type === "while")!;
    main.ops = main.ops.filter((op) => op !== loop);
    branch.ops = [...branch.ops, loop];
    body.parentIdx = branch.idx;
    const back = deserializeProgram(paddleStatic.normalizeProgram(program, "x", "_generated_var_2").serialize());
    assert.deepEqual(back.blocks.map(({ idx, parentIdx }) => [idx, parentIdx]), [[0, -1], [1, 0], [2, 1]]);
    assert.deepEqual(back.blocks[1].ops.at(-1)!.attributes.get("sub_block"), 2);
  });

  it("renames a variable also where attributes refer to it", () => {
    const program = deserializeProgram(readFileSync(`${real}/paddle-2.4.2/infer-attribute-variable/m.pdmodel`));
    const named = program.ops().flatMap((op) => {
      const types = ["VAR", "VARS"];
      return [...op.attributes].filter(([name]) => types.includes(op.attributeType(name)!)).flatMap(([, value]) =>
        value
      );
    }) as string[];
    assert.ok(named.length > 1);
    named.forEach((name, i) => program.vars().some((v) => v.name === name) && program.rename(name, `renamed ${i}`));
    const text = JSON.stringify(deserializeProgram(program.serialize()).ops().map((op) => [...op.attributes.values()]));
    assert.ok(text.includes('"renamed 0"'));
    for (const name of named) assert.ok(!text.includes(JSON.stringify(name)), name);
  });
});

describe("a PIR model with a persistable input", () => {
  it("is pruned and saved with its declared inputs", async () => {
    const folder = new MemoryFolder();
    const model = await loadInferenceModel(`${real}/paddle-3.3.1/infer-fed-state/m`);
    model.prune(model.fetchTargets[0]);
    assert.deepEqual(model.feedTargetNames, ["x", "h"]);
    const { program, parameters, feedTargetNames, fetchTargets } = model;
    await saveInferenceModel("m", feedTargetNames, fetchTargets, { program, parameters, folder });
    const again = await loadInferenceModel("m", { folder });
    assert.deepEqual(again.feedTargetNames, ["x", "h"]);
    assert.deepEqual([...again.parameters.keys()], [...parameters.keys()]);
  });
});

for (
  const [form, prefix] of [["the legacy form", "paddle-2.6.2/infer-several/n"], ["PIR", "paddle-3.3.1/infer-several/n"]]
) {
  describe(`a model in ${form}`, () => {
    it("is pruned to one output, without the operators, inputs and parameters that this does not need", async () => {
      const model = await loadInferenceModel(`${real}/${prefix}`);
      const before = model.program.ops().length, [first] = model.fetchTargets;
      model.prune(first);
      assert.deepEqual(model.fetchTargets.map(({ name }) => name), [first.name]);
      assert.ok(model.program.ops().length < before);
      assert.deepEqual([...model.parameters.keys()], model.program.parameters().map(({ name }) => name));
      assert.deepEqual(model.feedTargetNames, ["a"]);
      assert.deepEqual(deserializeProgram(model.program.serialize()).fetches(), model.fetchTargets);
    });

    it("renames a variable everywhere, and refuses a name that is taken", async () => {
      const model = await loadInferenceModel(`${real}/${prefix}`);
      const [first] = model.parameters.keys();
      model.rename(first, "first/renamed");
      assert.equal(JSON.stringify(model.program.ops().map((op) => [...op.inputs])).includes(`"${first}"`), false);
      assert.ok(model.program.parameters().some(({ name }) => name === "first/renamed"));
      assert.ok(model.parameters.has("first/renamed") && !model.parameters.has(first));
      assert.throws(() => model.rename("first/renamed", model.feedTargetNames[0]), { code: "NAME_COLLISION" });
      assert.throws(() => model.rename("nobody", "x"), { code: "NOT_FOUND" });
      for (const none of ["", "@EMPTY@"]) {
        assert.throws(() => model.rename("first/renamed", none), { code: "INVALID_VALUE", at: none });
      }
      assert.throws(() => model.rename("first/renamed", 5 as unknown as string), TypeError);
    });

    it("accepts another value for a parameter, if its dtype and shape are the same", async () => {
      const model = await loadInferenceModel(`${real}/${prefix}`);
      const [[name, value]] = model.parameters as Map<string, NDArray>;
      model.replace(name, new NDArray(value.dtype, value.shape));
      assert.ok((model.parameters.get(name) as NDArray).bytes.every((byte) => byte === 0));
      assert.throws(() => model.replace(name, new NDArray("float64", value.shape)), { code: "INVALID_VALUE" });
      assert.throws(() => model.replace(name, new NDArray(value.dtype, [...value.shape, 2])), {
        code: "INVALID_VALUE",
      });
      assert.throws(() => model.delete(name), { code: "INVALID_VALUE" });
    });

    it("is written with the same bytes after conversion from prefix to folder to combined file and back", async () => {
      const folder = new MemoryFolder();
      // With a folder, names refer to files in it.
      await assert.rejects(relayout(`${real}/${prefix}`, "d", { folder, layout: "folder" }), { code: "NOT_FOUND" });
      const model = await loadInferenceModel(`${real}/${prefix}`);
      await relayout(model, "d", { folder, layout: "folder" });
      await relayout("d", "c", { folder, layout: "combined" });
      await relayout({ path: "c", paramsFilename: "__params__" }, "p", { folder });
      const ending = model.program.form === "json" ? ".json" : ".pdmodel";
      for (const end of [ending, ".pdiparams"]) {
        assert.deepEqual(
          await bytesIn(folder, "p" + end),
          new Uint8Array(readFileSync(`${real}/${prefix}${end}`)),
          end,
        );
      }
    });
  });
}

describe("a model in another layout", () => {
  it("takes no names for files that the layout does not have", async () => {
    const folder = new MemoryFolder();
    const model = await loadInferenceModel(`${real}/paddle-2.6.2/jit-save/m`);
    for (
      const [layout, name] of [
        ["prefix", "modelFilename"],
        ["prefix", "paramsFilename"],
        ["folder", "paramsFilename"],
      ] as const
    ) {
      const message = new RegExp(`^Option ${name} .* layout "${layout}"`);
      await assert.rejects(relayout(model, "d", { folder, layout, [name]: "x" }), { name: "TypeError", message });
    }
    assert.deepEqual(await folder.list(), []);
  });
});

describe("a model with .pdiparams.info", () => {
  const prefix = `${real}/paddle-2.6.2/jit-save/m`;

  it("renames a parameter in the info too, so that the state dict keeps its structured name", async () => {
    const model = await loadInferenceModel(prefix), before = new Map(model.info!);
    const [key] = before.keys(), order = [...model.parameters.keys()];
    model.rename(key, "zz");
    assert.deepEqual([...model.parameters.keys()], order.map((name) => name === key ? "zz" : name));
    assert.deepEqual([...model.info!], [...before].map(([name, entry]) => [name === key ? "zz" : name, entry]));
    const folder = new MemoryFolder();
    await relayout(model, "m", { folder });
    const [was, is] = [await load(prefix), await load("m", { folder })] as Map<string, unknown>[];
    assert.deepEqual(new Set(is.keys()), new Set(was.keys()));
  });

  it("is refused when the info lacks a variable, or gives two the same structured name", async () => {
    const model = await loadInferenceModel(prefix), folder = new MemoryFolder();
    const entries = [...model.info!];
    const save = async (info: typeof entries) => {
      model.info = new Map(info);
      await relayout(model, "m", { folder });
      await load("m", { folder });
    };
    await save(entries);
    // A constant of the program is not in the state dict, so it keeps its own name.
    const [[constant, { structuredName }]] = entries;
    await save(
      entries.map(([name, entry]) => [name, name === constant ? { ...entry, structuredName: undefined } : entry]),
    );
    const state = await load("m", { folder }) as Map<string, unknown>;
    assert.deepEqual([state.has(constant), state.has(structuredName!)], [true, false]);
    await assert.rejects(save(entries.slice(1)), { code: "BAD_KEY", at: entries[0][0] });
    const twice = entries.map((
      [name, entry],
      i,
    ) => [name, i === 1 ? { ...entry, structuredName: entries[0][1].structuredName } : entry]);
    await assert.rejects(save(twice as typeof entries), { code: "NAME_COLLISION", at: entries[0][1].structuredName });
  });
});

describe("a .pdiparams.info", () => {
  const prefix = `${real}/paddle-2.6.2/jit-save/m`;
  const WRONG: [
    when: string,
    finding: string,
    change: (info: Map<unknown, unknown>, entry: Map<unknown, unknown>) => unknown,
    at?: string,
  ][] = [
    ["it is not a dict", "it is not a dict", () => [1]],
    ["a key is not a string", "a key is not a string", (info) => info.set(1, new Map())],
    ["an entry is not a dict", 'the entry of "x" is not a dict', (info) => info.set("x", 1), "x"],
    ["a structured name is not a string", "is not a string", (_, entry) => entry.set("structured_name", 1)],
    ["a stop_gradient flag is not a bool", "is not a bool", (_, entry) => entry.set("stop_gradient", 1)],
    ["a trainable flag is not a bool", "is not a bool", (_, entry) => entry.set("trainable", "yes")],
  ];
  for (const [when, finding, change, at] of WRONG) {
    it(`is refused when ${when}`, async () => {
      const folder = new MemoryFolder();
      await relayout(await loadInferenceModel(prefix), "m", { folder });
      const info = await load({ folder, name: "m.pdiparams.info" }) as Map<unknown, unknown>;
      const [[name, entry]] = info as Map<string, Map<unknown, unknown>>;
      const changed = change(info, entry);
      await save((Array.isArray(changed) ? changed : info) as never, "m.pdiparams.info", { folder });
      for (const ask of [load, jit.load, loadInferenceModel]) {
        await assert.rejects(ask("m", { folder }), (error: PaddleError) => {
          assert.deepEqual([error.code, error.at], ["BAD_FIELD", at ?? (/key|dict$/.test(finding) ? undefined : name)]);
          assert.ok(error.message.includes(finding), error.message);
          return true;
        });
      }
    });
  }
});

for (const [form, prefix] of [["the legacy form", "paddle-2.6.2/jit-save/m"], ["PIR", "paddle-3.3.1/jit-save/m"]]) {
  describe(`a parameter that no operator uses any more, in ${form}`, () => {
    it("can be deleted from program and values, unlike one in use", async () => {
      const model = await loadInferenceModel(`${real}/${prefix}`), names = [...model.parameters.keys()];
      assert.throws(() => model.delete("nobody"), { code: "NOT_FOUND", at: "nobody" });
      assert.throws(() => model.replace("nobody", new NDArray("float32", [])), { code: "NOT_FOUND", at: "nobody" });
      for (const name of names) assert.throws(() => model.delete(name), { code: "INVALID_VALUE", at: name });
      model.program = withSpare(model.program, names[0]);
      model.parameters.set("spare", model.parameters.get(names[0])!);
      if (model.program instanceof ProgramDesc) {
        const [op] = model.program.ops().filter(({ type }) => type !== "feed");
        op.setAttribute("AxisTensorList", ["spare"], "VARS");
        assert.throws(() => model.delete("spare"), { code: "INVALID_VALUE", at: "spare" });
        op.deleteAttribute("AxisTensorList");
        const [main] = model.program.blocks, { ops } = main;
        main.ops = [...ops, OpDesc.of("assign", { X: [names[0]] }, { Out: ["spare"] })];
        assert.throws(() => model.delete("spare"), { code: "INVALID_VALUE", at: "spare" });
        main.ops = ops;
      }
      const folder = new MemoryFolder();
      await relayout(model, "more", { folder, layout: "folder" });
      assert.ok((await load("more", { folder }) as Map<string, unknown>).has("spare"));
      // In PIR, an output has a name of its own, which may be the parameter's.
      const [output] = model.program.ops().filter(({ type }) => type === "pd_op.fetch");
      output?.setAttribute("name", "spare");
      const outputs = model.fetchTargets;
      model.delete("spare");
      assert.deepEqual(model.fetchTargets, outputs);
      output?.setAttribute("name", "fetch_name_0");
      assert.deepEqual([...model.parameters.keys()], names);
      await relayout(model, "m", { folder });
      const back = await loadInferenceModel("m", { folder });
      assert.deepEqual([...back.parameters.keys()], names);
      const original = deserializeProgram(readFileSync(`${real}/${prefix}${form === "PIR" ? ".json" : ".pdmodel"}`));
      assert.deepEqual(back.program.vars().map(({ name }) => name), original.vars().map(({ name }) => name));
    });
  });
}

/** The program with a second, unused parameter like this one. */
function withSpare(program: Program, like: string): Program {
  if (program instanceof ProgramDesc) {
    const [main] = program.blocks, { dtype, shape } = main.vars.find(({ name }) => name === like)!;
    const spare = VarDesc.of("spare", { kind: "dense_tensor", persistable: true });
    spare.setTensor(dtype!, shape!);
    main.vars = [...main.vars, spare];
    return deserializeProgram(program.serialize());
  }
  const json = JSON.parse(new TextDecoder().decode(program.serialize()));
  const { ops } = json.program.regions[0].blocks[0];
  const spare = structuredClone(ops.find((op: { "#": string; A: unknown[] }) => op["#"] === "p" && op.A[3] === like));
  spare.A[3] = "spare";
  spare.O["%"] = 9999;
  ops.unshift(spare);
  return deserializeProgram(new TextEncoder().encode(JSON.stringify(json)));
}

describe("relayout", () => {
  it("refuses unknown layouts, wholeFolder for a prefix, and a prefix that is empty or a folder", async () => {
    const prefix = `${real}/paddle-2.6.2/jit-save/m`, folder = new MemoryFolder();
    // deno-lint-ignore no-explicit-any
    const to = async (place: any, options: any) =>
      await relayout(await loadInferenceModel(prefix), place, { folder, ...options });
    await assert.rejects(to("m", { layout: "flat" }), {
      name: "TypeError",
      message: /"prefix", "folder" or "combined": got flat/,
    });
    await assert.rejects(to("m", { wholeFolder: true }), {
      name: "TypeError",
      message: /no meaning for the layout "prefix"/,
    });
    for (const name of ["", "old/"]) {
      await assert.rejects(to(name, {}), { code: "INVALID_VALUE", message: /ends in no name/ });
    }
    assert.deepEqual(await folder.list(), []);
  });
});

describe("a model saved with a file for each parameter", () => {
  for (const prefix of ["paddle-2.6.2/infer-several/n", "paddle-3.3.1/infer-several/n"]) {
    it(`is loaded again from its folder (${prefix})`, async () => {
      const { program, parameters, feedTargetNames, fetchTargets } = await loadInferenceModel(`${real}/${prefix}`);
      const folder = new MemoryFolder(), options = { program, parameters, folder, separateParameters: true };
      const names = await saveInferenceModel("d/m", feedTargetNames, fetchTargets, options);
      assert.ok(names.length === parameters.size + 1, names.join());
      const back = await loadInferenceModel("d", {
        folder,
        modelFilename: names.find((name) => name.startsWith("__model__")),
      });
      for (const [name, value] of parameters) {
        assert.ok((back.parameters.get(name) as DenseTensor).equals(value as DenseTensor));
      }
      assert.deepEqual([back.feedTargetNames, back.fetchTargets], [feedTargetNames, fetchTargets]);
      const same = await loadInferenceModel("d", { folder });
      assert.deepEqual([...same.parameters.keys()], [...parameters.keys()]);
    });
  }
});

describe("relayout from path to path", () => {
  it("turns a folder of Paddle 1.6 into today's two files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oarlock-relayout-"));
    try {
      const old = {
        path: `${real}/paddle-1.6.1/fluid-infer-combined/d`,
        modelFilename: "model",
        paramsFilename: "params",
      };
      assert.deepEqual(await relayout(old, join(folder, "m")), ["m.pdiparams", "m.pdmodel"]);
      const { parameters } = await loadInferenceModel(join(folder, "m"));
      const before = await loadInferenceModel(old.path, { modelFilename: "model", paramsFilename: "params" });
      assert.deepEqual([...parameters.keys()], [...before.parameters.keys()]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("an exported Layer", () => {
  for (const prefix of ["paddle-2.4.2/jit-methods/m", "paddle-3.3.1/jit-methods/m", "paddle-2.6.2/jit-save/m"]) {
    it(`is loaded and saved again with the same programs and parameters (${prefix})`, async () => {
      const layer = await jit.load(`${real}/${prefix}`);
      const folder = new MemoryFolder();
      const names = await jit.save(layer, "m", { folder, clipExtra: false });
      for (const name of names) {
        const written = await bytesIn(folder, name);
        const original = new Uint8Array(readFileSync(`${real}/${prefix.slice(0, -1)}${name}`));
        // The entries of the info are in hash order.
        if (name.endsWith(".info")) {
          assert.deepEqual(
            new Map([...(await jit.load("m", { folder })).info!].sort()),
            new Map([...layer.info!].sort()),
          );
        } else assertSame(written, original, name);
      }
      assert.ok(names.length >= 2);
    });
  }

  it("has the info that Paddle writes: the last key of a shared parameter, and no trainable flag for a buffer", async () => {
    const { programs, variables } = await jit.load(`${real}/paddle-2.6.2/jit-save/m`);
    const stateDict = new Map<string, Tensor>();
    for (const [name, value] of variables) {
      stateDict.set(`k.${name}`, Tensor.from(value, { name, stopGradient: false }));
    }
    const infoOf = async (stateDict: Map<string, Tensor>) => {
      const folder = new MemoryFolder();
      await jit.save({ programs, stateDict }, "m", { folder });
      return (await jit.load("m", { folder })).info!;
    };
    const [[key, first], [buffer, second]] = stateDict;
    for (const { trainable } of (await infoOf(stateDict)).values()) assert.equal(trainable, true);
    const parameter = new nn.Parameter(first.dtype, first.shape, first.bytes, { name: first.name });
    const info = await infoOf(new Map([...stateDict, [key, parameter], ["again", parameter]]));
    assert.deepEqual(info.get(first.name), { structuredName: "again", stopGradient: false, trainable: true });
    const { name } = second;
    assert.deepEqual(info.get(name), { structuredName: buffer, stopGradient: false, trainable: undefined });
    const program = ProgramDesc.of(2_006_002), folder = new MemoryFolder();
    assert.deepEqual(await jit.save({ programs: { forward: program }, stateDict: {} }, "m", { folder }), ["m.pdmodel"]);
  });

  it("may have the parameters of all methods in one file, and properties beside them", async () => {
    const layer = await jit.load(`${real}/paddle-2.4.2/jit-combine/prop`);
    assert.ok(layer.properties.size > 0);
    const folder = new MemoryFolder();
    await jit.save(layer, "m", { folder, combineParams: true });
    const back = await jit.load("m", { folder });
    assert.deepEqual(back.properties, layer.properties);
    assert.ok([...layer.properties.values()].some((value) => value instanceof Float));
  });
});

describe("the functions of Paddle 1.x", () => {
  it("save and load variables as one file each, or all in one file", async () => {
    const { program, parameters } = await loadInferenceModel(`${real}/paddle-1.8.5/fluid-slash-names/f`);
    const folder = new MemoryFolder();
    await fluid.io.savePersistables("a", { mainProgram: program, parameters, folder });
    assert.deepEqual((await folder.list("a/")).map((name) => name.slice(2)), [...parameters.keys()]);
    await fluid.io.savePersistables("b", { mainProgram: program, parameters, folder, filename: "all" });
    for (const options of [{ mainProgram: program, folder }, { mainProgram: program, folder, filename: "all" }]) {
      const values = await fluid.io.loadPersistables("filename" in options ? "b" : "a", options);
      for (const [name, value] of parameters) {
        assert.ok((values.get(name) as DenseTensor).equals(value as DenseTensor), name);
      }
    }
  });

  it("save and load the Parameters only, the given variables, or those that a predicate selects", async () => {
    const prefix = `${real}/paddle-2.6.2/static-save/m`;
    const mainProgram = deserializeProgram(readFileSync(prefix + ".pdmodel"));
    const parameters = await paddleStatic.loadProgramState(prefix);
    const all = mainProgram.parameters(), own = all.filter(({ isParameter }) => isParameter);
    assert.ok(own.length > 0 && own.length < all.length);
    const names = (variables: readonly { name: string }[]) => variables.map(({ name }) => name).sort();
    const folder = new MemoryFolder();
    for (const filename of [undefined, "all"]) {
      const options = { mainProgram, parameters, folder, filename };
      const written = await fluid.io.saveParams("p", options);
      assert.deepEqual(written.toSorted(), filename ? [filename] : names(own));
      const back = await fluid.io.loadParams("p", { mainProgram, folder, filename });
      assert.deepEqual([...back.keys()], names(own));
      for (const [name, value] of back) assert.ok((value as DenseTensor).equals(parameters.get(name)!), name);

      const predicate = ({ name }: { name: string }) => name.endsWith("moment1_0");
      const chosen = names(all.filter(predicate));
      await fluid.io.saveVars("v", { ...options, predicate });
      assert.deepEqual(
        [...(await fluid.io.loadVars("v", { mainProgram, folder, filename, predicate })).keys()],
        chosen,
      );
      await fluid.io.saveVars("w", {
        parameters,
        folder,
        filename,
        vars: own.slice(0, 2),
        predicate: (v) => v !== own[0],
      });
      assert.deepEqual([...(await fluid.io.loadVars("w", { folder, filename, vars: own.slice(1, 2) })).keys()], [
        own[1].name,
      ]);
    }
    await assert.rejects(fluid.io.loadParams("v", { mainProgram, folder }), { code: "MISSING_PART" });
    await assert.rejects(fluid.io.loadVars("v", { folder }), { name: "TypeError", message: /mainProgram or vars/ });
    const bare = ["w", "b"] as unknown as ProgramVariable[];
    await assert.rejects(fluid.io.loadVars("v", { folder, vars: bare }), { name: "TypeError", message: /vars must/ });
    parameters.delete(own[0].name);
    await assert.rejects(fluid.io.saveParams("n", { mainProgram, parameters, folder }), { at: own[0].name });
    assert.deepEqual(await folder.list("n"), []);
  });

  it("refuse variable names that cannot coexist in a folder", async () => {
    const { program, parameters } = await loadInferenceModel(`${real}/paddle-1.8.5/fluid-infer-separate/d`);
    const [first, second] = [...parameters.keys()];
    const TWINS = [["w", "W"], ["w", "w/b"], ["w/b", "w"], ["w/b", "W"], ["W/b", "w"], ["é", "e\u0301"]];
    // Names whose letters have the same capital are also one name on some systems.
    TWINS.push(["σ", "ς"], ["ſ", "S"], ["\u212a", "k"], ["É/x", "e\u0301"]);
    for (const [a, b] of TWINS) {
      const mainProgram = program.clone(), folder = new MemoryFolder();
      mainProgram.rename(first, a);
      mainProgram.rename(second, b);
      const scope = new Map(
        [...parameters].map(([name, value]) => [name === first ? a : name === second ? b : name, value]),
      );
      const save = (options: object) =>
        fluid.io.savePersistables("a", { mainProgram, parameters: scope, folder, ...options });
      await assert.rejects(save({}), { code: "NAME_COLLISION" }, `${a} ${b}`);
      assert.deepEqual(await folder.list(), []);
      await save({ filename: "all" });
    }
  });

  for (
    const [what, odd] of [
      ["would leave the folder", "../outside"],
      ["no reader sees, as they are those of temporary files", ".w.0123456789abcdef.pdtmp"],
      ["lie in such a folder", ".w.0123456789abcdef.pdtmp/w"],
    ]
  ) {
    it(`refuse names that ${what}, before anything is written`, async () => {
      const { program, parameters } = await loadInferenceModel(`${real}/paddle-1.8.5/fluid-infer-separate/d`);
      const [first] = parameters.keys();
      program.rename(first, odd);
      const values = new Map([...parameters].map(([name, value]) => [name === first ? odd : name, value]));
      const folder = new MemoryFolder();
      for (const portable of [true, false]) {
        const saving = fluid.io.savePersistables("a", { mainProgram: program, parameters: values, folder, portable });
        await assert.rejects(saving, { code: "UNSAFE_PATH" });
      }
      assert.deepEqual(await folder.list(), []);
    });
  }

  it("have names that only this system allows, if portable is false", () =>
    inTempFolder(async (path) => {
      const { program, parameters } = await loadInferenceModel(`${real}/paddle-1.8.5/fluid-infer-separate/d`);
      const [first] = parameters.keys(), odd = "0:encoder|w";
      program.rename(first, odd);
      const values = new Map([...parameters].map(([name, value]) => [name === first ? odd : name, value]));
      const model = new paddleStatic.InferenceModel(program, values);
      for (const wholeFolder of [false, true]) {
        const vars = join(path, "vars"), layout = { layout: "folder", wholeFolder } as const;
        const save = (portable?: boolean) =>
          fluid.io.savePersistables(vars, { mainProgram: program, parameters: values, wholeFolder, portable });
        await assert.rejects(save(), { code: "UNSAFE_PATH" });
        await save(false);
        assert.ok((await load(vars) as Map<string, unknown>).has(odd));
        await assert.rejects(relayout(model, join(path, "model"), layout), { code: "UNSAFE_PATH" });
        await relayout(model, join(path, "model"), { ...layout, portable: false });
        assert.ok((await loadInferenceModel(join(path, "model"))).parameters.has(odd));
      }
      const names = program.feeds().map(({ name }) => name), targets = program.fetches();
      const options = { parameters: values, portable: false };
      await fluid.io.saveInferenceModel(join(path, "1x"), names, targets, { mainProgram: program, ...options });
      await saveInferenceModel(join(path, "2x/m"), names, targets, { program, separateParameters: true, ...options });
      for (const name of ["1x", "2x"]) assert.ok((await loadInferenceModel(join(path, name))).parameters.has(odd));
    }));

  it("export a model as a folder that can be loaded again", async () => {
    const { program, parameters, feedTargetNames, fetchTargets } = await loadInferenceModel(
      `${real}/paddle-2.6.2/infer-several/n`,
    );
    const folder = new MemoryFolder();
    await fluid.io.saveInferenceModel("d", feedTargetNames, fetchTargets, { mainProgram: program, parameters, folder });
    const back = await fluid.io.loadInferenceModel({ folder, name: "d" });
    assert.deepEqual(back.feedTargetNames, feedTargetNames);
    assert.deepEqual([...back.parameters.keys()], [...parameters.keys()]);
  });
});

describe("a variable of SelectedRows", () => {
  it("is read and written in a file of its own, and refused in a combined one", async () => {
    const program = deserializeProgram(readFileSync(`${real}/paddle-2.6.2/infer-several/n.pdmodel`));
    const [first] = program.parameters();
    const rows = new SelectedRows([1, 4], 9, new NDArray("float32", [2, 3]).fill(2));
    const folder = new MemoryFolder();
    const bytes = withRows(program.serialize(), first.name);
    const parameters = new Map(
      program.parameters().map(({ name, dtype, shape }) => {
        return [name, name === first.name ? rows : new NDArray(dtype!, shape!)];
      }),
    );
    const model = new paddleStatic.InferenceModel(deserializeProgram(bytes), parameters);
    await relayout(model, "d", { folder, layout: "folder" });
    const back = (await loadInferenceModel({ folder, name: "d" })).parameters.get(first.name) as SelectedRows;
    assert.deepEqual([back.rows, back.height, back.value.shape], [[1, 4], 9, [2, 3]]);
    assert.ok(back.value.equals(rows.value));
    assert.ok((await load("d", { folder }) as Map<string, unknown>).get(first.name) instanceof SelectedRows);
    for (const layout of ["prefix", "combined"] as const) {
      await assert.rejects(relayout(model, "m", { folder, layout }), { code: "INVALID_VALUE", at: first.name });
    }
    // A complete tensor in that file comes from another save.
    await save(new NDArray("float32", [2, 3]), `d/${first.name}`, { folder, useBinaryFormat: true });
    await assert.rejects(loadInferenceModel({ folder, name: "d" }), { code: "WRONG_FORMAT" });
  });
});

/** The program with a variable turned into SelectedRows: field 1 of its type is 8 instead of 7. */
function withRows(bytes: Uint8Array, name: string): Uint8Array {
  const made = bytes.slice();
  const key = new TextEncoder().encode(`${name}\x12`);
  const at = made.findIndex((_, i) => key.every((byte, k) => made[i + k] === byte)) + key.length + 1;
  assert.deepEqual([...made.subarray(at, at + 2)], [0x08, 0x07]);
  made[at + 1] = 8;
  return made;
}

describe("a training program", () => {
  for (const prefix of ["paddle-2.6.2/static-save/m", "paddle-3.3.1/static-save/m"]) {
    it(`is saved with its state and loaded again (${prefix})`, async () => {
      const state = await paddleStatic.loadProgramState(`${real}/${prefix}`);
      const ending = prefix.includes("3.3") ? ".json" : ".pdmodel";
      const program = deserializeProgram(readFileSync(`${real}/${prefix}${ending}`));
      const folder = new MemoryFolder();
      await paddleStatic.save(program, "m", { parameters: state, folder });
      assert.deepEqual(await bytesIn(folder, "m" + ending), new Uint8Array(readFileSync(`${real}/${prefix}${ending}`)));
      const back = await paddleStatic.load(program, { folder, name: "m" });
      for (const { name } of program.parameters()) assert.ok(back.get(name)!.equals(state.get(name)!), name);
      assert.ok((await paddleStatic.loadProgramState({ folder, name: "m" })).size === state.size);
    });
  }

  it("is loaded again if an input is marked as persistable, whose value Paddle does not save either", async () => {
    const prefix = `${real}/paddle-2.6.2/static-save/m`, folder = new MemoryFolder();
    const parameters = await paddleStatic.loadProgramState(prefix);
    const program = deserializeProgram(readFileSync(prefix + ".pdmodel")) as ProgramDesc;
    program.vars().find((variable) => variable.needCheckFeed)!.persistable = true;
    await paddleStatic.save(program, "m", { parameters, folder });
    const back = await paddleStatic.load(program, { folder, name: "m" });
    assert.deepEqual([...back.keys()].sort(), [...parameters.keys()].sort());
  });

  it("warns about thousands of entries in one line", () => {
    const program = deserializeProgram(readFileSync(`${real}/paddle-2.6.2/static-save/m.pdmodel`));
    const state = new Map(Array.from({ length: 5000 }, (_, i) => [`v${i}`, new NDArray("float32", [1])]));
    const warnings: string[] = [];
    paddleStatic.setProgramState(program, state, { onWarning: ({ message }) => void warnings.push(message) });
    assert.deepEqual(warnings, ['The program has no variables "v0", "v1", "v2", "v3", "v4" and 4995 more']);
  });

  it("uses the entries of a state that it has variables for, and warns about the others", async () => {
    const prefix = `${real}/paddle-2.6.2/static-save/m`;
    const state = await paddleStatic.loadProgramState(prefix);
    const program = deserializeProgram(readFileSync(prefix + ".pdmodel")), [first, second] = program.parameters();
    const some = new Map([["nobody", state.get(first.name)!], [first.name, state.get(first.name)!]]);
    const warnings: string[] = [];
    const values = paddleStatic.setProgramState(program, some, {
      onWarning: ({ code, message }) => void warnings.push(`${code} ${message}`),
    });
    assert.deepEqual([...values.keys()], [first.name]);
    assert.deepEqual(warnings, ['UNUSED_STATE The program has no variables "nobody"']);
    assert.throws(() => paddleStatic.setProgramState(program, some, { variables: [first, second] }), {
      code: "INVALID_VALUE",
      at: second.name,
    });
    const folder = new MemoryFolder();
    const rows = new Map<string, NDArray | SelectedRows>(state);
    rows.set(first.name, new SelectedRows([0], 4, state.get(first.name)!));
    await assert.rejects(paddleStatic.save(program, "m", { parameters: rows, folder }), { at: first.name });
    await assert.rejects(paddleStatic.save(program, "", { parameters: state, folder }), TypeError);
    assert.deepEqual(await folder.list(), []);
  });

  it("is loaded from a folder that has files for some of its variables, as saveParams writes them, with a warning", async () => {
    const prefix = `${real}/paddle-2.6.2/static-save/m`, folder = new MemoryFolder();
    const program = deserializeProgram(readFileSync(prefix + ".pdmodel"));
    const parameters = await paddleStatic.loadProgramState(prefix);
    const names = await fluid.io.saveParams("p", { mainProgram: program, parameters, folder });
    const warnings: string[] = [];
    const onWarning = ({ code, message }: { code: string; message: string }) =>
      void warnings.push(`${code} ${message}`);
    const values = await paddleStatic.load(program, "p", { folder, onWarning });
    assert.deepEqual([...values.keys()], names);
    assert.match(
      warnings.join(),
      /^MISSING_PART There are no files for the variables "batch_norm_0.b_0_beta1_pow_acc_0", [^/]* and \d+ more$/,
    );
    const varList = program.parameters();
    await assert.rejects(paddleStatic.load(program, "p", { folder, varList }), { code: "MISSING_PART" });
    await assert.rejects(paddleStatic.loadProgramState("p", { folder, varList }), { code: "MISSING_PART" });
    for (const name of names) await folder.delete("p/" + name);
    await folder.put("p/other").then((sink) => sink.close());
    await assert.rejects(paddleStatic.load(program, "p", { folder }), { code: "MISSING_PART" });
  });

  it("refuses a state with another shape, naming the variable", async () => {
    const prefix = `${real}/paddle-2.6.2/static-save/m`;
    const state = await paddleStatic.loadProgramState(prefix);
    const program = deserializeProgram(readFileSync(prefix + ".pdmodel"));
    state.set("fc_0.w_0", new NDArray("float32", [1, 1]));
    assert.throws(() => paddleStatic.setProgramState(program, state), { code: "INVALID_VALUE", at: "fc_0.w_0" });
  });
});
