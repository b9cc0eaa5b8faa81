/**
 * Python values without a counterpart in JavaScript, each as a small class, so that files round-trip.
 *
 * @module
 */
import type { DType } from "./dtype.ts";
import type { NDArray } from "./ndarray.ts";
import type { Tensor } from "./tensor.ts";
import { ValueError } from "./errors.ts";
import { shownValue } from "./words/described.ts";
import { defineField } from "./words/plain_object.ts";
import { carryFloats, rememberFloat, wasFloat } from "./words/floats.ts";

/** Anything that `paddle.load` can return and `paddle.save` accepts. */
export type Value = unknown;

/** A state dict: maps structured names to Tensors, along with other state that an optimizer has. */
export type StateDict = Map<string, Tensor | NDArray | Value>;

/**
 * A Python tuple. It behaves as an Array, and stays a tuple through load and save.
 *
 * @example
 * ```ts
 * import { decode, encode, Tuple } from "@oarlock/paddle";
 * const back = decode(encode(Tuple.of<unknown>(1, "a")));
 * if (!(back instanceof Tuple) || back[1] !== "a") throw new Error("not a tuple");
 * ```
 */
export class Tuple<T = Value> extends Array<T> {
  /** Methods such as map() return plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** Python's collections.OrderedDict: a Map in file order that stays an OrderedDict through load and save. */
export class OrderedDict<K = Value, V = Value> extends Map<K, V> {
  /** Attributes that a pickle set on the object (such as `_metadata` of the newest Paddle), or undefined. */
  attributes?: Map<Value, Value>;
}

/** Python's collections.defaultdict; the factory is a name such as `list` and is never called. */
export class DefaultDict<K = Value, V = Value> extends Map<K, V> {
  /** Name of the factory, such as `builtins.list`, or null. */
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
  /** Create a complex number. */
  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
  /** The number as in Python: `1+2j`, `-0-0j`. */
  toString(): string {
    const [re, im] = [this.re, this.im].map((part) => Object.is(part, -0) ? "-0" : `${part}`);
    return `${re}${im[0] === "-" ? "" : "+"}${im}j`;
  }
}

/**
 * A Python float, for values to be saved: `new Float(1)` is saved as 1.0, whereas `1` is saved as the int 1.
 * A loaded float is a plain number; the container it is in remembers that it was a float.
 *
 * @example
 * ```ts
 * import { decode, encode, Float } from "@oarlock/paddle";
 * const state = new Map<string, number | Float>([["epoch", 1], ["lr", new Float(1)]]);
 * const again = decode(encode(state)) as Map<string, number>;
 * if (again.get("lr") !== 1) throw new Error("lost"); // encoded again, it is 1.0 as before
 * ```
 */
export class Float {
  /** The number. */
  readonly value: number;
  /** Create a float. */
  constructor(value: number) {
    this.value = value;
  }
  /** The number, so that arithmetic works. */
  valueOf(): number {
    return this.value;
  }
}

/** A numpy scalar such as `numpy.float32(0.5)`, with its dtype. */
export class NumpyScalar {
  /** Paddle's name for the dtype, or numpy's for dtypes that Paddle lacks (`str32`, `datetime64[D]`). */
  readonly dtype: DType | string;
  /** The value; a bigint for 64-bit integers beyond the safe range. */
  readonly value: number | bigint | boolean | Complex | string | Uint8Array;
  /** Create a scalar. */
  constructor(dtype: DType | string, value: NumpyScalar["value"]) {
    this.dtype = dtype;
    this.value = value;
  }
  /** The value as text: as a key of a dict, `numpy.int64(3)` is called `3`. */
  toString(): string {
    return String(this.value);
  }
}

/** A dtype as a value: `numpy.dtype("float32")`, or the class `numpy.float32` itself. */
export class DTypeValue {
  /** numpy's name of the dtype. */
  readonly dtype: string;
  /** Whether it is the class (`numpy.float32`) rather than an instance of `numpy.dtype`. */
  readonly isClass: boolean;
  /** Create a dtype value. */
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
  /** Create a slice. */
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
  /** Create a range. */
  constructor(start: number | bigint, stop: number | bigint, step: number | bigint = 1) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/**
 * An instance of one of the few Python classes that are known to be plain records (distributed metadata, RNG state). A `paddle.dtype` is one
 * with the field `value`: its number in the Paddle that saved it, as 5 up to 2.6 and 10 from 3.0 on for float32; the file does not say which.
 */
export class PythonRecord {
  /** The module, as named in the file. */
  readonly module: string;
  /** The class name. */
  readonly className: string;
  /** The fields, in file order. */
  readonly fields: Map<string, Value>;
  /** Create a record. */
  constructor(module: string, className: string, fields: Map<string, Value> = new Map()) {
    this.module = module;
    this.className = className;
    this.fields = fields;
  }
}

/**
 * In the value of an {@linkcode audit} with `{ unknown: "opaque" }`: an object of a class that `load` refuses, or that class itself. It is
 * frozen, nothing of it was called, and `save` refuses it.
 */
export class PickledObject {
  /** The class or function, such as `argparse.Namespace`; empty if an object was called that is none. */
  readonly symbol: string;

