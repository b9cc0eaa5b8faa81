/**
 * Converts bytes of one dtype to bytes of another, as numpy's `astype` and Paddle's `cast` do.
 *
 * @module
 */
import { allocate } from "./allocate.ts";
import { type DType, dtypeInfo, isFloat8, isNarrowFloat } from "../dtype.ts";
import { FormatError } from "../errors.ts";
import { aligned, bytesOf, float32FromNarrow, narrowFromFloat32 } from "../kernel.ts";
import { viewOf } from "./typed_view.ts";

/** Elements converted at a time, so that the extra memory does not grow with the array. */
const PIECE = 0x2000;

/** Whether the elements are 64-bit integers, which are bigints in JavaScript. */
export function isBigInteger(dtype: DType): dtype is "int64" | "uint64" {
  return dtype === "int64" || dtype === "uint64";
}

/** Whether the elements have a real and an imaginary part. */
export function isComplex(dtype: DType): dtype is "complex64" | "complex128" {
  return dtype === "complex64" || dtype === "complex128";
}

/**
 * The elements of `bytes` as another dtype, always a copy.
 *
 * @throws {FormatError} `BAD_NUMBER` if a bool is neither 0 nor 1
 */
export function convert(bytes: Uint8Array, from: DType, to: DType): Uint8Array<ArrayBuffer> {
  const fromSize = dtypeInfo(from).itemsize;
  const toSize = dtypeInfo(to).itemsize;
  const count = bytes.length / fromSize;
  const into = allocate(count * toSize);
  if (from === to) {
    into.set(bytes);
  } else if (isNarrowFloat(from) && to === "float32") {
    float32FromNarrow(from, bytes, into);
  } else if (from === "float32" && isNarrowFloat(to)) {
    narrowFromFloat32(to, bytes, into);
  } else {
    for (let done = 0; done < count; done += PIECE) {
      const end = Math.min(count, done + PIECE);
      const piece = bytes.subarray(done * fromSize, end * fromSize);
      convertPiece(aligned(piece, Math.min(8, fromSize)), from, to, into.subarray(done * toSize, end * toSize));
    }
  }
  return into;
}

function convertPiece(piece: Uint8Array, from: DType, to: DType, into: Uint8Array): void {
  const { buffer, byteOffset } = into;
  const count = into.length / dtypeInfo(to).itemsize;
  if (isNarrowFloat(from) && isNarrowFloat(to)) {
    const middle = new Uint8Array(count * 4);
    float32FromNarrow(from, piece, middle);
    return narrowFromFloat32(to, middle, into);
  }
  if (isComplex(from) && isComplex(to)) return setNumbers(viewOf(to, into), viewOf(from, piece));
  if (isBigInteger(from) && isInteger(to)) return setWords(wordsOf(piece), to, into);
  if (isBigInteger(to)) {
    return setBig(new Int32Array(buffer, byteOffset, count * 2), numbersOf(piece, from, false));
  }
  if (to === "bool") return setBool(into, piece, from);
  const numbers = numbersOf(piece, from, to !== "float64" && to !== "complex128");
  // ml_dtypes and Paddle convert via float32
  if (to === "bfloat16" || isFloat8(to)) {
    return narrowFromFloat32(to, bytesOf(new Float32Array(numbers)), into);
  }
  switch (to) {
    case "float16":
      return narrowFromFloat32(to, bytesOf(toOdd(numbers)), into);
    case "complex64":
    case "complex128": {
      const real = to === "complex64" ? new Float32Array(numbers) : new Float64Array(numbers);
      return copyParts(real, 1, viewOf(to, into), 2);
    }
    default:
      return setNumbers(viewOf(to, into) as NumberView, numbers);
  }
}

type NumberView =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

function setNumbers(into: NumberView, numbers: NumberView): void {
  // The conversion built into typed arrays: truncated and modulo 2^n for integers, with NaN as 0; to nearest even for floats.
  into.set(numbers);
}

function isInteger(dtype: DType): boolean {
  return dtype.startsWith("int") || dtype.startsWith("uint");
}

/**
 * The elements (the real parts of complex ones) as numbers. 64-bit integers are rounded to nearest even; with `sticky`, which is for
 * results to be rounded again to a narrower float, they are rounded so that the second rounding gives the same as a single one.
 */
export function numbersOf(piece: Uint8Array, from: DType, sticky: boolean): NumberView {
  if (isNarrowFloat(from)) {
    const into = new Float32Array(piece.length / dtypeInfo(from).itemsize);
    float32FromNarrow(from, piece, bytesOf(into));
    return into;
  }
  if (isBigInteger(from)) return numbersOfWords(wordsOf(piece), from === "int64", sticky);
  if (isComplex(from)) {
    const parts = viewOf(from, piece);
    const numbers = parts.length === 0 ? parts : parts.slice(0, parts.length / 2);
    copyParts(parts, 2, numbers, 1);
    return numbers;
  }
  if (from === "bool") checkBools(piece);
  return viewOf(from, piece) as NumberView;
}

