/**
 * The values of Python that JavaScript has no word for, each as a small class, so that a file comes back as it was.
 *
 * @module
 */
import type { DType } from "./dtype.ts";
import type { NDArray } from "./ndarray.ts";
import type { Tensor } from "./tensor.ts";
import { ValueError } from "./errors.ts";
import { shownValue } from "./words/described.ts";

/** Whatever `paddle.load` can give and `paddle.save` takes. */
export type Value = unknown;

/** A state dict: structured names to Tensors, and what an optimizer keeps beside them. */
export type StateDict = Map<string, Tensor | NDArray | Value>;

/**
 * A Python tuple. It is an Array in every way, and stays a tuple through load and save.
 *
 * @example
 * ```ts
 * import { decode, encode, Tuple } from "@oarlock/paddle";
 * const back = decode(encode(Tuple.of<unknown>(1, "a")));
 * if (!(back instanceof Tuple) || back[1] !== "a") throw new Error("not a tuple");
 * ```
 */
export class Tuple<T = Value> extends Array<T> {
  /** Methods such as map() give plain arrays: only what was a tuple is one. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** Python's collections.OrderedDict: a Map in file order that stays an OrderedDict through load and save. */
export class OrderedDict<K = Value, V = Value> extends Map<K, V> {
  /** Attributes that a pickle set on the object (`_metadata` of newest Paddle), or undefined. */
  attributes?: Map<Value, Value>;
}

/** Python's collections.defaultdict; the factory is a name such as `list` and is never called. */
export class DefaultDict<K = Value, V = Value> extends Map<K, V> {
  /** Name of the factory, `builtins.list` and the like, or null. */
  factory: string | null = null;
}

/** Python's frozenset. */
export class FrozenSet<T = Value> extends Set<T> {}

/** Python's bytearray: bytes that stay a bytearray through load and save. */
export class ByteArray extends Uint8Array<ArrayBuffer> {}

/** A complex number. */
export class Complex {
  /** The real part. */
  readonly re: number;
  /** The imaginary part. */
  readonly im: number;
  /** Make one. */
  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/**
 * A Python float, for authors: `new Float(1)` is saved as 1.0 where `1` is saved as the int 1.
 * What is loaded is a plain number; the container it came in remembers that it was a float.
 */
export class Float {
  /** The number. */
  readonly value: number;
  /** Make one. */
  constructor(value: number) {
    this.value = value;
  }
  /** The number, so that arithmetic works. */
  valueOf(): number {
    return this.value;
  }
}

/** A numpy scalar such as `numpy.float32(0.5)`: the dtype is kept. */
export class NumpyScalar {
  /** Paddle's word for the dtype; numpy's for what Paddle lacks (`str32`, `datetime64[D]`). */
  readonly dtype: DType | string;
  /** The number; bigint for 64-bit integers beyond the safe range. */
  readonly value: number | bigint | boolean | Complex | string | Uint8Array;
  /** Make one. */
  constructor(dtype: DType | string, value: NumpyScalar["value"]) {
    this.dtype = dtype;
    this.value = value;
  }
}

/** A dtype as a value: `numpy.dtype("float32")`, or the class `numpy.float32` itself. */
export class DTypeValue {
  /** numpy's name of the dtype. */
  readonly dtype: string;
  /** Whether it was the class (`numpy.float32`) and not an instance of `numpy.dtype`. */
  readonly isClass: boolean;
  /** Make one. */
  constructor(dtype: string, isClass: boolean) {
    this.dtype = dtype;
    this.isClass = isClass;
  }
}

/** Python's slice(start, stop, step): a record, never applied. */
export class Slice {
  /** Start. */
  readonly start: Value;
  /** Stop. */
  readonly stop: Value;
  /** Step. */
  readonly step: Value;
  /** Make one. */
  constructor(start: Value, stop: Value, step: Value = null) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/** Python's range(start, stop, step): a record, never expanded. */
export class Range {
  /** Start. */
  readonly start: number | bigint;
  /** Stop. */
  readonly stop: number | bigint;
  /** Step. */
  readonly step: number | bigint;
  /** Make one. */
  constructor(start: number | bigint, stop: number | bigint, step: number | bigint = 1) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/** An instance of one of the few Python classes that are known as plain records (distributed metadata, RNG state). */
export class PythonRecord {
  /** The module as the file names it. */
  readonly module: string;
  /** The class name. */
  readonly className: string;
  /** The fields, in file order. */
  readonly fields: Map<string, Value>;
  /** Make one. */
  constructor(module: string, className: string, fields: Map<string, Value> = new Map()) {
    this.module = module;
    this.className = className;
    this.fields = fields;
  }
}

/**
 * A numpy array of a kind that no Tensor can hold (text, objects, dates, structures, long doubles): kept to look at, and saved again as
 * the same array. What an author makes is saved by the name of its dtype; a structure needs the file it came from.
 */
export class OpaqueArray {
  /** numpy's code of the dtype: `<M8[D]`, `|O`, `<U5`, `|V8`, `<f16`. */
  readonly dtype: string;
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** The bytes in C order, in the byte order that `dtype` names; empty for object arrays. */
  readonly bytes: Uint8Array;
  /** The elements of an object array. */
  readonly items: readonly Value[] | null;
  /** Make one. */
  constructor(dtype: string, shape: readonly number[], bytes: Uint8Array, items: readonly Value[] | null = null) {
    this.dtype = dtype;
    this.shape = shape;
    this.bytes = bytes;
    this.items = items;
  }
}

/** Paddle's SelectedRows: some rows of a tall matrix. */
export class SelectedRows {
  /** The row numbers, one for each row of `value`. */
  readonly rows: number[];
  /** Rows of the whole matrix. */
  readonly height: number;
  /** The rows that are there. */
  readonly value: NDArray;
  /** Make one. */
  constructor(rows: number[], height: number, value: NDArray) {
    this.rows = rows;
    this.height = height;
    this.value = value;
  }
}

/**
 * A Map as an object without prototype. Keys that become the same string (`1` and `"1"`) are refused.
 *
 * @throws {ValueError} `NAME_COLLISION`
 */
export function toObject(map: ReadonlyMap<Value, Value>): Record<string, Value> {
  if (!(map instanceof Map)) throw new TypeError(`toObject takes a Map: got ${shownValue(map)}`);
  const object = Object.create(null) as Record<string, Value>;
  for (const [key, value] of map) {
    const name = String(key);
    if (Object.hasOwn(object, name)) {
      throw new ValueError("NAME_COLLISION", `Two keys become ${JSON.stringify(name)}`, { names: [name] });
    }
    defineField(object, name, value);
  }
  return object;
}

/** The own enumerable string keys of an object as a Map: the way back from {@linkcode toObject}. A Map is copied. */
export function toMap<T>(object: Readonly<Record<string, T>>): Map<string, T> {
  return new Map(object instanceof Map ? object : Object.entries(object));
}

/** The one place where a name from a file becomes a property: no setter and no prototype is ever reached. */
export function defineField(object: object, name: string, value: Value): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
