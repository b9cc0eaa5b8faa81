/**
 * The `.metadata` file of a distributed checkpoint: which part of which tensor is in which file (FORMATS.md 6).
 *
 * @module
 */
import { type Float8, FLOAT8_DTYPES } from "../dtype.ts";
import { FormatError, quote } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { PythonRecord, Tuple, type Value } from "../values.ts";

/** A part of a tensor, as one process saved it. */
export interface Part {
  /** The file that contains it. */
  file: string;
  /** Its start in the whole tensor, for each axis. */
  offset: readonly number[];
  /** Its length along each axis. */
  shape: readonly number[];
  /** For a part that was flattened: the elements `[from, to)` of it, in C order. */
  range: readonly [number, number] | null;
}

/** A tensor in parts. */
export interface Parted {
  shape: readonly number[];
  parts: Part[];
  /** Its dtype, if files that are pickles have it as int8. */
  float8: Float8 | undefined;
}

/** The content of the metadata. */
export interface Metadata {
  tensors: Map<string, Parted>;
  /** For each joined name, the keys of the saved state dict, one for each level. */
  paths: Map<string, readonly string[]>;
}

/** Modules of the records, by the Paddle version that reads them: neither reads the other's. */
export const MODULES = {
  "3.0": "paddle.distributed.checkpoint.metadata",
  "3.3": "paddle.distributed.flex_checkpoint.dcp.metadata",
} as const;

/** Read the value of a `.metadata` file. */
export function readMetadata(value: Value, limits: Readonly<Limits>): Metadata {
  if (!isRecord(value, "Metadata")) throw bad("holds no Metadata");
  const described = value.fields.get("state_dict_metadata"), stored = value.fields.get("storage_metadata");
  if (!(described instanceof Map) || !(stored instanceof Map)) throw bad("lacks the locations of its tensors");
  const files = new Map<string, string>();
  for (const [index, file] of stored) {
    if (!isRecord(index, "LocalTensorIndex") || typeof file !== "string") throw bad("has an invalid location");
    const key = index.fields.get("tensor_key");
    if (typeof key !== "string") throw bad("has a location without a tensor");
    files.set(placeKey(key, countsOf(index.fields.get("global_offset"), key), rangeOf(index, key)), file);
  }
  const tensors = new Map<string, Parted>();
  for (const [key, list] of described) {
    if (typeof key !== "string" || !Array.isArray(list) || list.length === 0) throw bad("has a tensor without parts");
    const parts: Part[] = [];
    let shape: number[] | null = null, float8: Float8 | undefined;
    for (const local of list) {
      if (!isRecord(local, "LocalTensorMetadata")) throw bad("has an invalid part", key);
      float8 ??= FLOAT8_DTYPES.find((dtype) => dtype === local.fields.get("dtype"));
      const offset = countsOf(local.fields.get("global_offset"), key),
        own = countsOf(local.fields.get("local_shape"), key);
      if (offset.length !== own.length || own.length > limits.maxRank) {
        throw bad("has a part with another number of axes", key);
      }
      const range = rangeOf(local, key);
      const file = files.get(placeKey(key, offset, range));
      if (file === undefined) throw bad("has a part without a file", key);
      parts.push({ file, offset, shape: own, range });
      const said = local.fields.get("global_shape") ?? null;
      const whole = said === null ? own.map((n, i) => Math.max(shape?.[i] ?? 0, offset[i] + n)) : countsOf(said, key);
      if (shape && said !== null && whole.join() !== shape.join()) {
        throw bad("has parts of tensors of several shapes", key);
      }
      shape = whole;
    }
    const whole = shape!;
    if (parts.some((p) => p.shape.length !== whole.length || p.shape.some((n, i) => p.offset[i] + n > whole[i]))) {
      throw bad("has a part that reaches beyond its tensor", key);
    }
    tensors.set(key, { shape: whole, parts, float8 });
  }
  return { tensors, paths: pathsOf(value.fields.get("flat_mapping")) };
}

function pathsOf(mapping: Value): Map<string, readonly string[]> {
  const paths = new Map<string, readonly string[]>();
  if (!(mapping instanceof Map)) return paths;
  for (const [name, path] of mapping) {
    const isPath = Array.isArray(path) && path.length > 0 && path.every((key) => typeof key === "string");
    if (typeof name !== "string" || !isPath) throw bad("has a flat_mapping that does not map strings to strings");
    paths.set(name, path as string[]);
  }
  return paths;
}

function isRecord(value: Value, name: string): value is PythonRecord {
  return value instanceof PythonRecord && value.className === name && value.module.startsWith("paddle.distributed.");
}

function placeKey(key: string, offset: readonly number[], range: readonly number[] | null): string {
  return `${offset.join()}|${range?.join() ?? ""}|${key}`;
}

function rangeOf(record: PythonRecord, key: string): readonly [number, number] | null {
  if (record.fields.get("is_flattened") !== true) return null;
  const [from, to, ...more] = countsOf(record.fields.get("flattened_range"), key);
  if (to === undefined || more.length > 0 || from > to) throw bad("has a flattened part without a range", key);
  return [from, to];
}

function countsOf(value: Value, key: string): number[] {
  if (!Array.isArray(value)) throw bad("has a part without lengths", key);
  const counts = Array.from(value, Number);
  if (value.some((n) => !Number.isSafeInteger(n) || (n as number) < 0)) {
    throw bad("has an invalid length", key);
  }
  return counts;
}

function bad(finding: string, key?: string): FormatError {
  const of = key === undefined ? "" : ` (${quote(key)})`;
  return new FormatError("BAD_FIELD", `The metadata of the distributed checkpoint ${finding}${of}`, { at: key });
}

/** The value of a `.metadata` file for whole tensors that are all in `file`. */
export function writeMetadata(
  tensors: Iterable<readonly [string, { dtype: string; shape: readonly number[]; path: readonly string[] }]>,
  file: string,
  version: keyof typeof MODULES,
): PythonRecord {
  const module = MODULES[version], isNew = version === "3.3";
  const described = new Map<Value, Value>(), stored = new Map<Value, Value>(), mapping = new Map<Value, Value>();
  for (const [key, { dtype, shape, path }] of tensors) {
    const offset = () => Tuple.from(shape, () => 0), own = () => Tuple.from(shape);
    const local: [string, Value][] = [["global_offset", offset()], ["local_shape", own()], ["dtype", dtype]];
    const index: [string, Value][] = [["tensor_key", key], ["global_offset", offset()]];
    if (isNew) {
      local.push(["global_shape", own()], ["is_flattened", false], ["flattened_range", null]);
      index.push(["is_flattened", false], ["flattened_range", null], ["replica_id", null], ["local_shape", own()]);
    }
    described.set(key, [new PythonRecord(module, "LocalTensorMetadata", new Map(local))]);
    stored.set(new PythonRecord(module, "LocalTensorIndex", new Map(index)), file);
    mapping.set(key, Tuple.from(path));
  }
  const fields: [string, Value][] = [
    ["state_dict_metadata", described],
    ["storage_metadata", stored],
    ["flat_mapping", mapping],
  ];
  return new PythonRecord(module, "Metadata", new Map(fields));
}
