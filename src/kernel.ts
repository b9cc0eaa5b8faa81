/**
 * The loops over bytes: WebAssembly if the runtime can compile it, else the TypeScript twin with the same results.
 *
 * @module
 */
import type { NarrowFloat } from "./dtype.ts";
import { type Core, coreFor } from "./kernel/core.ts";
import * as twin from "./kernel/twin.ts";
import { viewOf } from "./words/typed_view.ts";

export { type CompiledModule, init } from "./kernel/core.ts";
export { type Layout, RowMajor, rowMajor } from "./kernel/row_major.ts";
export { narrowBits, widenBits } from "./kernel/twin.ts";

/** Bytes that go through the core at a time: few enough to stay in the cache. */
const PIECE = 0x10000;
/** Statistics are summed per piece of this many bytes, then added up: part of their definition, as sums round. */
const SUM_PIECE = 0x8000;

/** The number of bytes encoded by a UTF-8 text of code points up to U+00FF. */
export function latin1Length(text: Uint8Array): number {
  return text.length - countBelow(text, -64);
}

/** Decode a UTF-8 text of code points up to U+00FF to bytes. Returns their number (even if not all fit), or -1 - i if byte i is invalid. */
export function latin1FromUtf8(text: Uint8Array, into: Uint8Array): number {
  const core = coreFor(text.length);
  if (!core) return twin.latin1FromUtf8(text, into);
  let written = 0;
  let done = 0;
  while (done < text.length) {
    let end = Math.min(text.length, done + PIECE);
    // Do not cut a pair in two; a lead byte at the very end is left to the core to refuse.
    if (end < text.length && (text[end - 1] & 0xfe) === 0xc2) end--;
    core.input.set(text.subarray(done, end));
    const n = core.call.latin1FromUtf8(end - done);
    if (n < 0) return n - done;
    put(core.output, n, into, written);
    written += n;
    done = end;
  }
  return written;
}

/** Length of the UTF-8 text that {@linkcode utf8FromLatin1} writes. */
export function utf8Length(bytes: Uint8Array): number {
  return bytes.length + countBelow(bytes, 0);
}

/** Encode every byte as the UTF-8 of its code point. Returns the length; `into` must have room for it ({@linkcode utf8Length}). */
export function utf8FromLatin1(bytes: Uint8Array, into: Uint8Array): number {
  const core = coreFor(bytes.length);
  if (!core) return twin.utf8FromLatin1(bytes, into);
  let written = 0;
  for (let done = 0; done < bytes.length; done += PIECE) {
    const piece = bytes.subarray(done, done + PIECE);
    core.input.set(piece);
    const n = core.call.utf8FromLatin1(piece.length);
    put(core.output, n, into, written);
    written += n;
  }
  return written;
}

/** Reverse the byte order of numbers of `size` (2, 4 or 8) bytes, in place. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  const core = coreFor(bytes.length);
  if (!core || !(size === 2 || size === 4 || size === 8)) return twin.swapBytes(bytes, size);
  // Bytes after the last whole number stay unchanged.
  const whole = bytes.length - bytes.length % size;
  for (let done = 0; done < whole; done += PIECE) {
    const piece = bytes.subarray(done, Math.min(whole, done + PIECE));
    core.input.set(piece);
    core.call[`swap${size}`]((piece.length + 15) & ~15);
    piece.set(core.input.subarray(0, piece.length));
  }
}

const UNITS = { 1: "uint8", 2: "uint16", 4: "uint32" } as const;

/** Bytes as unsigned integers of 1, 2 or 4 bytes; copied if they are misaligned. */
function unitsOf<Size extends 1 | 2 | 4>(bytes: Uint8Array, size: Size) {
  return viewOf(UNITS[size], aligned(bytes, size));
}

/** Convert narrow floats to float32, at any alignment; `into` needs 4 bytes for each. NaNs keep the payload that numpy keeps. */
export function float32FromNarrow(format: NarrowFloat, from: Uint8Array, into: Uint8Array): void {
  const size = sizeOf(format);
  const core = coreFor(from.length);
  if (!core) {
    return throughAligned(into, 4, (target) => {
      twin.widen(format, unitsOf(from, size), unitsOf(target, 4));
    });
  }
  const { call } = core;
  if (size === 1) core.table.set(twin.tableOf(format));
  const convert = {
    float16: call.float32FromFloat16,
    bfloat16: call.float32FromBfloat16,
    float8_e4m3fn: call.float32FromTable,
    float8_e5m2: call.float32FromTable,
  };
  throughCore(core, from, size, into, 4, convert[format]);
}

