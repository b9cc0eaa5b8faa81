/**
 * What `paddle.save` makes of a value before it is pickled (dossier 1.1 to 1.5 and 2).
 *
 * @module
 */
import { keyStep } from "../codec/pickle/place.ts";
import { className, FreshText, isPlainObject } from "../codec/pickle/write_pickle.ts";
import { dtypeInfo } from "../dtype.ts";
import { ValueError, type Warning } from "../errors.ts";
import { rememberFloat, wasFloat } from "../floats.ts";
import { NDArray } from "../ndarray.ts";
import { DenseTensor, Tensor } from "../tensor.ts";
import {
  Complex,
  DefaultDict,
  DTypeValue,
  Float,
  FrozenSet,
  NumpyScalar,
  OrderedDict,
  PythonRecord,
  SelectedRows,
  Slice,
  Tuple,
} from "../values.ts";
import { BIG_PARAMS, NAME_TABLE } from "./keys.ts";

/** What {@linkcode shapeForSave} is asked for. */
export interface ShapeOptions {
  /** 2, 3 or 4. */
  protocol: number;
  /** In static mode tensors have no name table. @default {"dygraph"} */
  mode?: "dygraph" | "static";
  /** Bytes from which an array is split at protocol 2 and 3. @default {2^30 - 1} Paddle's */
  maxArrayBytes?: number;
}

/** The largest array that protocol 2 and 3 hold whole, in bytes. */
const MAX_ARRAY_BYTES = 2 ** 30 - 1;

/** The value to pickle, and what was odd about it. Throws where something in it cannot be saved. */
export function shapeForSave(value: unknown, options: ShapeOptions): { value: unknown; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const plain = withoutLayers(value);
  checkValue(plain, warnings);
  const dict = plain instanceof Map ? plain : isPlainObject(plain) ? new Map(Object.entries(plain as object)) : null;
  if (dict === null || !isStateDict(dict)) return { value: plain, warnings };
  if (dict.size === 0) {
    warnings.push({ code: "EMPTY_DICT", message: "The dict is empty: there is nothing to save in it" });
  }
  const isStatic = options.mode === "static" ||
    (dict.size > 0 && [...dict.values()].every((x) => x instanceof DenseTensor));
  const shaped = isStatic ? staticDict(dict) : stateDict(dict);
  const maxBytes = options.maxArrayBytes ?? MAX_ARRAY_BYTES;
  if (!isStatic && options.protocol < 4) splitBigParams(shaped, maxBytes);
  return { value: shaped, warnings };
}

/** Dossier 1.2: every value is a tensor, or a dict in which no tensor is. An empty dict is a state dict. */
function isStateDict(dict: Map<unknown, unknown>): boolean {
  for (const value of dict.values()) {
    if (value instanceof Tensor || value instanceof DenseTensor) continue;
    if (!(value instanceof Map || isPlainObject(value)) || holdsTensor(value)) return false;
  }
  return true;
}

function holdsTensor(root: unknown): boolean {
  const seen = new Set<unknown>();
  const todo = [root];
  while (todo.length > 0) {
    const value = todo.pop();
    if (value instanceof Tensor || value instanceof DenseTensor || value instanceof SelectedRows) return true;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Map) { for (const item of value.values()) todo.push(item); }
    else if (Array.isArray(value)) { for (const item of value) todo.push(item); }
    else if (isPlainObject(value)) { for (const item of Object.values(value as object)) todo.push(item); }
  }
  return false;
}

/** Dossier 1.3: a plain dict of arrays, and the name table last. */
function stateDict(dict: Map<unknown, unknown>): Map<unknown, unknown> {
  const shaped = new Map<unknown, unknown>(), names = new Map<unknown, unknown>();
  for (const [key, value] of dict) {
    // A table that was kept is written anew, where it stands: what it says may be old.
    shaped.set(key, value instanceof NDArray ? plainArray(value) : value);
    if (value instanceof Tensor) names.set(key, new FreshText(value.name));
  }
  return shaped.set(NAME_TABLE, names);
}

/** Dossier 1.4: variable names to arrays. */
function staticDict(dict: Map<unknown, unknown>): Map<unknown, unknown> {
  return new Map([...dict].map(([key, value]) => [key, value instanceof NDArray ? plainArray(value) : value]));
}

function plainArray(array: NDArray): NDArray {
  return new NDArray(array.dtype, array.shape, array.bytes);
}

/** Dossier 2: slices under keys of their own; views, not copies. */
function splitBigParams(dict: Map<unknown, unknown>, maxBytes: number): void {
  const marker = new Map<unknown, unknown>();
  for (const [key, array] of [...dict]) {
    if (!(array instanceof NDArray)) continue;
    const { itemsize } = dtypeInfo(array.dtype);
    const most = Math.floor(maxBytes / itemsize);
    if (array.size <= most) continue;
    const slices: string[] = [];
    dict.delete(key);
    for (let start = 0; start < array.size; start += most) {
      const end = Math.min(array.size, start + most);
      const name = `${String(key)}@@.${slices.length}`;
      if (dict.has(name)) {
        throw new ValueError("NAME_COLLISION", `The key ${name} is taken, and a slice of ${String(key)} needs it`, {
          names: [name],
        });
      }
      dict.set(name, new NDArray(array.dtype, [end - start], array.bytes.subarray(start * itemsize, end * itemsize)));
      slices.push(name);
    }
    marker.set(key, new Map<unknown, unknown>([["OriginShape", Tuple.from(array.shape)], ["slices", slices]]));
  }
  if (marker.size > 0) dict.set(BIG_PARAMS, marker);
}

