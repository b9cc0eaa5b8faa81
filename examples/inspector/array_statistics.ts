/** Statistics and a histogram of an array that is never in memory as a whole. */
import type { NDArray } from "../../mod.ts";
import type { OpenDocument } from "./document.ts";
import { pieces } from "./elements.ts";
import type { ArrayStatistics } from "./protocol.ts";

const BINS = 48;

/** Where there are numbers beyond this, all are scaled down while they are added up: their squares would be infinite. */
const HUGE = 2 ** 450, SCALE = 2 ** -600;

/** Takes two passes: first the range, then the moments and a histogram. Real and imaginary parts of complex numbers count separately. */
export async function arrayStatistics(
  document: OpenDocument,
  name: string,
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<ArrayStatistics> {
  const { size } = document.arrays.get(name)!;
  const range = new Range();
  for await (const { first, array } of pieces(document, name, 0, size, signal)) {
    if (array.data instanceof BigInt64Array || array.data instanceof BigUint64Array) range.addExact(array.data);
    range.add(numbersOf(array));
    onProgress((first + array.size) / size / 2);
  }
  const { exact, zeros, nan, infinite, min, max, count } = range;
  const known = { count, exact, zeros, nan, infinite };
  if (nan + infinite === count) return { ...known, min: NaN, max: NaN, mean: NaN, std: NaN, bins: [] };
  const distribution = new Distribution(min, max);
  for await (const { first, array } of pieces(document, name, 0, size, signal)) {
    distribution.add(numbersOf(array));
    onProgress(0.5 + (first + array.size) / size / 2);
  }
  const { mean, std, bins } = distribution;
  return { ...known, min, max, mean, std, bins };
}

function numbersOf(array: NDArray): Float64Array {
  return array.astype(array.dtype.startsWith("complex") ? "complex128" : "float64").data as Float64Array;
}

/** The first pass: counts and extremes. */
class Range {
  count = 0;
  zeros = 0;
  nan = 0;
  infinite = 0;
  min = Infinity;
  max = -Infinity;
  exact: ArrayStatistics["exact"] = null;

  add(data: Float64Array): void {
    for (let i = 0; i < data.length; i++) {
      const x = data[i];
      if (x !== x) this.nan++;
      else if (x === Infinity || x === -Infinity) this.infinite++;
      else {
        if (x === 0) this.zeros++;
        if (x < this.min) this.min = x;
        if (x > this.max) this.max = x;
      }
    }
    this.count += data.length;
  }

  addExact(data: BigInt64Array | BigUint64Array): void {
    this.exact = extremes(data, this.exact);
  }
}

/** The second pass: moments and a histogram of the finite numbers between known extremes. */
class Distribution {
  readonly bins: number[];
  readonly #unit: number;
  readonly #low: number;
  readonly #range: number;
  #count = 0;
  #mean = 0;
  #squares = 0;

  constructor(min: number, max: number) {
    this.bins = new Array<number>(max > min ? BINS : 1).fill(0);
    this.#unit = Math.max(max, -min) > HUGE ? SCALE : 1;
    this.#low = min * this.#unit;
    this.#range = max * this.#unit - this.#low;
  }

  get mean(): number {
    return this.#mean / this.#unit;
  }

  get std(): number {
    return Math.sqrt(this.#squares / this.#count) / this.#unit;
  }

  add(data: Float64Array): void {
    const [sum, count] = this.#fillBins(data);
    if (count === 0) return;
    // Combine the variances of the pieces, which loses no precision if the mean is far from zero.
    const own = sum / count, far = own - this.#mean;
    this.#squares += this.#squaresAround(own, data) + far * far * this.#count * count / (this.#count + count);
    this.#mean += far * count / (this.#count + count);
    this.#count += count;
  }

  #fillBins(data: Float64Array): [sum: number, count: number] {
    const bins = this.bins, unit = this.#unit, low = this.#low, range = this.#range;
    const last = bins.length - 1;
    let sum = 0, count = 0;
    for (let i = 0; i < data.length; i++) {
      const x = data[i] * unit;
      if (x - x !== 0) continue;
      sum += x;
      count++;
      bins[last === 0 ? 0 : Math.min(last, Math.floor((x - low) / range * BINS))]++;
    }
    return [sum, count];
  }

  #squaresAround(mean: number, data: Float64Array): number {
    const unit = this.#unit;
    let squares = 0;
    for (let i = 0; i < data.length; i++) {
      const x = data[i] * unit - mean;
      if (x - x === 0) squares += x * x;
    }
    return squares;
  }
}

/** The extremes of these integers and of those before. */
function extremes(data: BigInt64Array | BigUint64Array, before: ArrayStatistics["exact"]): ArrayStatistics["exact"] {
  if (data.length === 0) return before;
  let [min, max] = before ?? [data[0], data[0]];
  for (let i = 0; i < data.length; i++) {
    if (data[i] < min) min = data[i];
    else if (data[i] > max) max = data[i];
  }
  return [min, max];
}
