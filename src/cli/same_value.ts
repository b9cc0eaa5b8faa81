/**
 * Compares values other than arrays, as Python has them: `[1]` is not `[1.0]`, a tuple is not a list. NaN equals NaN.
 *
 * @module
 */
import { sameBytes } from "../words/same_bytes.ts";
import { NDArray } from "../ndarray.ts";
import { Program } from "../program.ts";
import {
  Complex,
  DTypeValue,
  Float,
  NumpyScalar,
  OpaqueArray,
  PythonRecord,
  Range,
  SelectedRows,
  Slice,
} from "../values.ts";
import { isFloatAt, isFloatKeyAt, typeText } from "./value_text.ts";

/** A value, and whether it is a number that was a float in the file. */
export interface Item {
  readonly value: unknown;
  readonly isFloat: boolean;
}

/** Whether two values have the same types, contents and order, and numbers that differ by no more than `tolerance`. */
export function isSameValue(one: Item, other: Item, tolerance: number): boolean {
  const todo: [Item, Item][] = [[one, other]];
  // Values that contain themselves, or are shared thousands of times, are compared once.
  const compared = new Map<unknown, Set<unknown>>();
  for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
    const [a, b] = pair;
    if (typeText(a.value, a.isFloat) !== typeText(b.value, b.isFloat)) return false;
    const [x, y] = [partsOf(a.value), partsOf(b.value)];
    if (!x || !y) {
      if (!isSameLeaf(a.value, b.value, tolerance)) return false;
      continue;
    }
    const others = compared.get(a.value);
    if (others?.has(b.value)) continue;
    if (others) others.add(b.value);
    else compared.set(a.value, new Set([b.value]));
    if (x.length !== y.length) return false;
    for (let i = 0; i < x.length; i++) todo.push([x[i], y[i]]);
  }
  return true;
}

function isSameLeaf(a: unknown, b: unknown, tolerance: number): boolean {
  if (a instanceof Program && b instanceof Program) return sameBytes(a.serialize(), b.serialize());
  if (a instanceof Uint8Array && b instanceof Uint8Array) return sameBytes(a, b);
  if (typeof a === "number" && typeof b === "number") return Object.is(a, b) || Math.abs(a - b) <= tolerance;
  // An int may be a number here and a bigint there. Objects of other types have nothing more to compare.
  return typeof a === "object" || String(a) === String(b);
}

/** What a value consists of, in order; null if it has no parts. */
function partsOf(value: unknown): Item[] | null {
  if (Array.isArray(value)) return value.map((item, i) => ({ value: item, isFloat: isFloatAt(value, i, item) }));
  if (value instanceof Map) {
    const valueAt = (key: unknown, item: unknown) => ({ value: item, isFloat: isFloatAt(value, key, item) });
    return [...value].flatMap(([key, item]) => [keyOf(value, key), valueAt(key, item)]);
  }
  if (value instanceof Set) return [...value].map((key) => keyOf(value, key));
  if (value instanceof Float) return [{ value: value.value, isFloat: true }];
  if (value instanceof PythonRecord) return plain(value.fields);
  if (value instanceof Range || value instanceof Slice) return plain(value.start, value.stop, value.step);
  if (value instanceof Complex) return plain(value.re, value.im);
  if (value instanceof NumpyScalar) return plain(value.value);
  if (value instanceof DTypeValue) return plain(value.dtype, value.isClass);
  if (value instanceof OpaqueArray) return plain(value.shape, value.bytes, value.items);
  if (value instanceof SelectedRows) return plain(value.rows, value.height, value.value);
  if (value instanceof NDArray) return plain(value.shape);
  return null;
}

function keyOf(container: object, key: unknown): Item {
  return { value: key, isFloat: isFloatKeyAt(container, key) };
}

function plain(...values: unknown[]): Item[] {
  return values.map((value) => ({ value, isFloat: false }));
}
