/** Results of calls that have their own form in expect.json: inference models, exported Layers, programs. */
import { createHash } from "node:crypto";
import { type AttributeValue, Complex, Float, jit, type Operator, Program } from "../../mod.ts";
import { ProgramDesc } from "../../src/codec/program/program_desc.ts";
import type { VarDesc } from "../../src/codec/program/var_desc.ts";
import { ANY, describe, expected } from "./describe.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const DESC = new Set(["ProgramDesc.ParseFromString", "paddle.static.deserialize_program"]);

/** Our result of `call`, as data. */
export function describeAnswer(call: string, value: Json): Json {
  if (call.endsWith("load_inference_model")) {
    const parameters = [...value.parameters].map(([name, tensor]) => [name, describe(tensor)]);
    return {
      feed_names: value.feedTargetNames,
      fetch_targets: value.fetchTargets.map((port: Json) => ({ ...port, shape: [...port.shape] })),
      parameters: parameters.sort(([a], [b]) => (a < b ? -1 : 1)),
    };
  }
  if (value instanceof jit.TranslatedLayer) return { state_dict: describe(value.stateDict()) };
  if (call === "core.deserialize_pir_program") return { ops: value.ops().map((op: Operator) => op.type) };
  if (value instanceof Program && DESC.has(call)) return value instanceof ProgramDesc ? desc(value) : ANY;
  return describe(value);
}

/** Paddle's result, without what does not matter. */
export function expectedAnswer(call: string, answer: Json): Json {
  if (call.endsWith("load_inference_model")) {
    return {
      feed_names: answer.feed_names,
      fetch_targets: answer.fetch_targets.map(({ name, shape, dtype }: Json) => {
        return { name: name ?? ANY, shape: shape ?? ANY, dtype: dtypeOf(dtype) };
      }),
      parameters: answer.parameters.map(([name, value]: Json) => [name, value === null ? ANY : expected(value)]).sort((
        [a]: Json,
        [b]: Json,
      ) => (a < b ? -1 : 1)),
    };
  }
  if (call === "paddle.jit.load") {
    const { state_dict } = Object.fromEntries(answer.dict);
    // The names of these Tensors are internal to Paddle.
    const pairs = state_dict.OrderedDict.map((
      [key, { Tensor }]: Json,
    ) => [key, expected({ Tensor: { ...Tensor, name: null } })]);
    return { state_dict: { OrderedDict: pairs } };
  }
  if (call === "core.deserialize_pir_program") return { ops: answer.list };
  if (DESC.has(call)) return answer.pir ? ANY : expectedDesc(answer);
  return expected(answer);
}

/** `paddle.float32`, `VarType.FP32` or a number, by version. */
function dtypeOf(dtype: Json): Json {
  if (dtype === undefined || dtype === null) return ANY;
  return word(String(dtype).replace(/^(paddle|VarType)\./, ""));
}

const DEFAULTS: Record<string, string> = {
  op_namescope: '"/"',
  op_role: "0",
  op_role_var: "[]",
  op_device: '""',
  with_quant_attr: "false",
};

function desc(program: ProgramDesc): Json {
  const bytes = program.serialize();
  const blocks = program.blocks.map(({ idx, parentIdx, vars, ops }) => ({
    idx,
    parent_idx: parentIdx,
    vars: vars.map(variable),
    ops: ops.map((op) => ({
      type: op.type,
      inputs: Object.fromEntries(op.inputs),
      outputs: Object.fromEntries(op.outputs),
      attrs: Object.fromEntries([...op.attributes].flatMap(([name, value]) => attribute(op, name, value))),
    })),
  }));
  const { opVersions, opCompatible } = program;
  return {
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    version: program.version,
    blocks,
    ...(opVersions.size > 0 && { op_versions: opVersions.size }),
    ...(opCompatible.size > 0 &&
      { op_compatible: { default_required_version: program.defaultRequiredVersion, pairs: opCompatible.size } }),
  };
}

/** Paddle's names for kinds and dtypes of variables in these results. */
const KINDS: Record<string, string> = {
  LOD_TENSOR: "dense_tensor",
  DENSE_TENSOR: "dense_tensor",
  LOD_TENSOR_ARRAY: "dense_tensor_array",
  DENSE_TENSOR_ARRAY: "dense_tensor_array",
  BF16: "bfloat16",
  FP8_E4M3FN: "float8_e4m3fn",
  FP8_E5M2: "float8_e5m2",
};
const word = (name: string) => KINDS[name] ?? name.replace(/^FP/, "float").toLowerCase();

function expectedDesc(answer: Json): Json {
  const blocks = answer.blocks.map((block: Json) => ({
    ...block,
    vars: block.vars.map((v: Json) => ({ ...v, type: word(v.type), ...(v.dtype && { dtype: word(v.dtype) }) })),
  }));
  return { ...answer, blocks: JSON.parse(JSON.stringify(blocks), plainScalar) };
}

/** Unwraps members of a list of Scalars, which are recorded as `{ FLOAT64: 2.5 }`. */
function plainScalar(_key: string, value: Json): Json {
  const keys = value && typeof value === "object" ? Object.keys(value) : [];
  return keys.length === 1 && ["FLOAT64", "LONG", "BOOLEAN"].includes(keys[0]) ? value[keys[0]] : value;
}

function variable(v: VarDesc): Json {
  const made: Json = { name: v.name, type: v.kind };
  if (v.dtype && v.shape) Object.assign(made, { dtype: v.dtype, shape: [...v.shape] });
  if (v.lodLevel > 0) made.lod_level = v.lodLevel;
  if (v.persistable) made.persistable = true;
  if (v.needCheckFeed) made.need_check_feed = true;
  if (v.isParameter) made.is_parameter = true;
  if (v.stopGradient) made.stop_gradient = true;
  return made;
}

function attribute(op: Operator, name: string, value: AttributeValue): [string, Json][] {
  if (DEFAULTS[name] === JSON.stringify(value)) return [];
  if (name === "op_callstack") return [[name, ["STRINGS", { lines: (value as string[]).length }]]];
  return [[name, [op.attributeType(name), plain(value)]]];
}

function plain(value: AttributeValue): Json {
  if (value instanceof Float) return plain(value.value);
  if (value instanceof Complex) return { complex: [value.re, value.im] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "number" && !Number.isFinite(value)) {
    return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  return typeof value === "bigint" ? String(value) : value;
}