interface HasStateDict {
  stateDict(): Map<unknown, unknown>;
}

function isLayer(value: unknown): value is HasStateDict {
  return typeof value === "object" && value !== null && "stateDict" in value && typeof value.stateDict === "function" &&
    !(value instanceof Map);
}

/** A Layer is saved as its state dict, which every Paddle loads. Containers with a Layer inside are made anew; others stay. */
function withoutLayers(root: unknown): unknown {
  if (isLayer(root)) return root.stateDict();
  const made = new Map<unknown, unknown>();
  const todo: [unknown, unknown][] = [];
  if (!holdsLayer(root)) return root;
  const copyOf = (value: unknown): unknown => {
    if (isLayer(value)) return value.stateDict();
    if (!(value instanceof Map || Array.isArray(value) || isPlainObject(value))) return value;
    let copy = made.get(value);
    if (copy === undefined) {
      const Class = (value as object).constructor as new () => unknown;
      copy = isPlainObject(value) ? new Map() : new Class();
      made.set(value, copy);
      todo.push([value, copy]);
    }
    return copy;
  };
  const result = copyOf(root);
  while (todo.length > 0) {
    const [from, to] = todo.pop()!;
    const entries = from instanceof Map ? from : Array.isArray(from) ? from.entries() : Object.entries(from as object);
    for (const [key, value] of entries) {
      const isFloat = typeof value === "number" && wasFloat(from as object, key, value);
      if (isFloat) rememberFloat(to as object, key, value);
      if (to instanceof Map) to.set(key, copyOf(value));
      else (to as unknown[]).push(copyOf(value));
    }
    if (from instanceof OrderedDict) (to as OrderedDict).attributes = from.attributes;
  }
  return result;
}

function holdsLayer(root: unknown): boolean {
  const seen = new Set<unknown>();
  const todo = [root];
  while (todo.length > 0) {
    const value = todo.pop();
    if (isLayer(value)) return true;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Map) { for (const item of value.values()) todo.push(item); }
    else if (Array.isArray(value)) { for (const item of value) todo.push(item); }
    else if (isPlainObject(value)) { for (const item of Object.values(value as object)) todo.push(item); }
  }
  return false;
}

/**
 * Everything that can be known before a file is made (hardening H-SAV-11).
 *
 * @throws {ValueError} `INVALID_VALUE`, with the place
 */
export function checkValue(root: unknown, warnings: Warning[] = []): void {
  const seen = new Set<unknown>();
  const todo: { value: unknown; at: string }[] = [{ value: root, at: "" }];
  while (todo.length > 0) {
    const { value, at } = todo.pop()!;
    if (value === null || ["string", "number", "bigint", "boolean"].includes(typeof value)) continue;
    if (seen.has(value)) continue;
    if (typeof value === "object") seen.add(value);
    if (value instanceof NDArray) checkArray(value, at, warnings);
    else if (value instanceof DefaultDict) throw invalid("a defaultdict", at);
    else if (value instanceof Map) {
      if (value instanceof OrderedDict && value.attributes) todo.push({ value: value.attributes, at });
      for (const [key, item] of value) {
        if (typeof key === "symbol" || typeof key === "function" || key === undefined) {
          throw invalid(`a key that is a ${typeof key}`, at);
        }
        todo.push({ value: item, at: at.length < 1000 ? at + keyStep(key) : at });
        if (typeof key === "object" && key !== null) todo.push({ value: key, at });
      }
    } else if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        if (!(i in value)) throw invalid("a hole in a list", at + keyStep(i));
        todo.push({ value: value[i], at: at.length < 1000 ? at + keyStep(i) : at });
      }
    } else if (value instanceof Set && !(value instanceof FrozenSet)) {
      for (const item of value) todo.push({ value: item, at });
    } else if (value instanceof PythonRecord) todo.push({ value: value.fields, at });
    else if (isPlainObject(value)) {
      for (const [key, item] of Object.entries(value as object)) todo.push({ value: item, at: at + keyStep(key) });
    } else if (value instanceof SelectedRows) {
      throw invalid("SelectedRows: save them alone, with { useBinaryFormat: true }", at);
    } else if (!LEAVES.some((Leaf) => value instanceof Leaf) || value instanceof DefaultDict) {
      throw invalid(`a ${className(value)}`, at);
    }
  }
}

// bytes, bytearray, frozenset, defaultdict and range are refused by paddle.save, too (dossier 1.5).
const LEAVES: (abstract new (...args: never[]) => unknown)[] = [Complex, Float, NumpyScalar, DTypeValue, Slice];

function checkArray(array: NDArray, at: string, warnings: Warning[]): void {
  if (array.bytes.byteLength !== array.nbytes) throw invalid("an array whose buffer was detached or resized", at);
  if (array.dtype === "float8_e4m3fn" || array.dtype === "float8_e5m2") {
    const message = `${array.dtype} is written as int8, as Paddle does: load it with { float8: "${array.dtype}" }`;
    warnings.push({ code: "FLOAT8_AS_INT8", message, at });
  }
}

function invalid(what: string, at: string): ValueError {
  return new ValueError("INVALID_VALUE", `Cannot save ${what}${at ? ` at ${at}` : ""}`, { at });
}
