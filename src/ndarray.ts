/**
 * Numbers with a dtype and a shape.
 *
 * @module
 */
import { badBool, checkBools, convert, isBigInteger, isComplex, isNarrowFloat } from "./words/convert.ts";
import { type DType, dtypeInfo } from "./dtype.ts";
import { FormatError, UnsupportedError, ValueError } from "./errors.ts";
import { widenBits } from "./kernel.ts";
import { dtypeOf, flatten } from "./words/nested_lists.ts";
import { PackedBytes } from "./words/packed_bytes.ts";
import { checkedBytes, isMemory, plainBytes } from "./words/plain_bytes.ts";
import { described, shownValue } from "./words/described.ts";
import { badValue, bigFor, bitsOfScalar, floatOfBits, integerFor, isReal, toFloat } from "./words/scalar_cast.ts";
import { Float16, viewOf } from "./words/typed_view.ts";
import { Complex, Float } from "./values.ts";

/** Options of {@linkcode LazyBytes.pieces}. */
export interface PieceOptions {
  /** Stops the reading. */
  signal?: AbortSignal;
  /**
   * Memory for the pieces, kept here to be used again: a piece need not be good any more when the next one is asked for, of this array or of
   * another. @default each piece has memory of its own
   */
  scratch?: Uint8Array[];
}

