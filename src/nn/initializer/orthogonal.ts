/**
 * Orthogonal matrices.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import { NDArray } from "../../ndarray.ts";
import { bind, type Call } from "../arguments.ts";
import { fillNormal } from "../random/distributions.ts";
import { generator } from "../random/generator.ts";
import { drawn, Initializer } from "./initializer.ts";
import { elementCount } from "../../words/element_count.ts";

/**
 * Orthogonal rows (or columns, if there are fewer) of length `gain`. Mirrors `paddle.nn.initializer.Orthogonal` (3.3), with the same values
 * up to rounding.
 */
export class Orthogonal extends Initializer {
  /** The length of the rows or columns. */
  readonly gain: number;

  /** Takes Paddle's argument, by position or by name. */
  constructor(...args: Call<{ gain?: number }, ["gain"]>) {
    super();
    this.gain = bind<{ gain?: number }>({ name: "Orthogonal", defaults: { gain: 1 }, typed: ["gain"] }, args).gain;
  }

  /** The Q of the QR decomposition of a random matrix, with a positive diagonal of R. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    if (shape.length < 2) {
      throw new ValueError("INVALID_VALUE", `Orthogonal needs 2 axes or more: got the shape [${shape}]`);
    }
    const rows = shape[0], columns = elementCount(shape.slice(1));
    const tall = Math.max(rows, columns), wide = Math.min(rows, columns);
    const normal = drawn(dtype === "float64" ? dtype : "float32", [tall, wide], (target) => {
      fillNormal(target, generator(), 0, 1);
    });
    const drawnData = normal.data as Float64Array;
    // Column-major, so that each column is contiguous.
    const q = new Float64Array(tall * wide);
    for (let r = 0; r < tall; r++) for (let c = 0; c < wide; c++) q[c * tall + r] = drawnData[r * wide + c];
    orthonormalize(q, tall, wide);
    const made = new NDArray("float64", [...shape]);
    const data = made.data as Float64Array;
    for (let r = 0; r < tall; r++) {
      for (let c = 0; c < wide; c++) data[rows < columns ? c * tall + r : r * wide + c] = this.gain * q[c * tall + r];
    }
    return made.astype(dtype);
  }
}

/** Gram-Schmidt, applied twice to each column: as accurate as Householder's method in float64, and R's diagonal is positive. */
function orthonormalize(q: Float64Array, rows: number, columns: number): void {
  const dot = (a: number, b: number) => {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += q[a + r] * q[b + r];
    return sum;
  };
  for (let c = 0; c < columns * rows; c += rows) {
    for (let again = 0; again < 2; again++) {
      for (let before = 0; before < c; before += rows) {
        const along = dot(before, c);
        for (let r = 0; r < rows; r++) q[c + r] -= along * q[before + r];
      }
    }
    const length = Math.sqrt(dot(c, c));
    for (let r = 0; r < rows; r++) q[c + r] /= length;
  }
}