/** Copy every `step`th number to every `intoStep`th as words: as numbers, NaNs would lose their bits. */
function copyParts(numbers: NumberView, step: number, into: NumberView, intoStep: number): void {
  const words = wordsOf(bytesOf(numbers)), intoWords = wordsOf(bytesOf(into)), width = numbers.BYTES_PER_ELEMENT / 4;
  for (let k = 0; k < width; k++) {
    for (let i = k, j = k; i < words.length; i += step * width, j += intoStep * width) intoWords[j] = words[i];
  }
}

/** The words of 64-bit integers, low and high alternately. */
function wordsOf(piece: Uint8Array): Int32Array {
  return new Int32Array(piece.buffer, piece.byteOffset, piece.length / 4);
}

function numbersOfWords(words: Int32Array, signed: boolean, sticky: boolean): Float64Array {
  const numbers = new Float64Array(words.length / 2);
  for (let i = 0; i < numbers.length; i++) {
    let low = words[2 * i] >>> 0;
    const high = signed ? words[2 * i + 1] : words[2 * i + 1] >>> 0;
    // Beyond 2^53, reduce the low bits to whether any is set: the remaining 53 bits are far more than the narrower float has.
    if (sticky && (high >= 0x200000 || high < -0x200000)) {
      low = (low & ~0xfff | ((low & 0xfff) !== 0 ? 0x800 : 0)) >>> 0;
    }
    // Only the sum is rounded: the product is exact.
    numbers[i] = high * 2 ** 32 + low;
  }
  return numbers;
}

/** Convert 64-bit integers to narrower ones by their low bits. */
function setWords(words: Int32Array, to: DType, into: Uint8Array): void {
  if (isBigInteger(to)) return into.set(bytesOf(words));
  const view = viewOf(to, into) as NumberView;
  for (let i = 0; i < view.length; i++) view[i] = words[2 * i];
}

/** Convert to 64-bit integers: the bits are the same whether these are signed or not. */
function setBig(words: Int32Array, numbers: NumberView): void {
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i];
    if (x === (x | 0)) {
      words[2 * i] = x;
      words[2 * i + 1] = x >> 31;
    } else {
      const big = Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n;
      words[2 * i] = Number(BigInt.asIntN(32, big));
      words[2 * i + 1] = Number(BigInt.asIntN(32, big >> 32n));
    }
  }
}

function setBool(into: Uint8Array, piece: Uint8Array, from: DType): void {
  if (isComplex(from)) {
    const parts = viewOf(from, piece);
    for (let i = 0; i < into.length; i++) into[i] = parts[2 * i] !== 0 || parts[2 * i + 1] !== 0 ? 1 : 0;
    return;
  }
  const numbers = numbersOf(piece, from, false);
  for (let i = 0; i < into.length; i++) into[i] = numbers[i] !== 0 ? 1 : 0;
}

/** float64 to float32, rounded to odd: rounding that to float16 gives the same as rounding the float64 directly, as numpy does. */
function toOdd(numbers: NumberView): Float32Array {
  const floats = new Float32Array(numbers);
  if (!(numbers instanceof Float64Array)) return floats;
  const bits = new Int32Array(floats.buffer);
  const words = new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length * 2);
  for (let i = 0; i < floats.length; i++) {
    const x = numbers[i];
    if (x !== x) {
      // Copy the upper bits of the payload as integers: numpy keeps them.
      const high = words[2 * i + 1];
      bits[i] = (high & 0x80000000) | 0x7f800000 | ((high & 0xfffff) << 3) | (words[2 * i] >>> 29);
      if ((bits[i] & 0x7fffff) === 0) bits[i] |= 1;
    } else if (floats[i] !== x && (bits[i] & 1) === 0) {
      // Take the odd neighbour towards the number. What overflows to infinity in float32 does so in float16, too.
      if (Math.abs(floats[i]) === Infinity) continue;
      if (floats[i] === 0) bits[i] = (words[2 * i + 1] & 0x80000000) | 1;
      else bits[i] += Math.abs(floats[i]) < Math.abs(x) ? 1 : -1;
    }
  }
  return floats;
}

/** @throws {FormatError} `BAD_NUMBER` if a byte is neither 0 nor 1 */
export function checkBools(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] > 1) throw badBool(bytes[i]);
}

/** The error for a bool that is neither 0 nor 1. */
export function badBool(byte: number): FormatError {
  return new FormatError("BAD_NUMBER", `A bool must be 0 or 1: got ${byte}`, { actual: byte, expected: "0 or 1" });
}
