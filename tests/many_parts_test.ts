import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  decode,
  DenseTensor,
  encode,
  jit,
  MemoryFolder,
  static as staticGraph,
  Tensor,
  type Warning,
} from "../mod.ts";
import { fetchOpsInSteps } from "../src/codec/pir/fetch_op.ts";
import { OpDesc } from "../src/codec/program/op_desc.ts";
import { ProgramDesc } from "../src/codec/program/program_desc.ts";
import { VarDesc } from "../src/codec/program/var_desc.ts";
import { PirProgram } from "../src/codec/pir/pir_program.ts";
import { serializeInSteps } from "../src/model/encode_program.ts";
import { usesInSteps } from "../src/model/recover.ts";
import { atOnce } from "../src/words/steps.ts";
import { takesLittle, timeOf } from "./helpers/soon.ts";

/** More than any engine accepts as function arguments. */
const MANY = 200_000;

function programOf(ops: string[]): PirProgram {
  const text = '{"base_code":{"magic":"pir","trainable":true,"version":1},"program":{"regions":[{"#":"r","blocks":[' +
    `{"#":"b","args":[],"ops":[${ops.join(",")}]}]}]}}`;
  return PirProgram.parse(new TextEncoder().encode(text));
}

const result = (id: number) => `{"%":${id},"TT":{"#":"0.t_dtensor","D":[{"#":"0.t_f32"},[-1,3],"NCHW",[],0]}}`;
const opOf = (inputs: string, outputs: string) => `{"#":"1.add_n","A":[],"I":[${inputs}],"O":[${outputs}]}`;
const list = (item: (i: number) => string) => Array.from({ length: MANY }, (_, i) => item(i)).join(",");

