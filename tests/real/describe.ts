/** Values in the form of expect.json, which holds real Paddle's answers as data. */
import { createHash } from "node:crypto";
import {
  ByteArray,
  Complex,
  DefaultDict,
  DenseTensor,
  FrozenSet,
  NDArray,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  Program,
  PythonRecord,
  SelectedRows,
  Tensor,
  Tuple,
} from "../../mod.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

function number(x: number): number | string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  return Object.is(x, -0) ? "-0.0" : x;
}

function array(a: NDArray): Json {
  return { dtype: a.dtype, shape: [...a.shape], sha256: createHash("sha256").update(a.bytes).digest("hex") };
}

/** Our value as data. JavaScript has a single number type, so ints and floats both become `num`. */
export function describe(v: unknown): Json {
  if (v === null || typeof v === "boolean" || typeof v === "string") return v;
  if (typeof v === "number") return { num: number(v) };
  if (typeof v === "bigint") return { num: String(v) };
  if (v instanceof Tensor) return { Tensor: { ...array(v), name: v.name } };
  if (v instanceof DenseTensor) return { DenseTensor: { ...array(v), lod: v.lod } };
  if (v instanceof NDArray) return { ndarray: array(v) };
  if (v instanceof OpaqueArray) return { ndarray: { dtype: v.dtype, shape: [...v.shape] } };
  if (v instanceof SelectedRows) return { SelectedRows: { rows: v.rows, height: v.height, value: array(v.value) } };
  if (v instanceof Tuple) return { tuple: Array.from(v, describe) };
  if (Array.isArray(v)) return { list: v.map(describe) };
  if (v instanceof Map) {
    const tag = v instanceof OrderedDict ? "OrderedDict" : v instanceof DefaultDict ? "defaultdict" : "dict";
    return { [tag]: [...v].map(([key, value]) => [describe(key), describe(value)]) };
  }
  if (v instanceof Set) return { [v instanceof FrozenSet ? "frozenset" : "set"]: sorted([...v].map(describe)) };
  if (v instanceof Complex) return { complex: [number(v.re), number(v.im)] };
  if (v instanceof NumpyScalar) return { scalar: { dtype: v.dtype } };
  if (v instanceof Uint8Array) {
    return { [v instanceof ByteArray ? "bytearray" : "bytes"]: Buffer.from(v).toString("hex") };
  }
  if (v instanceof PythonRecord) {
    const fields = [...v.fields].sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) => [key, describe(value)]);
    return { record: { class: v.className, fields } };
  }
  if (v instanceof Program) return { Program: program(v) };
  return { object: true };
}

function program({ blocks, form }: Program): Json {
  if (form === "json") return {};
  const vars = blocks.map((block) => sortedByName(block.vars.map(({ name, persistable }) => ({ name, persistable }))));
  return { blocks: blocks.length, ops: blocks.map((block) => block.ops.map((op) => op.type)), vars };
}

function sortedByName(vars: Json[]): Json[] {
  return vars.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function sorted(items: Json[]): Json[] {
  return items.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

/** An expected value, without what we do not have to match. */
export function expected(e: Json): Json {
  if (e === null || typeof e !== "object") return e;
  if (Array.isArray(e)) return e.map(expected);
  const [tag] = Object.keys(e);
  const v = e[tag];
  switch (tag) {
    case "int":
      return { num: Number.isSafeInteger(Number(v)) ? Number(v) : v };
    case "float":
      return { num: v };
    case "Tensor":
    case "DenseTensor":
    case "ndarray":
    case "array": {
      const { dtype, shape, sha256, name, lod } = v;
      const known: Json = { dtype, shape };
      // Strings, objects, dates and long doubles are compared by type and shape.
      if (sha256 && dtype !== "float128") known.sha256 = sha256;
      if (tag === "Tensor") known.name = name ?? ANY;
      if (tag === "DenseTensor") known.lod = lod ?? ANY;
      return { [tag]: known };
    }
    case "SelectedRows": {
      const { dtype, shape, sha256 } = v.value.DenseTensor ?? v.value;
      return { SelectedRows: { rows: v.rows, height: v.height, value: { dtype, shape, sha256 } } };
    }
    case "scalar":
      return { scalar: { dtype: v.dtype } };
    case "Program":
      return { Program: "text" in v ? ANY : { ...v, vars: v.vars.map(sortedByName) } };
    case "object":
      return ANY; // no form there: that it was read is enough
    case "set":
    case "frozenset":
      return { [tag]: sorted(v.map(expected)) };
    case "record":
      return { record: { class: v.class, fields: v.fields.map(([k, x]: [string, Json]) => [k, expected(x)]) } };
    default:
      return { [tag]: expected(v) };
  }
}

/** In an expected value: matches anything. */
export const ANY = "\0any";

/** Whether a described value is the expected one. */
export function same(actual: Json, wanted: Json): boolean {
  if (wanted === ANY) return true;
  if (typeof wanted !== "object" || wanted === null || typeof actual !== "object" || actual === null) {
    return actual === wanted;
  }
  if (Array.isArray(wanted)) {
    return Array.isArray(actual) && actual.length === wanted.length && wanted.every((x, i) => same(actual[i], x));
  }
  const [tag] = Object.keys(wanted);
  if (tag === "array") {
    const [kind] = Object.keys(actual);
    return ["ndarray", "Tensor", "DenseTensor"].includes(kind) &&
      same({ array: pick(actual[kind], wanted.array) }.array, wanted.array);
  }
  const keys = Object.keys(wanted);
  return keys.length === Object.keys(actual).length &&
    keys.every((key) => key in actual && same(actual[key], wanted[key]));
}

function pick(value: Json, like: Json): Json {
  return Object.fromEntries(Object.keys(like).map((key) => [key, value[key]]));
}

/** The first difference between two values, for messages. */
export function firstDifference(actual: Json, wanted: Json, at = ""): string {
  const isObject = (v: Json) => typeof v === "object" && v !== null;
  if (isObject(actual) && isObject(wanted)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(actual)])) {
      if (key in actual && key in wanted && same(actual[key], wanted[key])) continue;
      return firstDifference(actual[key], wanted[key], `${at}/${key}`);
    }
  }
  return `${at || "/"}: ${JSON.stringify(actual)?.slice(0, 200)}, Paddle: ${JSON.stringify(wanted)?.slice(0, 200)}`;
}
