/**
 * The base class of initializers.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import { NDArray } from "../../ndarray.ts";
import type { Target } from "../random/distributions.ts";
import { elementCount } from "../../words/element_count.ts";

/** A rule for initial values. Mirrors `paddle.nn.initializer.Initializer` (3.3); a custom class needs to implement `make`. */
export abstract class Initializer {
  /** The values of a new parameter of this dtype and shape, as a new array. */
  abstract make(dtype: DType, shape: readonly number[]): NDArray;
}

/** Fan-in and fan-out computed from a shape: `[in, out]` for a matrix, `[out, in, ...kernel]` for a convolution. */
export function fansOf(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 };
  if (shape.length === 1) return { fanIn: shape[0], fanOut: shape[0] };
  if (shape.length === 2) return { fanIn: shape[0], fanOut: shape[1] };
  const kernel = elementCount(shape.slice(2));
  return { fanIn: shape[1] * kernel, fanOut: shape[0] * kernel };
}

/** An array of random values, drawn as Paddle draws them: in float64, or in float32 and then rounded to the dtype. */
export function drawn(dtype: DType, shape: readonly number[], fill: (target: Target) => void): NDArray {
  if (!["float16", "bfloat16", "float32", "float64"].includes(dtype)) {
    throw new ValueError("INVALID_VALUE", `Random numbers are floats: cannot make ${dtype}`, { actual: dtype });
  }
  const array = new NDArray(dtype === "float64" ? "float64" : "float32", [...shape]);
  fill(array.data as Target);
  return array.dtype === dtype ? array : array.astype(dtype);
}
