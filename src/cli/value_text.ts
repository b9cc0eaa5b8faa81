/**
 * Values other than arrays, as Python would print them, and as JSON.
 *
 * @module
 */
import { LimitError, quote } from "../errors.ts";
import { isFloatByNature, wasFloat, wasFloatKey } from "../words/floats.ts";
import { NDArray } from "../ndarray.ts";
import { Program } from "../program.ts";
import { DenseTensor, Tensor } from "../tensor.ts";
import {
  ByteArray,
  Complex,
  DTypeValue,
  Float,
  FrozenSet,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PythonRecord,
  Range,
  SelectedRows,
  Slice,
  Tuple,
} from "../values.ts";
import { checkDepth } from "./json_text.ts";
import { shapeText } from "./text.ts";

/** Maximum number of a container's members that are shown. */
const SHOWN = 8;
/** Maximum nesting of containers that is shown. */
const DEPTH = 3;
/** Maximum number of values in one JSON: what a file shares is written out each time. */
const MOST = 2 ** 20;

/** Python's name for the type of a value, or the dtype of an array. */
export function typeText(value: unknown, isFloat = false): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return isFloat || isFloatByNature(value) ? "float" : "int";
  if (typeof value === "string") return "str";
  if (value instanceof NDArray) return value.dtype;
  if (value instanceof Float) return "float";
  if (value instanceof ByteArray) return "bytearray";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Tuple) return "tuple";
  if (Array.isArray(value)) return "list";
  if (value instanceof OrderedDict) return "OrderedDict";
  if (value instanceof Map) return "dict";
  if (value instanceof FrozenSet) return "frozenset";
  if (value instanceof Set) return "set";
  if (value instanceof Complex) return "complex";
  if (value instanceof NumpyScalar) return `numpy.${value.dtype}`;
  if (value instanceof OpaqueArray) return `ndarray ${value.dtype}`;
  if (value instanceof SelectedRows) return "SelectedRows";
  if (value instanceof PythonRecord) return `${value.module}.${value.className}`;
  if (value instanceof DTypeValue) return "dtype";
  if (value instanceof Slice) return "slice";
  if (value instanceof Range) return "range";
  if (value instanceof Program) return "Program";
  return "object";
}

/** A value in a few words. */
export function valueText(value: unknown, isFloat = false, depth = 0): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return numberText(value, isFloat);
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Float) return numberText(value.value, true);
  if (value instanceof Complex) return `(${value.re}${value.im < 0 ? "" : "+"}${value.im}j)`;
  if (value instanceof NumpyScalar) return valueText(value.value, value.dtype.includes("float"), depth);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof NDArray) return `${kindOf(value)} ${value.dtype} ${shapeText(value.shape)}`;
  if (value instanceof OpaqueArray) return shapeText(value.shape);
  if (value instanceof DTypeValue) return value.dtype;
  if (value instanceof Range || value instanceof Slice) {
    return [value.start, value.stop, value.step].map((part) => valueText(part)).join(":");
  }
  if (value instanceof PythonRecord) return around(value.fields, "{", "}", depth);
  if (value instanceof Tuple) return around(value, "(", value.length === 1 ? ",)" : ")", depth);
  if (Array.isArray(value)) return around(value, "[", "]", depth);
  if (value instanceof Map || value instanceof Set) return around(value, "{", "}", depth);
  return typeText(value);
}

function around(
  container: readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  open: string,
  close: string,
  depth: number,
): string {
  const isMap = container instanceof Map;
  const size = Array.isArray(container) ? container.length : (container as ReadonlySet<unknown>).size;
  if (size === 0) return open + close;
  if (depth === DEPTH) return `${open}...${close}`;
  const parts: string[] = [];
  for (const [key, item] of container.entries()) {
    if (parts.length === SHOWN) break;
    const text = valueText(item, isFloatAt(container, key, item), depth + 1);
    parts.push(isMap ? `${valueText(key)}: ${text}` : text);
  }
  if (size > SHOWN) parts.push(`... ${size} in all`);
  return open + parts.join(", ") + close;
}

/** Whether the value of a container at `key` is a float in the file. */
export function isFloatAt(container: object, key: unknown, value: unknown): boolean {
  return typeof value === "number" && wasFloat(container, key, value);
}

/** Whether a key of a container is a float in the file. */
export function isFloatKeyAt(container: object, key: unknown): boolean {
  return typeof key === "number" && wasFloatKey(container, key);
}

function numberText(x: number, isFloat: boolean): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  const text = Object.is(x, -0) ? "-0" : String(x);
  return (isFloat || Object.is(x, -0)) && Number.isInteger(x) && !text.includes("e") ? text + ".0" : text;
}

/** The class of an array in Paddle's terms. */
export function kindOf(array: NDArray): "Tensor" | "DenseTensor" | "NDArray" {
  return array instanceof Tensor ? "Tensor" : array instanceof DenseTensor ? "DenseTensor" : "NDArray";
}

/**
 * A value for JSON: dicts with string keys become objects, other dicts lists of pairs; arrays are described by dtype and shape, bytes by
 * their number; a value that contains itself is `null` there.
 */
export function valueJson(value: unknown): unknown {
  const around = new Set<unknown>();
  let count = 0;
  const made = (item: unknown): unknown => {
    if (++count > MOST) {
      throw new LimitError("LIMIT", `The value unfolds to more than ${MOST} values: ask for a part of it`, {
        max: MOST,
      });
    }
    if (item === undefined || item === null || typeof item !== "object") return item ?? null;
    if (item instanceof Float) return item.value;
    if (item instanceof Uint8Array) return { bytes: item.length };
    if (item instanceof NDArray || item instanceof OpaqueArray) return { dtype: item.dtype, shape: item.shape };
    if (item instanceof NumpyScalar) return made(item.value);
    if (item instanceof DTypeValue) return item.dtype;
    if (item instanceof Complex) return { re: item.re, im: item.im };
    if (around.has(item)) return null;
    around.add(item);
    checkDepth(around.size);
    const result = containerJson(item, made);
    around.delete(item);
    return result;
  };
  return made(value);
}

function containerJson(item: object, made: (value: unknown) => unknown): unknown {
  if (Array.isArray(item)) return Array.from(item, made);
  if (item instanceof Set) return [...item].map(made);
  if (item instanceof SelectedRows) return { rows: item.rows, height: item.height, value: made(item.value) };
  if (item instanceof PythonRecord) return { class: typeText(item), fields: made(item.fields) };
  if (item instanceof Range || item instanceof Slice) {
    return { start: made(item.start), stop: made(item.stop), step: made(item.step) };
  }
  if (item instanceof Map) {
    const entries = [...item].map(([key, element]) => [key, made(element)] as const);
    const isPlain = entries.every(([key]) => typeof key === "string");
    return isPlain ? new Map(entries as [string, unknown][]) : entries.map(([key, element]) => [made(key), element]);
  }
  return typeText(item);
}
