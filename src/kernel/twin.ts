/**
 * The byte loops in TypeScript: the same results as `wasm/core.ts`, for environments that cannot compile it and for small buffers.
 *
 * @module
 */
import type { NarrowFloat } from "../dtype.ts";

/** See `latin1FromUtf8` of `kernel.ts`. */
export function latin1FromUtf8(text: Uint8Array, into: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const b = text[i];
    if (b < 0x80) into[n++] = b;
    else if ((b === 0xc2 || b === 0xc3) && i + 1 < text.length && (text[i + 1] & 0xc0) === 0x80) {
      into[n++] = ((b & 3) << 6) | (text[++i] & 0x3f);
    } else return -1 - i;
  }
  return n;
}

/** See `utf8FromLatin1` of `kernel.ts`. */
export function utf8FromLatin1(bytes: Uint8Array, into: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    if (b < 0x80) into[n++] = b;
    else {
      into[n++] = 0xc0 | (b >> 6);
      into[n++] = 0x80 | (b & 0x3f);
    }
  }
  return n;
}

/** How many bytes, taken as signed, are below `limit`. */
export function countBelow(bytes: Uint8Array, limit: number): number {
  let n = 0;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] << 24) >> 24 < limit) n++;
  return n;
}

/** See `swapBytes` of `kernel.ts`. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start + size <= bytes.length; start += size) {
    for (let i = start, j = start + size - 1; i < j; i++, j--) {
      const b = bytes[i];
      bytes[i] = bytes[j];
      bytes[j] = b;
    }
  }
}

const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/** The float32 bit pattern of a narrow float's bit pattern; a NaN keeps its payload if numpy keeps it. */
export function widenBits(format: NarrowFloat, bits: number): number {
  switch (format) {
    case "bfloat16":
      return (bits << 16) >>> 0;
    case "float16":
      return widenSmall(bits, 16, 10, 15, true);
    case "float8_e5m2":
      // ml_dtypes gives every NaN of 8 bits the same payload
      return (bits & 0x7f) > 0x7c ? nanOf(bits) : widenSmall(bits, 8, 2, 15, true);
    case "float8_e4m3fn":
      return (bits & 0x7f) === 0x7f ? nanOf(bits) : widenSmall(bits, 8, 3, 7, false);
  }
}

function nanOf(bits: number): number {
  return ((bits & 0x80) << 24 | 0x7fc00000) >>> 0;
}

function widenSmall(bits: number, width: number, mantissa: number, bias: number, hasInfinity: boolean): number {
  const sign = (bits >>> (width - 1)) << 31;
  const abs = bits & ((1 << (width - 1)) - 1);
  const exponent = abs >>> mantissa;
  const fraction = abs & ((1 << mantissa) - 1);
  if (exponent === 0) {
    asFloat[0] = fraction * 2 ** (1 - bias - mantissa);
    return (sign | asBits[0]) >>> 0;
  }
  if (hasInfinity && exponent === 2 * bias + 1) return (sign | 0x7f800000 | fraction << (23 - mantissa)) >>> 0;
  return (sign | ((exponent - bias + 127) << 23) | fraction << (23 - mantissa)) >>> 0;
}

