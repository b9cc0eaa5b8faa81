/**
 * What `paddle.save` makes of a value before it is pickled (FORMATS.md 1 and 2).
 *
 * @module
 */
import { FreshText } from "../codec/pickle/stand_ins.ts";
import { isPlainObject } from "../words/plain_object.ts";
import { dtypeInfo } from "../dtype.ts";
import { ValueError, type Warning } from "../errors.ts";
import { partLazily } from "../words/joined_bytes.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import { DenseTensor, Tensor } from "../tensor.ts";
import { SelectedRows, Tuple } from "../values.ts";
import { checkValueInSteps } from "./check_value.ts";
import { BIG_PARAMS, NAME_TABLE } from "./keys.ts";
import { atOnce, StepPace } from "../words/steps.ts";
import { someGivenInSteps } from "./walk.ts";
import { withoutLayersInSteps } from "./without_layers.ts";

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

/** What {@linkcode shapeForSave} gives. */
export interface ShapedForSave {
  /** What is pickled. */
  value: unknown;
  /** What was odd about it. */
  warnings: Warning[];
}

/** The value to pickle, and what was odd about it. Throws where something in it cannot be saved. */
export function shapeForSave(value: unknown, options: ShapeOptions): ShapedForSave {
  return atOnce(shapeForSaveInSteps(value, options));
}

/** The same in steps, between which others may have a turn. */
export function* shapeForSaveInSteps(value: unknown, options: ShapeOptions): Generator<void, ShapedForSave> {
  const warnings: Warning[] = [];
  const plain = yield* withoutLayersInSteps(value);
  yield* checkValueInSteps(plain, warnings, options.ofAnyKind ?? false);
  const dict = plain instanceof Map ? plain : isPlainObject(plain) ? new Map(Object.entries(plain as object)) : null;
  if (dict === null || !(yield* isStateDict(dict))) return { value: plain, warnings };
  if (dict.size === 0) {
    warnings.push({ code: "EMPTY_DICT", message: "The dict is empty: there is nothing to save in it" });
  }
  const isStatic = options.mode === "static" || (dict.size > 0 && holdsOnlyDenseTensors(dict));
  const shaped = isStatic ? yield* staticDict(dict) : yield* stateDictInSteps(dict);
  const maxBytes = options.maxArrayBytes ?? MAX_ARRAY_BYTES;
  if (!isStatic && options.protocol < 4) splitBigParams(shaped, maxBytes);
  return { value: shaped, warnings };
}

/** FORMATS.md 1.2: every value is a tensor, or a dict in which no tensor is. An empty dict is a state dict. */
function* isStateDict(dict: Map<unknown, unknown>): Generator<void, boolean> {
  for (const value of dict.values()) {
    if (value instanceof Tensor || value instanceof DenseTensor) continue;
    if (!(value instanceof Map || isPlainObject(value)) || (yield* someGivenInSteps(value, isTensor))) return false;
  }
  return true;
}

function holdsOnlyDenseTensors(dict: Map<unknown, unknown>): boolean {
  for (const value of dict.values()) if (!(value instanceof DenseTensor)) return false;
  return true;
}

function isTensor(value: object): boolean {
  return value instanceof Tensor || value instanceof DenseTensor || value instanceof SelectedRows;
}

/** FORMATS.md 1.3: a plain dict of arrays, and the name table last. */
export function stateDict(dict: Map<unknown, unknown>): Map<unknown, unknown> {
  return atOnce(stateDictInSteps(dict));
}

/** The same in steps, between which others may have a turn. */
export function* stateDictInSteps(dict: Map<unknown, unknown>): Generator<void, Map<unknown, unknown>> {
  const shaped = new Map<unknown, unknown>(), names = new Map<unknown, unknown>();
  const pace = new StepPace();
  for (const [key, value] of dict) {
    if (pace.isDue(4)) yield;
    // A table that was kept is written anew, where it stands: what it says may be old.
    shaped.set(key, value instanceof NDArray ? plainArray(value) : value);
    if (value instanceof Tensor) names.set(key, new FreshText(value.name));
  }
  return shaped.set(NAME_TABLE, names);
}

/** FORMATS.md 1.4: variable names to arrays. */
function* staticDict(dict: Map<unknown, unknown>): Generator<void, Map<unknown, unknown>> {
  const shaped = new Map<unknown, unknown>();
  const pace = new StepPace();
  for (const [key, value] of dict) {
    if (pace.isDue(4)) yield;
    shaped.set(key, value instanceof NDArray ? plainArray(value) : value);
  }
  return shaped;
}

function plainArray(array: NDArray): NDArray {
  return new NDArray(array.dtype, array.shape, array.unread ?? array.bytes);
}

/** Some of an array's bytes: a view, or a part of what lies in its file still. */
function partOf(array: NDArray, from: number, to: number): Uint8Array | LazyBytes {
  return array.unread ? partLazily(array.unread, from, to) : array.bytes.subarray(from, to);
}

/** Elements of such an array that `maxBytes` can hold. */
function mostIn({ dtype }: NDArray, maxBytes: number): number {
  return Math.floor(maxBytes / dtypeInfo(dtype).itemsize);
}

/** FORMATS.md 2: slices under keys of their own; views, not copies. */
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
    marker.set(key, new Map<unknown, unknown>([["OriginShape", Tuple.from(array.shape)], ["slices", slices]]));
  }
  if (marker.size > 0) dict.set(BIG_PARAMS, marker);
}
