/** Statistics and a histogram of an array that is never in memory as a whole. */
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
  const { size, dtype } = document.arrays.get(name)!;
  const wide = dtype.startsWith("complex") ? "complex128" : "float64";
  const result: ArrayStatistics = {
    count: 0,
    exact: null,
    min: Infinity,
    max: -Infinity,
    mean: NaN,
    std: NaN,
    zeros: 0,
    nan: 0,
    infinite: 0,
    bins: [],
  };
  let read = 0;
  for await (const { array } of pieces(document, name, 0, size, signal)) {
    if (array.data instanceof BigInt64Array || array.data instanceof BigUint64Array) {
      result.exact = extremes(array.data, result.exact);
    }
    const data = array.astype(wide).data as Float64Array;
    for (let i = 0; i < data.length; i++) {
      const x = data[i];
      if (x !== x) result.nan++;
      else if (x === Infinity || x === -Infinity) result.infinite++;
      else {
        if (x === 0) result.zeros++;
        if (x < result.min) result.min = x;
        if (x > result.max) result.max = x;
      }
    }
    result.count += data.length;
    onProgress((read += array.size) / size / 2);
  }
  if (result.nan + result.infinite === result.count) return { ...result, min: NaN, max: NaN };
  const { min, max } = result;
  const bins = new Array<number>(max > min ? BINS : 1).fill(0);
  const unit = Math.max(max, -min) > HUGE ? SCALE : 1, low = min * unit, range = max * unit - low;
  let known = 0, mean = 0, squares = 0;
  read = 0;
  for await (const { array } of pieces(document, name, 0, size, signal)) {
    const data = array.astype(wide).data as Float64Array;
    let sum = 0, count = 0;
    for (let i = 0; i < data.length; i++) {
      const x = data[i] * unit;
      if (x - x !== 0) continue;
      sum += x;
      count++;
      const place = bins.length === 1 ? 0 : Math.floor((x - low) / range * BINS);
      bins[Math.min(bins.length - 1, place)]++;
    }
    if (count > 0) {
      // Combine the variances of the pieces, which loses no precision if the mean is far from zero.
      const own = sum / count, far = own - mean;
      let ownSquares = 0;
      for (let i = 0; i < data.length; i++) {
        const x = data[i] * unit - own;
        if (x - x === 0) ownSquares += x * x;
      }
      squares += ownSquares + far * far * known * count / (known + count);
      mean += far * count / (known + count);
      known += count;
    }
    onProgress(0.5 + (read += array.size) / size / 2);
  }
  return { ...result, mean: mean / unit, std: Math.sqrt(squares / known) / unit, bins };
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