  /** Create an object. */
  constructor(symbol: string, parts: PickledParts = [null, null, null]) {
    this.symbol = symbol;
    PARTS.set(this, parts);
    Object.freeze(this);
  }

  /** The arguments, usually a Tuple; keywords come last, as a dict. Null if the file only names the symbol. */
  get args(): Value {
    return PARTS.get(this)![0];
  }

  /** The state that was set, usually a dict of fields; null if none. */
  get state(): Value {
    return PARTS.get(this)![1];
  }

  /** What was added to it: a list, a dict or a set; null if nothing. */
  get items(): Value[] | Map<Value, Value> | Set<Value> | null {
    return PARTS.get(this)![2];
  }
}

/** Arguments, state and items of a {@linkcode PickledObject}. */
export type PickledParts = [args: Value, state: Value, items: Value[] | Map<Value, Value> | Set<Value> | null];

const PARTS = /* @__PURE__ */ new WeakMap<PickledObject, PickledParts>();

/** The parts of an object, in which arrays are put in place. */
export function partsOfObject(object: PickledObject): PickledParts {
  return PARTS.get(object)!;
}

/**
 * A numpy array with a dtype that no Tensor can have (strings, objects, dates, structures, long doubles): it can be inspected, and saved
 * again as the same array. One created by the caller is saved by the name of its dtype; a structured one must come from a file.
 */
export class OpaqueArray {
  /** numpy's code for the dtype: `<M8[D]`, `|O`, `<U5`, `|V8`, or `float128`. */
  readonly dtype: string;
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** The bytes in C order, in the byte order given by `dtype`; empty for object arrays. */
  readonly bytes: Uint8Array;
  /** The elements of an object array; null for others. */
  readonly items: readonly Value[] | null;
  /** Create an opaque array. */
  constructor(dtype: string, shape: readonly number[], bytes: Uint8Array, items: readonly Value[] | null = null) {
    this.dtype = dtype;
    this.shape = shape;
    this.bytes = bytes;
    this.items = items;
  }
}

/**
 * Paddle's SelectedRows: some rows of a tall matrix, such as the gradient of an embedding.
 *
 * @example
 * ```ts
 * import { fromArray, SelectedRows } from "@oarlock/paddle";
 * const gradient = new SelectedRows([7, 2], 10, fromArray([[0.5, 0.5], [1, 1]], "float32")); // of rows 7 and 2 of 10
 * if (gradient.value.shape[0] !== gradient.rows.length) throw new Error("a row number for each row");
 * ```
 */
export class SelectedRows {
  /** The row numbers, one for each row of `value`. */
  readonly rows: number[];
  /** Number of rows of the whole matrix. */
  readonly height: number;
  /** The selected rows. */
  readonly value: NDArray;
  /** Create a SelectedRows. */
  constructor(rows: number[], height: number, value: NDArray) {
    this.rows = rows;
    this.height = height;
    this.value = value;
  }
}

/**
 * Convert a Map to an object without prototype. Keys that become the same string (`1` and `"1"`) are refused.
 *
 * @throws {ValueError} `NAME_COLLISION`
 *
 * @example
 * ```ts
 * import { toMap, toObject } from "@oarlock/paddle";
 * const { epoch } = toObject(toMap({ epoch: 3 }));
 * if (epoch !== 3) throw new Error("lost");
 * ```
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
    if (typeof value === "number" && wasFloat(map, key, value)) rememberFloat(object, name, value);
  }
  return object;
}

/**
 * Convert the own enumerable string keys of an object to a Map: the inverse of {@linkcode toObject}. A Map is copied.
 *
 * @example A state dict from an object
 * ```ts
 * import { encode, toMap, zeros } from "@oarlock/paddle";
 *
 * const bytes = encode(toMap({ weight: zeros([2, 3]), bias: zeros([3]) }));
 * if (bytes.length === 0) throw new Error("empty");
 * ```
 */
export function toMap<T>(object: Readonly<Record<string, T>>): Map<string, T> {
  const map = new Map<string, T>(object instanceof Map ? object : Object.entries(object));
  map.forEach((value, key) => carryFloats(object, map, key, value));
  return map;
}
