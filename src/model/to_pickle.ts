/**
 * What `paddle.save` makes of a value before it is pickled (FORMATS.md 1 and 2).
 *
 * @module
 */
import { FreshText } from "../codec/pickle/write/stand_ins.ts";
import { isPlainObject, mapOfObject } from "../words/plain_object.ts";
import { dtypeInfo } from "../dtype.ts";
import { ValueError, type Warning } from "../errors.ts";
import { carryFloats } from "../words/floats.ts";
import { partLazily } from "../words/joined_bytes.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import { DenseTensor, Tensor } from "../tensor.ts";
import { SelectedRows, Tuple } from "../values.ts";
import { checkValueInSteps } from "./check_value.ts";
import { BIG_PARAMS, NAME_TABLE } from "./keys.ts";
import { atOnce, StepPace } from "../words/steps.ts";
import { someGivenInSteps } from "./walk.ts";
import { emptyLike, withoutLayersInSteps } from "./without_layers.ts";

/** Options of {@linkcode shapeForSave}. */
export interface ShapeOptions {
  /** 2, 3 or 4. */
  protocol: number;
  /** In static mode, there is no name table. @default {"dygraph"} */
  mode?: "dygraph" | "static";
  /** With protocols 2 and 3, larger arrays are split. @default {2^30 - 1} as in Paddle */
  maxArrayBytes?: number;
  /** Accept values that pickles can hold but Paddle refuses: bytes, frozensets, ...; keep the class of the dict. @default {false} */
  ofAnyKind?: boolean;
}

/** The largest array that is not split with protocols 2 and 3, in bytes. */
const MAX_ARRAY_BYTES = 2 ** 30 - 1;

/** The result of {@linkcode shapeForSave}. */
export interface ShapedForSave {
  /** The value to pickle. */
  value: unknown;
  /** Warnings about it. */
  warnings: Warning[];
}

/** The value to pickle, and warnings about it. Throws if something in it cannot be saved. */
export function shapeForSave(value: unknown, options: ShapeOptions): ShapedForSave {
  return atOnce(shapeForSaveInSteps(value, options));
}

/** {@linkcode shapeForSave} in steps, between which other work may run. */
export function* shapeForSaveInSteps(value: unknown, options: ShapeOptions): Generator<void, ShapedForSave> {
  const warnings: Warning[] = [];
  const plain = yield* withoutLayersInSteps(value);
  const dict = plain instanceof Map ? plain : isPlainObject(plain) ? yield* mapOfObject(plain as object) : null;
  const isState = dict !== null && (yield* isStateDict(dict));
  // Paddle's scan of what it pickles spares state dicts (FORMATS.md 1.5).
  yield* checkValueInSteps(plain, warnings, isState || (options.ofAnyKind ?? false));
  if (!isState || (options.ofAnyKind && !hasTensors(dict))) return { value: plain, warnings };
  if (dict.size === 0) {
    warnings.push({ code: "EMPTY_DICT", message: "The dict is empty: there is nothing to save in it" });
  }
  const isStatic = options.mode === "static" || hasOnlyDenseTensors(dict);
  const emptyDict = options.ofAnyKind ? emptyLike(dict) as Map<unknown, unknown> : new Map<unknown, unknown>();
  const shaped = isStatic ? yield* staticDict(dict, emptyDict) : yield* stateDictInSteps(dict);
  const maxBytes = options.maxArrayBytes ?? MAX_ARRAY_BYTES;
  if (!isStatic && options.protocol < 4) splitBigParams(shaped, maxBytes);
  return { value: shaped, warnings };
}

/** FORMATS.md 1.2: every value is a tensor, or a dict without tensors in it. An empty dict is a state dict. */
function* isStateDict(dict: Map<unknown, unknown>): Generator<void, boolean> {
  const dicts: unknown[] = [];
  for (const value of dict.values()) {
    if (value instanceof Tensor || value instanceof DenseTensor) continue;
    if (!(value instanceof Map || isPlainObject(value))) return false;
    dicts.push(value);
  }
  // All in one search: the same dict may be under many keys.
  return !(yield* someGivenInSteps(dicts, isTensor));
}

function hasTensors(dict: Map<unknown, unknown>): boolean {
  for (const value of dict.values()) if (value instanceof NDArray) return true;
  return false;
}

/** Whether there are tensors in the dict, all of them static. */
function hasOnlyDenseTensors(dict: Map<unknown, unknown>): boolean {
  let has = false;
  for (const value of dict.values()) {
    if (value instanceof Tensor) return false;
    has ||= value instanceof DenseTensor;
  }
  return has;
}

function isTensor(value: object): boolean {
  return value instanceof Tensor || value instanceof DenseTensor || value instanceof SelectedRows;
}

/** FORMATS.md 1.3: a plain dict of arrays, and the name table last; in steps, between which other work may run. */
export function* stateDictInSteps(dict: Map<unknown, unknown>): Generator<void, Map<unknown, unknown>> {
  const shaped = new Map<unknown, unknown>(), names = new Map<unknown, unknown>();
  const pace = new StepPace();
  for (const [key, value] of dict) {
    if (pace.isDue(4)) yield;
    carryFloats(dict, shaped, key, value);
    carryFloats(dict, names, key, null);
    // A name table kept from loading is replaced in its position, as it may be out of date.
    shaped.set(key, value instanceof NDArray ? plainArray(value) : value);
    if (value instanceof Tensor) names.set(key, new FreshText(value.name));
  }
  return shaped.set(NAME_TABLE, names);
}

/** FORMATS.md 1.4: arrays by variable name, put into `shaped`. */
function* staticDict(
  dict: Map<unknown, unknown>,
  shaped: Map<unknown, unknown>,
): Generator<void, Map<unknown, unknown>> {
  const pace = new StepPace();
  for (const [key, value] of dict) {
    if (pace.isDue(4)) yield;
    carryFloats(dict, shaped, key, value);
    shaped.set(key, value instanceof NDArray ? plainArray(value) : value);
  }
  return shaped;
}

function plainArray(array: NDArray): NDArray {
  return new NDArray(array.dtype, array.shape, array.unread ?? array.bytes);
}

/** Bytes `[from, to)` of an array: a view, or part of what is still in its file. */
function partOf(array: NDArray, from: number, to: number): Uint8Array | LazyBytes {
  return array.unread ? partLazily(array.unread, from, to) : array.bytes.subarray(from, to);
}

/** How many elements of an array fit in `maxBytes`. */
function mostIn({ dtype }: NDArray, maxBytes: number): number {
  return Math.floor(maxBytes / dtypeInfo(dtype).itemsize);
}

/** FORMATS.md 2: replace large arrays by slices under keys of their own; the slices are views. */
function splitBigParams(dict: Map<unknown, unknown>, maxBytes: number): void {
  const marker = new Map<unknown, unknown>();
  const large: [unknown, NDArray][] = [];
  dict.forEach((array, key) => {
    if (array instanceof NDArray && array.size > mostIn(array, maxBytes)) large.push([key, array]);
  });
  for (const [key, array] of large) {
    const { itemsize } = dtypeInfo(array.dtype);
    const most = mostIn(array, maxBytes);
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
    carryFloats(dict, marker, key, null);
    marker.set(key, new Map<unknown, unknown>([["OriginShape", Tuple.from(array.shape)], ["slices", slices]]));
  }
  if (marker.size > 0) dict.set(BIG_PARAMS, marker);
}