/** Convert float32 to narrow floats, rounded to nearest even, at any alignment. NaNs are written as numpy and ml_dtypes do. */
export function narrowFromFloat32(format: NarrowFloat, from: Uint8Array, into: Uint8Array): void {
  const size = sizeOf(format);
  const core = coreFor(from.length);
  if (!core) {
    return throughAligned(into, size, (target) => {
      twin.narrow(format, unitsOf(from, 4), unitsOf(target, size));
    });
  }
  const { call } = core;
  const convert = {
    float16: call.float16FromFloat32,
    bfloat16: call.bfloat16FromFloat32,
    float8_e4m3fn: call.e4m3FromFloat32,
    float8_e5m2: call.e5m2FromFloat32,
  };
  throughCore(core, from, 4, into, size, convert[format]);
}

/** The result of {@linkcode statisticsOf}. */
export interface Statistics {
  /** Minimum of the elements that are not NaN; NaN if there are none. */
  min: number;
  /** Maximum of the elements that are not NaN; NaN if there are none. */
  max: number;
  /** Mean of the elements that are not NaN; NaN if there are none. */
  mean: number;
  /** Number of NaNs. */
  nanCount: number;
  /** Number of infinities. */
  infCount: number;
}

/** Statistics of numbers; NaNs are counted, but left out of min, max and mean. */
export function statisticsOf(numbers: Float32Array | Float64Array): Statistics {
  const core = coreFor(numbers.byteLength);
  const count = SUM_PIECE / numbers.BYTES_PER_ELEMENT;
  let [min, max, sum, nanCount, infCount] = [Infinity, -Infinity, 0, 0, 0];
  for (let done = 0; done < numbers.length; done += count) {
    const piece = numbers.subarray(done, done + count);
    const [low, high, part, nans, infs] = core ? coreStatistics(core, piece) : twin.statistics(piece);
    if (low < min) min = low;
    if (high > max) max = high;
    sum += part;
    nanCount += nans;
    infCount += infs;
  }
  const known = numbers.length - nanCount;
  if (known === 0) return { min: NaN, max: NaN, mean: NaN, nanCount, infCount };
  // + 0 turns -0 into 0, so that the result does not depend on the order of zeros.
  return { min: min + 0, max: max + 0, mean: sum / known, nanCount, infCount };
}

function coreStatistics(core: Core, piece: Float32Array | Float64Array): Float64Array {
  core.input.set(bytesOf(piece));
  if (piece.BYTES_PER_ELEMENT === 4) core.call.statistics32(piece.length);
  else core.call.statistics64(piece.length);
  return core.result;
}

/**
 * The maximum absolute difference between two lists of numbers of the same length. Two NaNs, or two equal infinities, do not differ; a NaN
 * beside a number makes the result NaN.
 */
export function maxDifferenceOf(a: Float64Array, b: Float64Array): number {
  const core = coreFor(a.byteLength);
  const count = PIECE / 8;
  let most = 0;
  for (let done = 0; done < a.length; done += count) {
    const [x, y] = [a.subarray(done, done + count), b.subarray(done, done + count)];
    let far: number;
    if (core) {
      core.input.set(bytesOf(x));
      core.output.set(bytesOf(y));
      far = core.call.difference64(x.length);
    } else far = twin.difference(x, y);
    if (far !== far) return NaN;
    if (far > most) most = far;
  }
  return most;
}

/** The bytes, aligned to a multiple of `size`; copied if they are misaligned. */
export function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

function countBelow(bytes: Uint8Array, limit: number): number {
  const core = coreFor(bytes.length);
  if (!core) return twin.countBelow(bytes, limit);
  let count = 0;
  for (let done = 0; done < bytes.length; done += PIECE) {
    const piece = bytes.subarray(done, done + PIECE);
    core.input.set(piece);
    count += core.call.countBelow(piece.length, limit);
  }
  return count;
}

function throughCore(
  core: Core,
  from: Uint8Array,
  fromSize: number,
  into: Uint8Array,
  toSize: number,
  convert: (n: number) => void,
): void {
  const total = from.length / fromSize;
  const count = PIECE / Math.max(fromSize, toSize);
  for (let done = 0; done < total; done += count) {
    const n = Math.min(count, total - done);
    core.input.set(from.subarray(done * fromSize, (done + n) * fromSize));
    convert(n);
    into.set(core.output.subarray(0, n * toSize), done * toSize);
  }
}

/** Copy `n` bytes to `at` of `into`, as far as there is room. */
function put(from: Uint8Array, n: number, into: Uint8Array, at: number): void {
  into.set(from.subarray(0, Math.max(0, Math.min(n, into.length - at))), Math.min(at, into.length));
}

function throughAligned(into: Uint8Array, size: number, write: (target: Uint8Array) => void): void {
  if (into.byteOffset % size === 0) return write(into);
  const target = new Uint8Array(into.length);
  write(target);
  into.set(target);
}

function sizeOf(format: NarrowFloat): 1 | 2 {
  return format === "float16" || format === "bfloat16" ? 2 : 1;
}

/** The bytes of a view. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
