/**
 * Arrays with a dtype and a shape.
 *
 * @module
 */
import { badBool, checkBools, convert, isBigInteger, isComplex } from "./words/convert.ts";
import { type DType, dtypeInfo, isNarrowFloat } from "./dtype.ts";
import { FormatError, UnsupportedError, ValueError } from "./errors.ts";
import { widenBits } from "./kernel.ts";
import { dtypeOf, flatten } from "./words/nested_lists.ts";
import { PackedBytes } from "./words/packed_bytes.ts";
import { checkedBytes, isMemory, plainBytes } from "./words/plain_bytes.ts";
import { described, shownValue } from "./words/described.ts";
import { sameBytes } from "./words/same_bytes.ts";
import { badValue, bigFor, bitsOfScalar, floatOfBits, integerFor, isReal, toFloat } from "./words/scalar_cast.ts";
import { dtypeOfArray, Float16, viewOf } from "./words/typed_view.ts";
import { Complex, Float } from "./values.ts";
import { elementCount } from "./words/element_count.ts";

/** Options of {@linkcode LazyBytes.pieces}. */
export interface PieceOptions {
  /** Aborts reading. */
  signal?: AbortSignal;
  /**
   * Holds memory for pieces to be reused: a piece may then become invalid when the next one, of this array or another, is requested.
   * @default each piece has its own memory
   */
  scratch?: Uint8Array[];
}

