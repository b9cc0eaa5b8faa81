/**
 * Statistics of an array, and the maximum difference between two arrays.
 *
 * @module
 */
import { convert, isBigInteger, isComplex } from "./convert.ts";
import { ValueError } from "../errors.ts";
import { maxDifferenceOf, type Statistics, statisticsOf } from "../kernel.ts";
import { arrayGiven, type NDArray } from "../ndarray.ts";

export type { Statistics } from "../kernel.ts";

/** Elements processed at a time. */
const PIECE = 0x8000;

/**
 * Minimum, maximum and mean of an array, and how many elements are NaN or infinite. The parts of complex numbers count separately; 64-bit
 * integers are rounded to float64.
 *
 * @throws {FormatError} `BAD_NUMBER` if a bool is neither 0 nor 1
 *
 * @example
 * ```ts
 * import { fromArray, statistics } from "@oarlock/paddle";
 * const { min, max, mean, nanCount } = statistics(fromArray([1, NaN, 3], "float16"));
 * if (min !== 1 || max !== 3 || mean !== 2 || nanCount !== 1) throw new Error("wrong");
 * ```
 */
export function statistics(array: NDArray): Statistics {
  const all: Statistics = { min: Infinity, max: -Infinity, mean: NaN, nanCount: 0, infCount: 0 };
  let sum = 0;
  let known = 0;
  for (const piece of pieces(arrayGiven(array))) {
    const one = statisticsOf(piece);
    all.nanCount += one.nanCount;
    all.infCount += one.infCount;
    const count = piece.length - one.nanCount;
    if (count === 0) continue;
    all.min = Math.min(all.min, one.min);
    all.max = Math.max(all.max, one.max);
    sum += one.mean * count;
    known += count;
  }
  if (known === 0) return { ...all, min: NaN, max: NaN };
  return { ...all, mean: sum / known };
}

/**
 * The maximum absolute difference between the elements of two arrays of the same shape: 0 if all are equal. Two NaNs, or two equal
 * infinities, do not differ; a NaN beside a number makes the result NaN. Complex numbers are compared by their parts.
 *
 * @throws {ValueError} `INVALID_VALUE` if the shapes differ, or only one is complex
 * @throws {FormatError} `BAD_NUMBER` if a bool is neither 0 nor 1
 *
 * @example Two weights
 * ```ts
 * import { fromArray, maxDifference } from "@oarlock/paddle";
 *
 * if (maxDifference(fromArray([1, 2]), fromArray([1, 2.5])) !== 0.5) throw new Error("differs");
 * ```
 */
export function maxDifference(a: NDArray, b: NDArray): number {
  for (const given of [a, b]) arrayGiven(given);
  if (a.shape.length !== b.shape.length || a.shape.some((n, i) => n !== b.shape[i])) {
    throw new ValueError(
      "INVALID_VALUE",
      `Only arrays of the same shape can be compared: [${a.shape}] and [${b.shape}]`,
    );
  }
  if (isComplex(a.dtype) !== isComplex(b.dtype)) {
    throw new ValueError("INVALID_VALUE", `${a.dtype} can't be compared with ${b.dtype}: use astype first`);
  }
  if (isBigInteger(a.dtype) && isBigInteger(b.dtype)) return bigDifference(a, b);
  let most = 0;
  const others = pieces(b);
  for (const piece of pieces(a)) {
    const far = maxDifferenceOf(piece, others.next().value!);
    if (far !== far) return NaN;
    if (far > most) most = far;
  }
  return most;
}

/** The maximum difference between 64-bit integers, which as floats could be equal though they differ. */
function bigDifference(a: NDArray, b: NDArray): number {
  const x = a.data as BigInt64Array, y = b.data as BigInt64Array;
  let most = 0n;
  for (let i = 0; i < x.length; i++) {
    const far = x[i] < y[i] ? y[i] - x[i] : x[i] - y[i];
    if (far > most) most = far;
  }
  return Number(most);
}

function* pieces(array: NDArray): Generator<Float64Array, undefined> {
  const { bytes, dtype } = array;
  const parts = isComplex(dtype) ? 2 : 1;
  const itemsize = array.nbytes / Math.max(1, array.size);
  for (let done = 0; done < array.size; done += PIECE) {
    const piece = bytes.subarray(done * itemsize, Math.min(array.size, done + PIECE) * itemsize);
    yield new Float64Array(convert(piece, dtype, parts === 2 ? "complex128" : "float64").buffer);
  }
}
