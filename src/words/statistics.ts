/**
 * What the numbers of an array are like, and how far those of two arrays are apart.
 *
 * @module
 */
import { convert, isComplex } from "./convert.ts";
import { ValueError } from "../errors.ts";
import { maxDifferenceOf, type Statistics, statisticsOf } from "../kernel.ts";
import { arrayGiven, type NDArray } from "../ndarray.ts";

export type { Statistics } from "../kernel.ts";

/** Elements that are looked at at a time. */
const PIECE = 0x8000;

/**
 * Least and greatest number, mean, and how many are NaN or infinite. The parts of complex numbers count one by one; 64-bit integers are
 * rounded to float64.
 *
 * @throws {FormatError} `BAD_NUMBER` where a bool is neither 0 nor 1
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
 * The greatest distance between the elements of two arrays of one shape: 0 where all are equal. NaN beside NaN and equal infinities
 * are no distance; NaN beside a number makes the answer NaN. Of complex numbers the parts are compared.
 *
 * @throws {ValueError} `INVALID_VALUE` where the shapes differ, or only one is complex
 * @throws {FormatError} `BAD_NUMBER` where a bool is neither 0 nor 1
 */
export function maxDifference(a: NDArray, b: NDArray): number {
  for (const given of [a, b]) arrayGiven(given);
  if (a.shape.length !== b.shape.length || a.shape.some((n, i) => n !== b.shape[i])) {
    throw new ValueError("INVALID_VALUE", `Only arrays of one shape can be compared: [${a.shape}] and [${b.shape}]`);
  }
  if (isComplex(a.dtype) !== isComplex(b.dtype)) {
    throw new ValueError("INVALID_VALUE", `${a.dtype} can't be compared with ${b.dtype}: use astype first`);
  }
  let most = 0;
  const others = pieces(b);
  for (const piece of pieces(a)) {
    const far = maxDifferenceOf(piece, others.next().value!);
    if (far !== far) return NaN;
    if (far > most) most = far;
  }
  return most;
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