/** Where the bytes of an array that has not been read come from. */
export interface LazyBytes {
  /** Read them. */
  read(options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Read them synchronously; present only if their source supports that. */
  readSync?: (() => Uint8Array) | undefined;
  /** Read them into a buffer of exactly their size; present only if that saves a copy. */
  readInto?(into: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  /** Bytes `[from, to)` in pieces, one in memory while the next is read; present only if they need not be held as a whole. */
  pieces?(from: number, to: number, options?: PieceOptions): AsyncGenerator<Uint8Array>;
  /** Throw if their source has changed since it was opened. */
  verify?(): Promise<void>;
}

/** An element in JavaScript: a bigint for int64 and uint64, a boolean for bool, a Complex for complex dtypes, else a number. */
export type Scalar = number | bigint | boolean | Complex;

/** The typed arrays that {@linkcode NDArray.data} can be, over any memory or over that of one kind. */
export type NumericArray<Memory extends ArrayBufferLike = ArrayBufferLike> =
  | Int8Array<Memory>
  | Uint8Array<Memory>
  | Int16Array<Memory>
  | Uint16Array<Memory>
  | Int32Array<Memory>
  | Uint32Array<Memory>
  | BigInt64Array<Memory>
  | BigUint64Array<Memory>
  // Not by name: the `lib` of most projects does not declare it.
  | (typeof globalThis extends { Float16Array: { prototype: infer A } } ? A & { readonly buffer: Memory }
    : Uint16Array<Memory>)
  | Float32Array<Memory>
  | Float64Array<Memory>;

/** Elements in lists, nested as deep as the array has axes; the element itself for a 0-d array. */
export type NestedArray = Scalar | NestedArray[];

/** Input of {@linkcode NDArray.fromArray}: nested lists, of which the innermost may be typed arrays, or a single element. */
export type ArrayInput = Scalar | Float | NumericArray | readonly ArrayInput[];

/** A class of arrays, on which the static factories are called. */
type ArrayClass<T> = new (dtype: DType, shape: readonly number[], data?: ArrayBufferView) => T;

/**
 * numpy's ndarray, always in C order and little-endian.
 *
 * @example Read and change elements, all at once or one by one
 * ```ts
 * import { NDArray } from "@oarlock/paddle";
 * const a = new NDArray("float32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
 * a.set(7, 0, -1);
 * a.data[3] = 8; // not a copy
 * if (JSON.stringify(a.toArray()) !== "[[1,2,7],[8,5,6]]") throw new Error(String(a.toArray()));
 * ```
 */
export class NDArray {
  /** Paddle's name for the element type. */
  declare readonly dtype: DType;
  /** Lengths of the axes; empty for a 0-d array. */
  declare readonly shape: readonly number[];
  /** Number of elements. */
  declare readonly size: number;
  /** Size in bytes. */
  declare readonly nbytes: number;
  #bytes: Uint8Array | null;
  /** Start of the array in `#bytes` if other arrays share that buffer; -1 if it is this array's own. */
  #start = -1;
  #lazy: LazyBytes | null = null;
  #data: NumericArray<ArrayBuffer> | null = null;

  /**
   * Create an array over the bytes of `data`, without copying them; without `data`, it is filled with zeros.
   *
   * @throws {ValueError} `INVALID_VALUE` if a length is not an integer >= 0, or `product(shape) * itemsize` is not the byte length
   */
  constructor(dtype: DType, shape: readonly number[], data?: ArrayBuffer | ArrayBufferView | LazyBytes) {
    this.dtype = dtype;
    if (data instanceof PackedBytes) {
      this.shape = shape;
      this.size = data.size;
      this.nbytes = data.length;
      this.#bytes = data.slab;
      this.#start = data.start;
      return;
    }
    const { itemsize } = dtypeInfo(dtype);
    this.size = sizeOf(shape);
    // A copy, as the caller may change the list. A pickle would write a length of -0 as a float.
    this.shape = shape.map((length) => length + 0);
    this.nbytes = this.size * itemsize;
    if (this.nbytes > Number.MAX_SAFE_INTEGER) throw badShape(shape);
    if (data === undefined) this.#bytes = allocate(dtype, shape, this.nbytes);
    else if (data instanceof Uint8Array) this.#bytes = plainBytes(data);
    else if (isMemory(data)) this.#bytes = checkedBytes(data);
    else {
      if (typeof (data as LazyBytes | null)?.read !== "function") {
        const way = Array.isArray(data) ? ": fromArray(list) takes numbers" : "";
        throw new TypeError(`An array is made from bytes, or from a way to read them: got ${described(data)}${way}`);
      }
      this.#bytes = null;
      this.#lazy = data;
    }
    if (this.#bytes && this.#bytes.byteLength !== this.nbytes) {
      throw new ValueError(
        "INVALID_VALUE",
        `An array of ${dtype} [${shape}] has ${this.nbytes} bytes: got ${this.#bytes.byteLength}`,
      );
    }
  }

  /** Whether the bytes are in memory. Arrays of an `open`ed checkpoint are read on demand. */
  get isLoaded(): boolean {
    return this.#bytes !== null;
  }

  /** The source of bytes that have not been read; null if they are in memory. */
  get unread(): LazyBytes | null {
    return this.#lazy;
  }

  /**
   * The bytes, not a copy. Memory that threads share, which few platform functions take, is not in the type: only an array that the caller
   * created over a SharedArrayBuffer has it.
   *
   * @throws {ValueError} `INVALID_VALUE` if they are gone because the caller's buffer was transferred or resized
   * @throws {UnsupportedError} `UNSUPPORTED_FEATURE` if they were not read yet and cannot be read synchronously: `await load()` first
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes === null) {
      if (!this.#lazy?.readSync) {
        throw new UnsupportedError("UNSUPPORTED_FEATURE", "The bytes have not been read yet: await array.load() first");
      }
      this.#keep(this.#lazy.readSync());
    } else if (this.#start >= 0) {
      this.#bytes = this.#bytes.slice(this.#start, this.#start + this.nbytes);
      this.#start = -1;
    }
    if (this.#bytes!.byteLength !== this.nbytes) throw bytesGone();
    return this.#bytes as Uint8Array<ArrayBuffer>;
  }

  /** Read the bytes, unless they are already in memory. */
  async load(options?: { signal?: AbortSignal }): Promise<this> {
    options?.signal?.throwIfAborted();
    if (this.#bytes !== null) return this;
    const bytes = await this.#lazy!.read(options);
    // Another call may have been faster, and the caller may have changed the elements since.
    if (this.#bytes === null) this.#keep(bytes);
    return this;
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.byteLength !== this.nbytes) {
      throw new FormatError(
        "SIZE_MISMATCH",
        `${this.dtype} [${this.shape}] has ${this.nbytes} bytes: got ${bytes.byteLength}`,
      );
    }
    this.#bytes = plainBytes(bytes);
    this.#lazy = null;
  }

  /** Take over the dtype and bytes of an array of the same shape: whoever holds this one then has the other's elements. */
  protected become({ dtype, nbytes, bytes }: NDArray): void {
    (this as { dtype: DType }).dtype = dtype;
    (this as { nbytes: number }).nbytes = nbytes;
    this.#bytes = bytes;
    this.#start = -1;
    this.#data = this.#lazy = null;
  }

  /**
   * The elements in a matching typed array, not a copy: writing to it changes this array. float16 is a Float16Array if the runtime has it,
   * else the bits in a Uint16Array; bfloat16 is the bits in a Uint16Array, float8 in a Uint8Array; int64 is a BigInt64Array; bool a
   * Uint8Array; complex numbers are their parts, real and imaginary alternately. Misaligned bytes are copied once, and the copy replaces
   * them.
   */
  get data(): NumericArray<ArrayBuffer> {
    this.#data ??= viewOf(this.dtype, this.#aligned());
    if (this.#data.byteLength !== this.nbytes) throw bytesGone();
    return this.#data;
  }

  /** The bytes, moved if no typed array can start at their offset: views made of them then share their memory with `data`. */
  #aligned(): Uint8Array<ArrayBuffer> {
    const { bytes } = this;
    return bytes.byteOffset % dtypeInfo(this.dtype).swapsize === 0 ? bytes : this.#bytes = bytes.slice();
  }

  /**
   * One element; as in numpy, a negative index counts from the end.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is not one index per axis, or one is out of range
   * @throws {FormatError} `BAD_NUMBER` if a bool is neither 0 nor 1
   */
  at(...index: number[]): Scalar {
    return this.#get(this.#position(index));
  }

  /**
   * Set one element; as in numpy, a negative index counts from the end. For an integer dtype a float is truncated toward zero, for a
   * narrower float dtype it is rounded to nearest even; for bool, anything but 0 is true.
   *
   * @throws {ValueError} `INVALID_VALUE` for an index out of range, for a value that is not a number or is out of the dtype's range;
   * `PRECISION_LOSS` for a number beyond 2^53 in an array of int64 or uint64: use a bigint
   */
  set(value: Scalar | Float, ...index: number[]): void {
    const position = this.#position(index);
    this.#put(position, value);
  }

  /**
   * Set every element to `value`, by the rules of {@linkcode NDArray.set}.
   *
   * @throws {ValueError} `INVALID_VALUE`, `PRECISION_LOSS`
   */
  fill(value: Scalar | Float): this {
    if (this.size === 0) return this;
    this.#put(0, value);
    const { bytes } = this;
    for (let done = dtypeInfo(this.dtype).itemsize; done < bytes.length; done *= 2) bytes.copyWithin(done, 0, done);
    return this;
  }

  /**
   * A copy in another dtype. Floats are rounded to nearest even for narrower floats, and truncated toward zero for integers; values out of
   * an integer dtype's range wrap around, and NaN and infinities become 0; of complex numbers the real part is taken; for bool, anything
   * but 0 is true.
   * Conversion to bfloat16 and float8 goes through float32, as in ml_dtypes and Paddle.
   *
   * @throws {FormatError} `BAD_NUMBER` if a bool is neither 0 nor 1
   */
  astype(dtype: DType): this {
    return this.like(dtype, this.shape, convert(this.bytes, this.dtype, dtype));
  }

  /**
   * A copy of the elements as float32; int64 and float64 are rounded to nearest even.
   *
   * @throws {FormatError} `BAD_NUMBER` if a bool is neither 0 nor 1
   */
  toFloat32Array(): Float32Array<ArrayBuffer> {
    return new Float32Array(convert(this.bytes, this.dtype, "float32").buffer);
  }

  /**
   * The elements in lists, nested as deep as there are axes; the element itself for a 0-d array.
   *
   * @throws {ValueError} `INVALID_VALUE` if there are no elements, but more than 2^24 empty lists
   * @throws {FormatError} `BAD_NUMBER` if a bool is neither 0 nor 1
   */
  toArray(): NestedArray {
    if (this.dtype === "bool") checkBools(this.bytes);
    if (this.shape.length === 0) return this.#get(0);
    const { shape } = this;
    // From the inside out, without recursion over the axes, whose number a file chooses. The lists end at an empty axis.
    const empty = shape.indexOf(0);
    const depth = empty < 0 ? shape.length : empty + 1;
    let lists: NestedArray[] = [];
    for (let i = 0; i < this.size; i++) lists.push(this.#get(i));
    let outer = sizeOf(shape.slice(0, depth - 1));
    if (empty >= 0 && outer > MAX_EMPTY_LISTS) {
      throw new ValueError("INVALID_VALUE", `An array [${shape}] without elements would be ${outer} empty lists`);
    }
    for (let axis = depth - 1; axis > 0; axis--) {
      const length = shape[axis];
      const next: NestedArray[] = [];
      for (let i = 0; i < outer; i++) next.push(lists.slice(i * length, (i + 1) * length));
      lists = next;
      outer /= shape[axis - 1];
    }
    return lists;
  }

  /**
   * Rows `start` to `end` (exclusive) along axis 0, as a view. Negative bounds count from the end, as in Python. Misaligned bytes are copied
   * once, as for {@linkcode NDArray.data}.
   *
   * @throws {ValueError} `INVALID_VALUE` for a 0-d array, or if a bound is not an integer
   */
  slice(start = 0, end = Infinity): this {
    const [shape, first, last] = sliceOf(this, start, end);
    return this.like(this.dtype, shape, this.#aligned().subarray(first, last));
  }

  /**
   * A view of the same bytes with another shape. One length may be -1, to be inferred from the others. Misaligned bytes are copied once, as
   * for {@linkcode NDArray.data}.
   *
   * @throws {ValueError} `INVALID_VALUE` if the number of elements would change
   */
  reshape(shape: readonly number[]): this {
    const open = listOf(shape).indexOf(-1);
    let whole = shape;
    if (open >= 0) {
      const others = sizeOf(shape.filter((_, i) => i !== open));
      if (others === 0 || this.size % others !== 0) throw badReshape(this.shape, shape);
      whole = shape.map((n, i) => i === open ? this.size / others : n);
    }
    if (sizeOf(whole) !== this.size) throw badReshape(this.shape, shape);
    return this.like(this.dtype, whole, this.#aligned());
  }

  /** A copy with its own bytes. */
  clone(): this {
    return this.like(this.dtype, this.shape, this.bytes.slice());
  }

  /**
   * Whether dtype, shape and every bit agree. So a NaN equals a NaN with the same bits, and 0 does not equal -0; names and LoD are not
   * compared.
   */
  equals(other: NDArray): boolean {
    if (this.dtype !== other?.dtype || this.shape.length !== other.shape?.length) return false;
    if (this.shape.some((n, i) => n !== other.shape[i])) return false;
    return sameBytes(this.bytes, other.bytes);
  }

  /**
   * Create an array from nested lists. Without a dtype: that of the typed arrays in it, if they agree; bool if all elements are booleans,
   * int64 if all are bigints or booleans, complex64 if one is a Complex, else float32.
   *
   * @throws {ValueError} `INVALID_VALUE` if lists differ in length, or an element does not fit the dtype; `PRECISION_LOSS` for a number
   * beyond 2^53 as int64 or uint64; `CYCLE` if a list contains itself
   *
   * @example
   * ```ts
   * import { NDArray } from "@oarlock/paddle";
   * const a = NDArray.fromArray([[1, 2], [3, 4]], "float16");
   * if (a.at(1, -1) !== 4) throw new Error("not a matrix");
   * ```
   */
  static fromArray<T extends NDArray>(this: ArrayClass<T>, nested: ArrayInput, dtype?: DType): T {
    const { shape, leaves, dtype: ofRows } = flatten(nested);
    const array = new this(dtype ?? ofRows ?? dtypeOf(leaves), shape);
    // A typed array of the same dtype is copied as bytes, which keeps the bits of NaNs.
    if (ArrayBuffer.isView(leaves) && dtypeOfArray(leaves) === array.dtype) {
      array.bytes.set(checkedBytes(leaves));
      return array;
    }
    for (let i = 0; i < leaves.length; i++) array.#put(i, leaves[i]);
    return array;
  }

  /** Create an array filled with zeros. */
  static zeros<T extends NDArray>(this: ArrayClass<T>, shape: readonly number[], dtype: DType = "float32"): T {
    return new this(dtype, listOf(shape));
  }

  /**
   * Create an array filled with `value`.
   *
   * @throws {ValueError} `INVALID_VALUE` if it is out of the dtype's range; `PRECISION_LOSS` as for {@linkcode NDArray.set}
   */
  static full<T extends NDArray>(
    this: ArrayClass<T>,
    shape: readonly number[],
    value: Scalar | Float,
    dtype: DType = "float32",
  ): T {
    return new this(dtype, listOf(shape)).fill(value);
  }

  /** Create an array of the same class, with the properties that the class adds. */
  protected like(dtype: DType, shape: readonly number[], bytes: Uint8Array): this {
    return new NDArray(dtype, shape, bytes) as this;
  }

  /** Position of an element, in C order. */
  #position(index: readonly number[]): number {
    const { shape } = this;
    if (index.length !== shape.length) {
      throw new ValueError(
        "INVALID_VALUE",
        `An array of shape [${shape}] takes ${shape.length} ${
          shape.length === 1 ? "index" : "indices"
        }: got ${index.length}`,
      );
    }
    let position = 0;
    for (let axis = 0; axis < index.length; axis++) {
      const i = index[axis] < 0 ? index[axis] + shape[axis] : index[axis];
      if (!(Number.isInteger(i) && i >= 0 && i < shape[axis])) {
        throw new ValueError(
          "INVALID_VALUE",
          `Index ${shownValue(index[axis])} is out of range on axis ${axis}, which has ${shape[axis]} elements`,
        );
      }
      position = position * shape[axis] + i;
    }
    return position;
  }

  #get(position: number): Scalar {
    const { dtype, data } = this;
    if (isComplex(dtype)) return new Complex(data[2 * position] as number, data[2 * position + 1] as number);
    const x = data[position];
    if (dtype === "bool") {
      if (x !== 0 && x !== 1) throw badBool(x as number);
      return x === 1;
    }
    if (isNarrowFloat(dtype) && data.constructor !== Float16) return floatOfBits(widenBits(dtype, x as number));
    return x;
  }

  #put(position: number, value: Scalar | Float): void {
    const { dtype } = this;
    const data = this.data as Float64Array;
    const x: unknown = value instanceof Float ? value.value : value;
    if (x instanceof Complex ? !isComplex(dtype) && dtype !== "bool" : !isReal(x)) throw badValue(x, dtype);
    if (x instanceof Complex) {
      if (dtype === "bool") data[position] = x.re !== 0 || x.im !== 0 ? 1 : 0;
      else [data[2 * position], data[2 * position + 1]] = [x.re, x.im];
    } else if (dtype === "bool") data[position] = Number(x) !== 0 ? 1 : 0;
    else if (isBigInteger(dtype)) {
      (this.data as BigInt64Array)[position] = bigFor(x as number | bigint | boolean, dtype);
    } else if (isComplex(dtype)) [data[2 * position], data[2 * position + 1]] = [toFloat(x, dtype), 0];
    else if (isNarrowFloat(dtype)) {
      const bits = bitsOfScalar(x as number | bigint | boolean, dtype);
      const bytes = this.bytes;
      if (dtypeInfo(dtype).itemsize === 1) bytes[position] = bits;
      else [bytes[2 * position], bytes[2 * position + 1]] = [bits & 0xff, bits >> 8];
    } else if (dtype === "float32" || dtype === "float64") data[position] = toFloat(x, dtype);
    else data[position] = integerFor(x as number | bigint | boolean, dtype);
  }
}

/**
 * Create an NDArray from nested lists; see {@linkcode NDArray.fromArray}.
 *
 * @throws {ValueError} what that throws
 *
 * @example A matrix
 * ```ts
 * import { fromArray } from "@oarlock/paddle";
 *
 * const w = fromArray([[1, 2], [3, 4]], "float16");
 * if (w.shape.join() !== "2,2" || w.at(1, 0) !== 3) throw new Error("lost");
 * ```
 */
export function fromArray(nested: ArrayInput, dtype?: DType): NDArray {
  return NDArray.fromArray(nested, dtype);
}

/**
 * Create an NDArray filled with zeros.
 *
 * @example Of float32, and of another dtype
 * ```ts
 * import { zeros } from "@oarlock/paddle";
 *
 * if (zeros([2, 3]).size !== 6 || zeros([2], "int64").at(0) !== 0n) throw new Error("lost");
 * ```
 */
export function zeros(shape: readonly number[], dtype: DType = "float32"): NDArray {
  return NDArray.zeros(shape, dtype);
}

/**
 * Create an NDArray filled with `value`.
 *
 * @throws {ValueError} `INVALID_VALUE` if it is out of the dtype's range; `PRECISION_LOSS` as for {@linkcode NDArray.set}
 *
 * @example One number everywhere
 * ```ts
 * import { full } from "@oarlock/paddle";
 *
 * if (full([2, 3], 0.5).at(1, 2) !== 0.5) throw new Error("lost");
 * ```
 */
export function full(shape: readonly number[], value: Scalar | Float, dtype: DType = "float32"): NDArray {
  return NDArray.full(shape, value, dtype);
}

function bytesGone(): ValueError {
  return new ValueError(
    "INVALID_VALUE",
    "The bytes of an array are gone: its buffer was detached or resized. clone() gives an array bytes of its own",
  );
}

/** A shape such as [4294967296, 0] costs a file nothing, but its lists would take all memory. */
const MAX_EMPTY_LISTS = 2 ** 24;

/** Number of elements of a shape. Invalid lengths are refused here for all functions that create arrays. */
function sizeOf(shape: readonly number[]): number {
  listOf(shape);
  for (let axis = 0; axis < shape.length; axis++) {
    if (!Number.isSafeInteger(shape[axis]) || shape[axis] < 0) throw badShape(shape);
  }
  const size = elementCount(shape);
  if (!Number.isSafeInteger(size)) throw badShape(shape);
  return size;
}

function listOf(shape: readonly number[]): readonly number[] {
  if (!Array.isArray(shape)) throw badShape(shape);
  return shape;
}

function badShape(shape: unknown): ValueError {
  const shown = Array.isArray(shape) ? `[${shape}]` : shownValue(shape);
  return new ValueError(
    "INVALID_VALUE",
    `A shape must be a list of non-negative integers with a representable product: got ${shown}`,
  );
}

/**
 * Check that a caller's argument is an array.
 *
 * @throws {TypeError} it is not
 */
export function arrayGiven(given: unknown): NDArray {
  if (given instanceof NDArray) return given;
  throw new TypeError(
    `Expected an array: got ${described(given)}${Array.isArray(given) ? ": fromArray(list) makes one" : ""}`,
  );
}

function badReshape(from: readonly number[], to: readonly number[]): ValueError {
  return new ValueError(
    "INVALID_VALUE",
    `An array [${from}] can't be reshaped to [${to}]: the numbers of elements differ`,
  );
}

function allocate(dtype: DType, shape: readonly number[], nbytes: number): Uint8Array {
  try {
    return new Uint8Array(nbytes);
  } catch (cause) {
    throw new ValueError("INVALID_VALUE", `Cannot allocate ${nbytes} bytes for ${dtype} [${shape}]`, { cause });
  }
}

/**
 * The shape and the bytes `[first, last)` of elements `start` to `end` (exclusive) along axis 0.
 *
 * @throws {ValueError} `INVALID_VALUE` for a 0-d array, or if a bound is not an integer
 */
export function sliceOf(
  { shape: [length, ...rest], nbytes }: NDArray,
  start = 0,
  end = Infinity,
): [shape: number[], first: number, last: number] {
  if (length === undefined) throw new ValueError("INVALID_VALUE", "A 0-d array has no axis to slice");
  const from = bound(start, length), to = Math.max(from, bound(end, length));
  const row = nbytes / length || 0;
  return [[to - from, ...rest], from * row, to * row];
}

/** A bound of a slice, interpreted as in Python. */
function bound(at: number, length: number): number {
  if (!Number.isInteger(at) && Math.abs(at) !== Infinity) {
    throw new ValueError("INVALID_VALUE", `A slice bound must be an integer: got ${shownValue(at)}`);
  }
  return at < 0 ? Math.max(0, length + at) : Math.min(at, length);
}