describe("a file of more parts than a call takes arguments", () => {
  it("may have a name table of missing keys: load and audit report the first hundred and how many more", async () => {
    const names = new Map(Array.from({ length: MANY }, (_, i) => [`m${i}`, `n${i}`]));
    const state = new Map<string, unknown>([["w", new Tensor("float32", [1])], ["StructuredToParameterName@@", names]]);
    const bytes = encode(state, { mode: "static" });
    const warnings: Warning[] = [];
    decode(bytes, { onWarning: (warning) => warnings.push(warning) });
    assert.deepEqual([...new Set(warnings.map(({ code }) => code))], ["MISSING_KEY"]);
    assert.equal(warnings.length, 101);
    assert.match(warnings[99].message, /"m99"/);
    assert.match(warnings[100].message, new RegExp(`${MANY - 100} more`));
    const report = await audit(bytes);
    assert.equal(report.ok, true);
    assert.deepEqual(report.warnings, warnings);
  });

  it("may have a hundred missing keys, each reported by itself", () => {
    const names = new Map(Array.from({ length: 100 }, (_, i) => [`m${i}`, `n${i}`]));
    const bytes = encode(new Map([["StructuredToParameterName@@", names]]), { mode: "static" });
    const warnings: Warning[] = [];
    decode(bytes, { onWarning: (warning) => warnings.push(warning) });
    assert.equal(warnings.length, 100);
  });

  it("may have a tensor with that many offsets in a LoD level", () => {
    const lod = [Array.from({ length: MANY }, (_, i) => i)];
    const tensor = new DenseTensor("uint8", [MANY - 1], undefined, { lod });
    const bytes = encode(tensor, { useBinaryFormat: true });
    assert.deepEqual((decode(bytes, { mode: "static" }) as DenseTensor).lod, lod);
  });

  it("may have an operator with that many inputs or outputs, which can be pruned and fetched", () => {
    const reads = programOf([opOf("", result(1)), opOf(list(() => '{"%":1}'), result(2))]);
    const [, last] = reads.vars();
    assert.equal(staticGraph.normalizeProgram(reads, [], [last]).ops().length, 3);
    const makes = programOf([opOf("", list((i) => result(i + 1)))]);
    makes.append(atOnce(fetchOpsInSteps(makes.ops(), [{ name: "out", id: 1 }], makes.trainable)));
    assert.equal(makes.fetches().length, 1);
    assert.ok(makes.ops()[1].results[0].id === MANY + 1);
  });

  it("may have thousands of inputs and outputs, which are not searched for each of them", async () => {
    const count = 3000;
    const data = (i: number) =>
      `{"#":"1.data","A":[{"N":"name","AT":{"#":"0.a_str","D":"in${i}"}}],"I":[],"O":[${result(i)}]}`;
    const program = programOf(
      Array.from({ length: count }, (_, i) => [data(i + 1), opOf(`{"%":${i + 1}}`, result(count + i + 1))]).flat(),
    );
    const inputs = Array.from({ length: count }, (_, i) => `in${i + 1}`);
    const outputs = inputs.map((_, i) => `%${count + i + 1}`);
    const normal = staticGraph.normalizeProgram(program, inputs, outputs);
    assert.deepEqual(normal.feeds().map(({ name }) => name), inputs);
    assert.deepEqual(normal.fetches().map(({ name }) => name), outputs.map((_, i) => `fetch_name_${i}`));
    await takesLittle("it", () => timeOf(() => staticGraph.normalizeProgram(program, inputs, outputs)), 2000);
  });

  it("may have thousands of inputs and outputs in the legacy form, none of which is searched for alone", async () => {
    const made = ProgramDesc.of(2_006_002), [block] = made.blocks;
    const inputs = Array.from({ length: 10_000 }, (_, i) => `x${i}`);
    block.vars = inputs.map((name) => VarDesc.of(name, { shape: [1] }));
    for (const name of inputs) {
      block.ops.push(OpDesc.of("feed", { X: ["feed"] }, { Out: [name] }));
      block.ops.push(OpDesc.of("fetch", { X: [name] }, { Out: ["fetch"] }));
    }
    const bytes = made.serialize();
    const ports = () => {
      const program = staticGraph.deserializeProgram(bytes);
      return [program.feeds(), program.fetches()].map((found) => found.map(({ name }) => name));
    };
    assert.deepEqual(ports(), [inputs, inputs]);
    await takesLittle("it", () => timeOf(ports), 800);
  });

  it("may have an operator that repeats a slot thousands of times: joining the names takes no time", async () => {
    const count = 40_000, program = ProgramDesc.of(2_006_002), [block] = program.blocks;
    const op = OpDesc.of("sum", { X: ["a"] }, {}).serialize(), slot = op.subarray(0, 8);
    block.ops.push(new OpDesc(Uint8Array.from([...Array(count).fill([...slot]).flat(), ...op])));
    const inputs = () => staticGraph.deserializeProgram(program.serialize()).ops()[0].inputs;
    assert.deepEqual([...inputs()], [["X", Array(count + 1).fill("a")]]);
    await takesLittle("it", () => timeOf(inputs), 500);
  });

  it("may have thousands of parameters, for each of which jit.load does not search the program", async () => {
    const names = Array.from({ length: 4000 }, (_, i) => `w${i}`);
    const declared = names.map((name, i) =>
      `{"#":"p","A":[1,0,1,"${name}"],"O":${result(i + 1).replace("-1,3", "1,3")},"OA":[1,1,1]}`
    );
    const program = programOf([
      ...declared,
      ...names.map((_, i) => opOf(`{"%":${i + 1}}`, result(names.length + i + 1))),
    ]);
    const folder = new MemoryFolder();
    const stateDict = new Map(names.map((name) => [name, new Tensor("float32", [1, 3], undefined, { name })]));
    await jit.save({ programs: { forward: program }, stateDict }, "m", { folder });
    const layer = await jit.load("m", { folder });
    assert.equal(layer.stateDict().size, names.length);
    await takesLittle("it", () => timeOf(() => jit.load("m", { folder })), 1000);
  });

  it("may have thousands of operators, which are written and searched for what they read with pauses", () => {
    const count = 20_000;
    const program = programOf(Array.from({ length: count }, (_, i) => opOf(`{"%":${i}}`, result(i + 1))));
    program.isReadable = true;
    const pauses = (steps: Iterator<void>) => {
      let n = 0;
      while (!steps.next().done) n++;
      return n;
    };
    assert.ok(pauses(program.serializeInSteps()) >= 10);
    assert.ok(pauses(usesInSteps([program], [])) >= 10);
    assert.ok(pauses(program.filterOpsInSteps(() => true)) >= 10);
    assert.ok(pauses(fetchOpsInSteps(program.ops(), [], true)) >= 1);
    assert.ok(pauses(program.dropTrainingInSteps()) >= 1);
    const changed = program.serializeInSteps();
    changed.next();
    program.ops()[0].setAttribute("x", 1);
    assert.throws(() => changed.next(), { name: "SourceError", code: "SOURCE_CHANGED" });
    assert.equal(PirProgram.parse(program.serialize()).ops()[0].attributes.get("x"), 1);
  });

  it("may have thousands of variables and operators, and is not saved as a mixture if it is changed meanwhile", () => {
    const program = ProgramDesc.of(2_006_002), [block] = program.blocks;
    block.vars = Array.from({ length: 1000 }, (_, i) => VarDesc.of(`x${i}`));
    block.ops = Array.from({ length: 1000 }, (_, i) => OpDesc.of("relu", { X: [`x${i}`] }, { Out: [`x${i}`] }));
    const begun = () => {
      const steps = serializeInSteps(program);
      assert.equal(steps.next().done, false);
      return steps;
    };
    const changes = [
      () => program.ops()[0].setAttribute("x", 1),
      () => program.rename("x0", "y0"),
      () => block.ops = block.ops.slice(1),
      () => block.vars = [...block.vars, VarDesc.of("z")],
      () => block.ops = [...block.ops, OpDesc.of("relu", { X: ["x1"] }, { Out: ["x1"] })],
    ];
    for (const change of changes) {
      const steps = begun();
      change();
      assert.throws(() => atOnce(steps), { name: "SourceError", code: "SOURCE_CHANGED" });
    }
    const steps = begun();
    assert.equal(program.variable("y0")?.name, "y0");
    assert.deepEqual(atOnce(steps), program.serialize());
  });

  it("is not decoded by a save if nobody looked at it", () => {
    const program = ProgramDesc.of(2_006_002);
    program.blocks[0].ops = [OpDesc.of("relu", { X: ["x"] }, { Out: ["x"] })];
    const read = ProgramDesc.parse(program.serialize());
    assert.deepEqual(atOnce(serializeInSteps(read)), program.serialize());
    assert.equal(read.blocks[0].isDecoded, false);
  });
});
