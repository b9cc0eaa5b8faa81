/** How the hostile corpus calls readers of programs and models, and what it compares. */
import { readFileSync } from "node:fs";
import { type AttributeValue, Complex, Float, jit, load, type Program, static as paddleStatic } from "../../mod.ts";
import { PirProgram } from "../../src/codec/pir/pir_program.ts";
import { resolveLimits } from "../../src/limits.ts";
import { describe } from "../real/describe.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** The result of each call as data; `wanted` are the acceptable values. */
export const CALLS: Record<string, (path: string, options: Json, wanted: Json[]) => Json | Promise<Json>> = {
  program: (path, { limits }, wanted) => shown(paddleStatic.deserializeProgram(readFileSync(path), { limits }), wanted),
  pir: (path, { limits }, wanted) => shown(PirProgram.parse(readFileSync(path), resolveLimits(limits)), wanted),
  folder: async (path, options) => describe(await load(path, { ...options, returnNumpy: true })),
  async model(path, options) {
    const { parameters } = await paddleStatic.loadInferenceModel(path, options);
    await agree(path, options, parameters);
    return params(parameters);
  },
  folder1x: async (path, options) => params((await paddleStatic.loadInferenceModel(path, options)).parameters),
  jit: async (path, options) => params((await jit.load(path, options)).variables),
};

/** Check that `load` of the same prefix gives the same names. */
async function agree(path: string, options: Json, parameters: ReadonlyMap<string, unknown>): Promise<void> {
  const loaded = await load(path, { ...options, mode: "static" }) as Map<string, unknown>;
  if (String([...loaded.keys()]) !== String([...parameters.keys()])) {
    throw new Error(`load answers ${[...loaded.keys()]}`);
  }
}

function params(variables: ReadonlyMap<string, unknown>): Json {
  return { params: describe(new Map(variables)) };
}

function shown(read: Program, wanted: Json[]): Json {
  const like = wanted.map((value) => value?.program ?? value?.pir).filter(Boolean);
  const whole = read instanceof PirProgram ? pir(read) : desc(read);
  // Only the fields that an answer has are compared.
  const fields = new Set(like.flatMap((fields) => Object.keys(fields)));
  const picked = Object.fromEntries(Object.entries(whole).filter(([field]) => fields.has(field)));
  return read instanceof PirProgram ? { pir: picked } : { program: picked };
}

function desc({ blocks, version }: Program): Json {
  const [first] = blocks;
  const attrs = [...first.ops[0]?.attributes ?? []].map(([name, value]) => {
    return [name, [NUMBERS.indexOf(first.ops[0].attributeType(name)!), plain(value)]];
  });
  return {
    blocks: blocks.length,
    parent_idx: blocks.map((block) => block.parentIdx),
    vars: first.vars.map(({ name }) => name),
    ops: first.ops.map(({ type }) => type),
    version,
    attrs: Object.fromEntries(attrs),
  };
}

const NUMBERS = [
  ..."INT FLOAT STRING INTS FLOATS STRINGS BOOLEAN BOOLEANS BLOCK LONG BLOCKS LONGS FLOAT64S VAR VARS FLOAT64".split(
    " ",
  ),
  "SCALAR",
  "SCALARS",
];

function pir(program: PirProgram): Json {
  const ops: Record<string, number> = {};
  for (const { type } of program.ops()) ops[type] = (ops[type] ?? 0) + 1;
  const parameters = program.ops().filter((op) => op.type === "builtin.parameter");
  return {
    version: program.version,
    trainable: program.trainable,
    parameters: parameters.map((op) => [op.name, op.results[0].type.dtype, op.results[0].type.shape]),
    ops,
  };
}

function plain(value: AttributeValue): Json {
  if (value instanceof Float) return describe(value.value);
  if (value instanceof Complex || !Array.isArray(value)) return describe(value);
  return { list: value.map(plain) };
}
