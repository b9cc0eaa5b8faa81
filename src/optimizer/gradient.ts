/**
 * A gradient on its way into an update: dense or row-sparse, clipped, then with weight decay added (TRAINING.md 2).
 *
 * @module
 */
import { UnsupportedError, ValueError } from "../errors.ts";
import { LANE, type Lane, type Precision, type Window, windowFor } from "../kernel/lanes.ts";
import { NDArray } from "../ndarray.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Regularizer } from "../regularizer/mod.ts";
import { SelectedRows } from "../values.ts";
import { type Numbers, numbersOf, precisionOf, roundingOf } from "./numbers.ts";
import { treeSum } from "./tree_sum.ts";

/** The rows of a sparse gradient, without duplicates and in ascending order; the values of duplicates are summed. */
export interface MergedRows {
  /** Row numbers. */
  readonly rows: readonly number[];
  /** Elements per row. */
  readonly width: number;
  /** The values, row after row. */
  readonly values: Lane;
}

/** One parameter's gradient. */
export class Gradient {
  /** The precision of the computation. */
  readonly precision: Precision;
  readonly #count: number;
  readonly #dense: Numbers | null = null;
  #sparse: SelectedRows | null = null;
  #merged: MergedRows | null = null;
  #factor: number | null = null;
  #bounds: readonly [low: number, high: number] | null = null;
  readonly #decays: { kind: Regularizer["kind"]; coefficient: number; isFused: boolean }[] = [];

  /**
   * Checks the gradient that the caller put into `parameter.grad`.
   *
   * @throws {ValueError} `INVALID_VALUE` if it is not a gradient of this parameter
   */
  constructor(parameter: Parameter, grad: NDArray | SelectedRows) {
    this.precision = precisionOf(parameter.dtype);
    this.#count = parameter.size;
    const of = `The gradient of ${parameter.name} [${parameter.shape}]`;
    if (grad instanceof SelectedRows) {
      const [height, ...rest] = parameter.shape;
      const wanted = [grad.rows.length, ...rest];
      if (grad.height !== height || grad.value.shape.join() !== wanted.join()) {
        const message =
          `${of} is SelectedRows of height ${height} with a value [${wanted}]: got ${grad.height}, [${grad.value.shape}]`;
        throw new ValueError("INVALID_VALUE", message);
      }
      for (const row of grad.rows) {
        if (!(Number.isInteger(row) && row >= 0 && row < height)) {
          throw new ValueError("INVALID_VALUE", `${of} has no row ${row}`);
        }
      }
      this.#sparse = grad;
      this.#mustBeNumbers(of, grad.value);
    } else if (grad instanceof NDArray) {
      if (grad.shape.join() !== parameter.shape.join()) {
        throw new ValueError("INVALID_VALUE", `${of} must have its shape: got [${grad.shape}]`, {
          expected: parameter.shape,
          actual: grad.shape,
        });
      }
      this.#mustBeNumbers(of, grad);
      this.#dense = numbersOf(grad);
    } else throw new ValueError("INVALID_VALUE", `${of} is an array or SelectedRows: got ${typeof grad}`);
  }