/** Where the bytes of an array come from that was not read yet. */
export interface LazyBytes {
  /** Read them. */
  read(options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Read them at once; only where the place they lie in can do so. */
  readSync?(): Uint8Array;
  /** Read them into a place that has just their size; only where that saves one. */
  readInto?(into: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  /** Bytes `[from, to)` in pieces, one in memory while the next is read; only where they need not be held whole. */
  pieces?(from: number, to: number, options?: PieceOptions): AsyncGenerator<Uint8Array>;
  /** Throw where their place is no longer what it was when it was opened. */
  verify?(): Promise<void>;
}

/** What one element is in JavaScript: a bigint for int64 and uint64, a boolean for bool, a Complex for complex, else a number. */
export type Scalar = number | bigint | boolean | Complex;

/** The typed arrays that {@linkcode NDArray.data} can be. */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  // Not by name: `lib` of most projects does not have it.
  | (typeof globalThis extends { Float16Array: { prototype: infer A } } ? A : Uint16Array)
  | Float32Array
  | Float64Array;

/** Elements in lists, as deep as the array has axes; the element itself for a 0-d array. */
export type NestedArray = Scalar | NestedArray[];

/** What {@linkcode NDArray.fromArray} takes: lists in lists, typed arrays in the innermost place, or one element. */
export type ArrayInput = Scalar | Float | NumericArray | readonly ArrayInput[];

/** A class of arrays: what the static makers are called on. */
type ArrayClass<T> = new (dtype: DType, shape: readonly number[], data?: ArrayBufferView) => T;

/** numpy's ndarray: C order, little-endian, always. */
export class NDArray {
  /** Paddle's word for the kind of number. */
  declare readonly dtype: DType;
  /** Lengths of the axes; empty for a 0-d array. */
  declare readonly shape: readonly number[];
  /** Elements. */
  declare readonly size: number;
  /** Bytes. */
  declare readonly nbytes: number;
  #bytes: Uint8Array | null;
  /** Where the array begins in `#bytes`, which other arrays have as well; -1 where it is ours alone. */
  #start = -1;
  #lazy: LazyBytes | null = null;
  #data: NumericArray | null = null;

  /**
   * Make one over the bytes of `data`, without a copy; zeros where `data` is left out.
   *
   * @throws {ValueError} `INVALID_VALUE` where a length is no integer >= 0, or `product(shape) * itemsize` is not the byte length
   */
  constructor(dtype: DType, shape: readonly number[], data?: ArrayBuffer | ArrayBufferView | LazyBytes) {
    this.dtype = dtype;
    this.shape = shape;
    if (data instanceof PackedBytes) {
      this.size = data.size;
      this.nbytes = data.length;
      this.#bytes = data.slab;
      this.#start = data.start;
      return;
    }
    const { itemsize } = dtypeInfo(dtype);
    this.size = sizeOf(shape);
    this.nbytes = this.size * itemsize;
    if (this.nbytes > Number.MAX_SAFE_INTEGER) throw badShape(shape);
    if (data === undefined) this.#bytes = allocate(dtype, shape, this.nbytes);
    else if (data instanceof Uint8Array) this.#bytes = plainBytes(data);
    else if (isMemory(data)) this.#bytes = checkedBytes(data);
    else {
      if (typeof (data as LazyBytes | null)?.read !== "function") {
        const way = Array.isArray(data) ? ": fromArray(list) takes numbers" : "";
        throw new TypeError(`An array is made of bytes, or of a way to read them: got ${described(data)}${way}`);
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

  /** Whether the bytes are here. Arrays of an `open`ed checkpoint are read when they are asked for. */
  get isLoaded(): boolean {
    return this.#bytes !== null;
  }

  /** Where the bytes lie that were not read yet; null where they are here. */
  get unread(): LazyBytes | null {
    return this.#lazy;
  }

  /**
   * The bytes, no copy.
   *
   * @throws {ValueError} `INVALID_VALUE` where they are gone: the caller's buffer was transferred or changed its length
   */
  get bytes(): Uint8Array {
    if (this.#bytes === null) {
      if (!this.#lazy?.readSync) {
        throw new UnsupportedError("UNSUPPORTED_FEATURE", "The bytes were not read yet: await array.load() first");
      }
      this.#keep(this.#lazy.readSync());
    } else if (this.#start >= 0) {
      this.#bytes = this.#bytes.slice(this.#start, this.#start + this.nbytes);
      this.#start = -1;
    }
    if (this.#bytes!.byteLength !== this.nbytes) throw bytesGone();
    return this.#bytes!;
  }

  /** Read the bytes, if they are not here yet. */
  async load(options?: { signal?: AbortSignal }): Promise<this> {
    options?.signal?.throwIfAborted();
    if (this.#bytes === null) this.#keep(await this.#lazy!.read(options));
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

  /**
   * The elements in the typed array that fits them, no copy: what is written there is written here. float16 is a Float16Array where the
   * runtime has it, else the bits in a Uint16Array; bfloat16 is the bits in a Uint16Array, float8 in a Uint8Array; int64 a BigInt64Array;
   * bool a Uint8Array; complex the parts, real and imaginary in turn. Bytes that lie at an address where no such array can start are
   * copied once, and the copy takes their place.
   */
  get data(): NumericArray {
    if (this.#data === null) {
      const { swapsize } = dtypeInfo(this.dtype);
      if (this.bytes.byteOffset % swapsize !== 0) this.#bytes = this.bytes.slice();
      this.#data = viewOf(this.dtype, this.bytes);
    }
    if (this.#data.byteLength !== this.nbytes) throw bytesGone();
    return this.#data;
  }

  /**
   * One element; as in numpy, a negative index counts from the end.
   *
   * @throws {ValueError} `INVALID_VALUE` where the indices are not one for each axis, or one is out of range
   * @throws {FormatError} `BAD_NUMBER` where a bool is neither 0 nor 1
   */
  at(...index: number[]): Scalar {
    return this.#get(this.#place(index));
  }

  /**
   * Replace one element; as in numpy, a negative index counts from the end. A float is cut toward zero to become an integer, and rounded
   * to nearest even to become a narrower float; everything becomes a bool by being 0 or not.
   *
   * @throws {ValueError} `INVALID_VALUE` for an index out of range, for what is no number, or what the dtype has no room for;
   * `PRECISION_LOSS` for a number beyond 2^53 in an array of int64 or uint64: write a bigint
   */
  set(value: Scalar | Float, ...index: number[]): void {
    const place = this.#place(index);
    this.#put(place, value);
  }

  /**
   * Make every element `value`, by the rules of {@linkcode NDArray.set}.
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
   * A copy in another dtype. Floats are rounded to nearest even and cut toward zero to become integers; what an integer has no room for
   * wraps around, NaN and infinities become 0 there; a complex number gives its real part; everything becomes a bool by being 0 or not.
   * bfloat16 and float8 are made by way of float32, as in ml_dtypes and Paddle.
   *
   * @throws {FormatError} `BAD_NUMBER` where a bool is neither 0 nor 1
   */
  astype(dtype: DType): this {
    return this.like(dtype, this.shape, convert(this.bytes, this.dtype, dtype));
  }

  /**
   * The elements as float32, a copy; int64 and float64 are rounded to nearest even.
   *
   * @throws {FormatError} `BAD_NUMBER` where a bool is neither 0 nor 1
   */
  toFloat32Array(): Float32Array<ArrayBuffer> {
    return new Float32Array(convert(this.bytes, this.dtype, "float32").buffer);
  }

  /**
   * The elements in lists, as deep as there are axes; the element itself for a 0-d array.
   *
   * @throws {ValueError} `INVALID_VALUE` where there are no elements, but more than 2^24 empty lists
   * @throws {FormatError} `BAD_NUMBER` where a bool is neither 0 nor 1
   */
  toArray(): NestedArray {
    if (this.dtype === "bool") checkBools(this.bytes);
    if (this.shape.length === 0) return this.#get(0);
    const { shape } = this;
    // From the inside out: no recursion on the number of axes, which a file gives. An empty axis ends the lists.
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
   * Rows `start` to `end` (not included) along axis 0, as a view: no copy. Negative numbers count from the end, as in Python.
   *
   * @throws {ValueError} `INVALID_VALUE` for a 0-d array, or where a bound is no integer
   */
  slice(start = 0, end = Infinity): this {
    if (this.shape.length === 0) throw new ValueError("INVALID_VALUE", "A 0-d array has no axis to slice");
    const [length, ...rest] = this.shape;
    const from = bound(start, length);
    const to = Math.max(from, bound(end, length));
    const row = length === 0 ? 0 : this.nbytes / length;
    return this.like(this.dtype, [to - from, ...rest], this.bytes.subarray(from * row, to * row));
  }

  /**
   * The same bytes with another shape, no copy. One length may be -1: it is what the others leave.
   *
   * @throws {ValueError} `INVALID_VALUE` where the number of elements would change
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
    return this.like(this.dtype, [...whole], this.bytes);
  }

  /** A copy with bytes of its own. */
  clone(): this {
    return this.like(this.dtype, [...this.shape], this.bytes.slice());
  }

  /**
   * Whether dtype, shape and every bit agree. So a NaN equals a NaN of the same bits, and 0 does not equal -0; names and levels of detail
   * are not looked at.
   */
  equals(other: NDArray): boolean {
    if (this.dtype !== other?.dtype || this.shape.length !== other.shape.length) return false;
    if (this.shape.some((n, i) => n !== other.shape[i])) return false;
    return sameBytes(this.bytes, other.bytes);
  }

  /**
   * Make one from numbers in lists. Without a dtype: bool for booleans, int64 for bigints, complex64 for Complex, else float32; a typed
   * array gives its own.
   *
   * @throws {ValueError} `INVALID_VALUE` where the lists are not equally long, or an element does not fit
   *
   * @example
   * ```ts
   * import { NDArray } from "@oarlock/paddle";
   * const a = NDArray.fromArray([[1, 2], [3, 4]], "float16");
   * if (a.at(1, -1) !== 4) throw new Error("not a matrix");
   * ```
   */
  static fromArray<T extends NDArray>(this: ArrayClass<T>, nested: ArrayInput, dtype?: DType): T {
    const { shape, leaves } = flatten(nested);
    const array = new this(dtype ?? dtypeOf(nested, leaves), shape);
    for (let i = 0; i < leaves.length; i++) array.#put(i, leaves[i]);
    return array;
  }

  /** Make one full of zeros. */
  static zeros<T extends NDArray>(this: ArrayClass<T>, shape: readonly number[], dtype: DType = "float32"): T {
    return new this(dtype, [...listOf(shape)]);
  }

  /**
   * Make one full of `value`.
   *
   * @throws {ValueError} `INVALID_VALUE` where the dtype has no room for it
   */
  static full<T extends NDArray>(
    this: ArrayClass<T>,
    shape: readonly number[],
    value: Scalar | Float,
    dtype: DType = "float32",
  ): T {
    return new this(dtype, [...listOf(shape)]).fill(value);
  }

  /** An array of the same class, with what the class has beside the numbers. */
  protected like(dtype: DType, shape: readonly number[], bytes: Uint8Array): this {
    return new NDArray(dtype, shape, bytes) as this;
  }

  /** Which element the indices mean. */
  #place(index: readonly number[]): number {
    const { shape } = this;
    if (index.length !== shape.length) {
      throw new ValueError("INVALID_VALUE", `An array [${shape}] takes ${shape.length} indices: got ${index.length}`);
    }
    let place = 0;
    for (let axis = 0; axis < index.length; axis++) {
      const i = index[axis] < 0 ? index[axis] + shape[axis] : index[axis];
      if (!(Number.isInteger(i) && i >= 0 && i < shape[axis])) {
        throw new ValueError(
          "INVALID_VALUE",
          `Index ${shownValue(index[axis])} is out of range on axis ${axis}, which has ${shape[axis]} elements`,
        );
      }
      place = place * shape[axis] + i;
    }
    return place;
  }

  #get(place: number): Scalar {
    const { dtype, data } = this;
    if (isComplex(dtype)) return new Complex(data[2 * place] as number, data[2 * place + 1] as number);
    const x = data[place];
    if (dtype === "bool") {
      if (x !== 0 && x !== 1) throw badBool(x as number);
      return x === 1;
    }
    if (isNarrowFloat(dtype) && data.constructor !== Float16) return floatOfBits(widenBits(dtype, x as number));
    return x;
  }

  #put(place: number, value: Scalar | Float): void {
    const { dtype } = this;
    const data = this.data as Float64Array;
    const x: unknown = value instanceof Float ? value.value : value;
    if (x instanceof Complex ? !isComplex(dtype) && dtype !== "bool" : !isReal(x)) throw badValue(x, dtype);
    if (x instanceof Complex) {
      if (dtype === "bool") data[place] = x.re !== 0 || x.im !== 0 ? 1 : 0;
      else [data[2 * place], data[2 * place + 1]] = [x.re, x.im];
    } else if (dtype === "bool") data[place] = Number(x) !== 0 ? 1 : 0;
    else if (isBigInteger(dtype)) (this.data as BigInt64Array)[place] = bigFor(x as number | bigint | boolean, dtype);
    else if (isComplex(dtype)) [data[2 * place], data[2 * place + 1]] = [toFloat(x, dtype), 0];
    else if (isNarrowFloat(dtype)) {
      const bits = bitsOfScalar(x as number | bigint | boolean, dtype);
      const bytes = this.bytes;
      if (dtypeInfo(dtype).itemsize === 1) bytes[place] = bits;
      else [bytes[2 * place], bytes[2 * place + 1]] = [bits & 0xff, bits >> 8];
    } else if (dtype === "float32" || dtype === "float64") data[place] = toFloat(x, dtype);
    else data[place] = integerFor(x as number | bigint | boolean, dtype);
  }
}

/**
 * Make an NDArray from numbers in lists; see {@linkcode NDArray.fromArray}.
 *
 * @throws {ValueError} `INVALID_VALUE` where the lists are not equally long, or an element does not fit
 */
export function fromArray(nested: ArrayInput, dtype?: DType): NDArray {
  return NDArray.fromArray(nested, dtype);
}

/** Make an NDArray full of zeros. */
export function zeros(shape: readonly number[], dtype: DType = "float32"): NDArray {
  return NDArray.zeros(shape, dtype);
}

/**
 * Make an NDArray full of `value`.
 *
 * @throws {ValueError} `INVALID_VALUE` where the dtype has no room for it
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

/** A shape such as [4294967296, 0] costs a file nothing: its lists would cost all memory. */
const MAX_EMPTY_LISTS = 2 ** 24;

/** Elements of a shape. A length that is none is refused here, for all that make arrays. */
function sizeOf(shape: readonly number[]): number {
  let size = 1;
  listOf(shape);
  for (let axis = 0; axis < shape.length; axis++) {
    const n = shape[axis];
    if (!Number.isSafeInteger(n) || n < 0) throw badShape(shape);
    size *= n;
  }
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
    `A shape is a list of integers from 0 on whose product has a size: got ${shown}`,
  );
}

/**
 * The array that a caller gave.
 *
 * @throws {TypeError} it is none
 */
export function arrayGiven(given: unknown): NDArray {
  if (given instanceof NDArray) return given;
  throw new TypeError(
    `An array is due: got ${described(given)}${Array.isArray(given) ? ": fromArray(list) makes one" : ""}`,
  );
}

function badReshape(from: readonly number[], to: readonly number[]): ValueError {
  return new ValueError("INVALID_VALUE", `An array [${from}] can't be reshaped to [${to}]: another number of elements`);
}

function allocate(dtype: DType, shape: readonly number[], nbytes: number): Uint8Array {
  try {
    return new Uint8Array(nbytes);
  } catch (cause) {
    throw new ValueError("INVALID_VALUE", `No room for ${nbytes} bytes of ${dtype} [${shape}]`, { cause });
  }
}

/** A bound of a slice as Python takes it. */
function bound(at: number, length: number): number {
  if (!Number.isInteger(at) && Math.abs(at) !== Infinity) {
    throw new ValueError("INVALID_VALUE", `A bound of a slice is an integer: got ${shownValue(at)}`);
  }
  return at < 0 ? Math.max(0, length + at) : Math.min(at, length);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let done = 0;
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const count = a.length >> 2;
    const x = new Int32Array(a.buffer, a.byteOffset, count);
    const y = new Int32Array(b.buffer, b.byteOffset, count);
    for (let i = 0; i < count; i++) if (x[i] !== y[i]) return false;
    done = count * 4;
  }
  for (let i = done; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