/** The bit pattern of the narrow float nearest to a float32 bit pattern: ties to even, NaN as numpy and ml_dtypes write it. */
export function narrowBits(format: NarrowFloat, bits: number): number {
  const abs = bits & 0x7fffffff;
  const isNaN = abs > 0x7f800000;
  switch (format) {
    case "bfloat16":
      if (isNaN) return (bits >>> 16 & 0x8000) | 0x7fc0;
      return (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16;
    case "float16": {
      const sign = bits >>> 16 & 0x8000;
      if (isNaN) return sign | 0x7c00 | ((bits >>> 13 & 0x3ff) || 1);
      return sign | narrowSmall(abs, 13, 112, 0x38800000, 0.5, 126 << 23, 0x7c00, 0x7c00);
    }
    case "float8_e4m3fn": {
      const sign = bits >>> 24 & 0x80;
      return sign | (isNaN ? 0x7f : narrowSmall(abs, 20, 120, 0x3c800000, 2 ** 14, 141 << 23, 0x7e, 0x7f));
    }
    case "float8_e5m2": {
      const sign = bits >>> 24 & 0x80;
      return sign | (isNaN ? 0x7e : narrowSmall(abs, 21, 112, 0x38800000, 2 ** 7, 134 << 23, 0x7c, 0x7c));
    }
  }
}

/**
 * The magnitude bits of the narrow float nearest to `abs`, which are the magnitude bits of a float32.
 *
 * `least`: float32 bits of the format's minimum normal number. `under`: the power of two whose float32 ulp is the format's minimum step,
 * with bits `underBits`. Results above `over` become `beyond`.
 */
function narrowSmall(
  abs: number,
  shift: number,
  rebias: number,
  least: number,
  under: number,
  underBits: number,
  over: number,
  beyond: number,
): number {
  if (abs < least) {
    asBits[0] = abs;
    asFloat[0] = asFloat[0] + under;
    return asBits[0] - underBits;
  }
  const out = (abs + (1 << (shift - 1)) - 1 - (rebias << 23) + (abs >>> shift & 1)) >> shift;
  return out > over ? beyond : out;
}

/** Convert bit patterns of `format` to those of float32. */
export function widen(format: NarrowFloat, from: Uint8Array | Uint16Array, into: Uint32Array): void {
  if (from instanceof Uint8Array) {
    const table = tableOf(format);
    for (let i = 0; i < from.length; i++) into[i] = table[from[i]];
  } else if (format === "bfloat16") {
    for (let i = 0; i < from.length; i++) into[i] = from[i] << 16;
  } else {
    for (let i = 0; i < from.length; i++) into[i] = widenBits(format, from[i]);
  }
}

/** Convert bit patterns of float32 to those of `format`. */
export function narrow(format: NarrowFloat, from: Uint32Array, into: Uint8Array | Uint16Array): void {
  for (let i = 0; i < from.length; i++) into[i] = narrowBits(format, from[i]);
}

const tables = new Map<NarrowFloat, Uint32Array>();

/** The float32 bit patterns of an 8-bit format. */
export function tableOf(format: NarrowFloat): Uint32Array {
  let table = tables.get(format);
  if (!table) {
    table = new Uint32Array(256);
    for (let i = 0; i < 256; i++) table[i] = widenBits(format, i);
    tables.set(format, table);
  }
  return table;
}

/** Statistics of one piece: min and max (±Infinity if it has only NaNs), sum, number of NaNs, number of infinities. */
export type PieceStatistics = [min: number, max: number, sum: number, nans: number, infs: number];

/** Statistics of a piece, with four partial sums like the core's four SIMD lanes, so that both round alike. */
export function statistics(piece: Float32Array | Float64Array): PieceStatistics {
  let [min, max, nans, infs] = [Infinity, -Infinity, 0, 0];
  const sums = [0, 0, 0, 0];
  let sum = 0;
  const whole = piece.length & ~3;
  for (let i = 0; i < piece.length; i++) {
    const x = piece[i];
    if (i === whole) sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    if (x !== x) {
      nans++;
      continue;
    }
    if (x < min) min = x;
    if (x > max) max = x;
    if (x === Infinity || x === -Infinity) infs++;
    if (i < whole) sums[i & 3] += x;
    else sum += x;
  }
  if (whole === piece.length) sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  return [min, max, sum, nans, infs];
}

/** The maximum absolute difference between the elements of two pieces of equal length; see `maxDifference`. */
export function difference(a: Float64Array, b: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === y || (x !== x && y !== y)) continue;
    const far = Math.abs(x - y);
    if (far !== far) return NaN;
    if (far > most) most = far;
  }
  return most;
}
