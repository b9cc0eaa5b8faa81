/**
 * What `paddle.save` makes of a value before it is pickled (dossier 1.1 to 1.5 and 2).
 *
 * @module
 */
import { FreshText } from "../codec/pickle/stand_ins.ts";
import { isPlainObject } from "../plain_object.ts";
import { dtypeInfo } from "../dtype.ts";
import { ValueError, type Warning } from "../errors.ts";
import { partLazily } from "../joined_bytes.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import { DenseTensor, Tensor } from "../tensor.ts";
import { SelectedRows, Tuple } from "../values.ts";
import { checkValue } from "./check_value.ts";
import { BIG_PARAMS, NAME_TABLE } from "./keys.ts";
import { withoutLayers } from "./without_layers.ts";

/** What {@linkcode shapeForSave} is asked for. */
export interface ShapeOptions {
  /** 2, 3 or 4. */
  protocol: number;
  /** In static mode tensors have no name table. @default {"dygraph"} */
  mode?: "dygraph" | "static";
  /** Bytes from which an array is split at protocol 2 and 3. @default {2^30 - 1} Paddle's */
  maxArrayBytes?: number;
  /** What pickles have and Paddle refuses is taken: bytes, frozensets, ... @default {false} */
  ofAnyKind?: boolean;
}

/** The largest array that protocol 2 and 3 hold whole, in bytes. */
const MAX_ARRAY_BYTES = 2 ** 30 - 1;

/** The value to pickle, and what was odd about it. Throws where something in it cannot be saved. */
export function shapeForSave(value: unknown, options: ShapeOptions): { value: unknown; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const plain = withoutLayers(value);
  checkValue(plain, warnings, options.ofAnyKind);
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
export function stateDict(dict: Map<unknown, unknown>): Map<unknown, unknown> {
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
  return new NDArray(array.dtype, array.shape, array.unread ?? array.bytes);
}

/** Some of an array's bytes: a view, or a part of what lies in its file still. */
function partOf(array: NDArray, from: number, to: number): Uint8Array | LazyBytes {
  return array.unread ? partLazily(array.unread, from, to) : array.bytes.subarray(from, to);
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
      dict.set(name, new NDArray(array.dtype, [end - start], partOf(array, start * itemsize, end * itemsize)));
      slices.push(name);
    }
    marker.set(key, new Map<unknown, unknown>([["OriginShape", Tuple.from(array.shape)], ["slices", slices]]));
  }
  if (marker.size > 0) dict.set(BIG_PARAMS, marker);
}