  #mustBeNumbers(of: string, grad: NDArray): void {
    numbersOf(grad);
    if (grad.dtype === "float64" && this.precision !== "float64") {
      throw new UnsupportedError("UNSUPPORTED_DTYPE", `${of} is float64, but the parameter is not`, {
        expected: this.precision,
        actual: grad.dtype,
      });
    }
  }

  /** Whether only some rows are present. Decay makes the gradient dense, since it adds all rows of the parameter. */
  get isSparse(): boolean {
    return this.#sparse !== null && this.#decays.length === 0;
  }

  /** Whether it is row-sparse without a row, and no decay adds some: Paddle's kernels then leave parameter and state as they are. */
  get isEmpty(): boolean {
    return this.#sparse?.rows.length === 0 && this.#decays.every(({ isFused }) => isFused);
  }

  /** Whether the rows are as the caller passed them: not merged or decayed, at most scaled. */
  get isRaw(): boolean {
    return this.isSparse && this.#merged === null;
  }

  /** The rows as the caller passed them, including duplicates. */
  get rawRows(): { rows: readonly number[]; values: Numbers } {
    return { rows: this.#sparse!.rows, values: numbersOf(this.#sparse!.value) };
  }

  /** The rows without duplicates, whose values are summed in the order in which they occur. */
  get mergedRows(): MergedRows {
    return this.#merged ??= merge(this.#sparse!, this.precision);
  }

  /** Multiply by `factor`. Rows are scaled as the caller passed them, before any duplicates are summed. */
  scaleRawBy(factor: number): void {
    if (!this.#sparse) {
      this.#factor = factor;
      return;
    }
    const { rows, height, value } = this.#sparse;
    const scaled = new (lanesOf(this.precision))(value.size);
    numbersOf(value).read(0, value.size, scaled);
    for (let i = 0; i < scaled.length; i++) scaled[i] *= factor;
    this.#sparse = new SelectedRows(rows, height, new NDArray(this.precision, value.shape, scaled));
    this.#merged = null;
  }

  /** Multiply by `factor`. Rows are merged first. */
  scaleBy(factor: number): void {
    if (!this.#sparse) {
      this.#factor = factor;
      return;
    }
    const { values } = this.mergedRows;
    for (let i = 0; i < values.length; i++) values[i] *= factor;
  }

  /** Clamp to `low` and `high`. Rows are merged first; absent rows stay 0. */
  clampTo(low: number, high: number): void {
    if (!this.#sparse) {
      this.#bounds = [low, high];
      return;
    }
    const { values } = this.mergedRows;
    for (let i = 0; i < values.length; i++) values[i] = Math.min(Math.max(values[i], low), high);
  }

  /**
   * Add weight decay, after any that was added before. `inFloat`: the coefficient is rounded to float32 first. `isFused`: Paddle's update
   * kernel adds it.
   */
  decayBy(regularizer: Regularizer, { inFloat, isFused }: { inFloat: boolean; isFused: boolean }): void {
    const { kind, coeff } = regularizer;
    const coefficient = inFloat ? Math.fround(coeff) : roundingOf(this.precision)(coeff);
    this.#decays.push({ kind, coefficient, isFused });
  }

  /**
   * Drop the rows that some of Paddle's kernels miss: they find rows by binary search, but rows are only sorted if there are duplicates.
   * Decay that is added before the kernel makes the gradient dense, so then nothing is missed.
   */
  dropMissedRows(): void {
    if (!this.#sparse || !this.#isDistinct || this.#decays.some(({ isFused }) => !isFused)) return;
    const { rows, width, values } = this.mergedRows;
    const found = rows.flatMap((row, place) => isFound(this.#sparse!.rows, row) ? [place] : []);
    const kept = new (lanesOf(this.precision))(found.length * width);
    found.forEach((place, k) => kept.set(values.subarray(place * width, (place + 1) * width), k * width));
    this.#merged = { rows: found.map((place) => rows[place]), width, values: kept };
  }

  /** The sum of the squares of the gradient before clipping and decay. */
  squares(): number {
    const { numbers, count } = this.#counted();
    const { lanes, call } = windowFor(count, this.precision);
    return treeSum(count, this.precision, (start, n) => {
      numbers.read(start, n, lanes[1]);
      return call.squares(1, n);
    });
  }

  /** The elements that go into a norm, in Paddle's order: without duplicates, merging leaves the rows in place. */
  #counted(): { numbers: Pick<Numbers, "read">; count: number } {
    if (this.#dense) return { numbers: this.#dense, count: this.#count };
    if (this.#isDistinct) return { numbers: numbersOf(this.#sparse!.value), count: this.#sparse!.value.size };
    const { values } = this.mergedRows;
    const numbers = {
      read: (start: number, n: number, into: Lane) => into.set(values.subarray(start, start + n)),
    };
    return { numbers, count: values.length };
  }

  get #isDistinct(): boolean {
    const { rows } = this.#sparse!;
    return new Set(rows).size === rows.length;
  }

  /** Put the gradient's `n` elements from `start` into lane 1; lane 0 holds the parameter's. */
  fill({ lanes, call }: Window, start: number, n: number): void {
    if (this.#dense) this.#dense.read(start, n, lanes[1]);
    else this.#spread(lanes[1], start, n);
    if (this.#bounds) call.clamp(n, ...this.#bounds);
    if (this.#factor !== null) call.scale(n, this.#factor);
    for (const { kind, coefficient } of this.#decays) {
      if (kind === "L2") call.decayL2(n, coefficient);
      else call.decayL1(n, coefficient);
    }
  }

  /** Put the `n` elements from `start` into `lane`, with zeros for absent rows. */
  #spread(lane: Lane, start: number, n: number): void {
    const { rows, width, values } = this.mergedRows;
    lane.fill(0, 0, n);
    for (let k = firstNotBelow(rows, Math.floor(start / width)); k < rows.length && rows[k] * width < start + n; k++) {
      const from = Math.max(rows[k] * width, start);
      const to = Math.min((rows[k] + 1) * width, start + n);
      const offset = (k - rows[k]) * width;
      lane.set(values.subarray(from + offset, to + offset), from - start);
    }
  }
}

function lanesOf(precision: Precision): Float32ArrayConstructor | Float64ArrayConstructor {
  return precision === "float64" ? Float64Array : Float32Array;
}

/** Whether binary search finds `row` in `rows`, which may be in any order. */
function isFound(rows: readonly number[], row: number): boolean {
  let [first, last] = [0, rows.length - 1];
  while (first <= last) {
    const middle = (first + last) >> 1;
    if (rows[middle] === row) return true;
    if (rows[middle] < row) first = middle + 1;
    else last = middle - 1;
  }
  return false;
}

/** The first index in the sorted `rows` whose row is not below `row`. */
export function firstNotBelow(rows: readonly number[], row: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge(sparse: SelectedRows, precision: Precision): MergedRows {
  const Numbers = lanesOf(precision);
  const rows = [...new Set(sparse.rows)].sort((a, b) => a - b);
  const width = sparse.rows.length === 0 ? 1 : sparse.value.size / sparse.rows.length;
  const places = new Map(rows.map((row, place) => [row, place]));
  const values = new Numbers(rows.length * width);
  const source = numbersOf(sparse.value);
  const lane = new Numbers(Math.min(width, LANE));
  for (const [k, row] of sparse.rows.entries()) {
    const into = places.get(row)! * width;
    for (let done = 0; done < width; done += lane.length) {
      const n = Math.min(lane.length, width - done);
      source.read(k * width + done, n, lane);
      for (let i = 0; i < n; i++) values[into + done + i] += lane[i];
    }
  }
  return { rows, width, values };
}

/** The ranges of a parameter's elements that the rows cover; adjacent rows form one range. */
export function rowParts({ rows, width }: MergedRows): [start: number, count: number][] {
  const parts: [number, number][] = [];
  for (const row of rows) {
    const last = parts.at(-1);
    if (last && last[0] + last[1] === row * width) last[1] += width;
    else parts.push([row * width, width]);
  }
  return parts;
}
