/**
 * Reads and writes tensors piece by piece as float32 or float64: float16 and bfloat16 are widened when read, and rounded to nearest even
 * when written.
 *
 * @module
 */
import { UnsupportedError } from "../errors.ts";
import { float32FromNarrow, narrowFromFloat32 } from "../kernel.ts";
import type { DType } from "../dtype.ts";
import type { Lane, Precision } from "../kernel/lanes.ts";
import type { NDArray } from "../ndarray.ts";

/** Access to the elements of a tensor. */
export interface Numbers {
  /** Copy the `n` elements from `start` into a lane. */
  read(start: number, n: number, into: Lane): void;
  /** Copy the first `n` elements of a lane to `start`. */
  write(start: number, n: number, from: Lane): void;
}

/** The precision in which a parameter of a dtype is updated. */
export function precisionOf(dtype: DType): Precision {
  return dtype === "float64" ? "float64" : "float32";
}

/** Whether parameters of a dtype are only updated by way of a float32 master weight. */
export function isNarrow(dtype: DType): dtype is "float16" | "bfloat16" {
  return dtype === "float16" || dtype === "bfloat16";
}

/** The function that rounds a number to a precision. */
export function roundingOf(precision: Precision): (x: number) => number {
  return precision === "float64" ? (x) => x : Math.fround;
}

/**
 * Access to the elements of a float64, float32, float16 or bfloat16 array.
 *
 * @throws {UnsupportedError} `UNSUPPORTED_DTYPE` for another dtype
 */
export function numbersOf(array: NDArray): Numbers {
  const { dtype } = array;
  if (dtype === "float32" || dtype === "float64") {
    const data = array.data as Lane;
    return {
      read: (start, n, into) => into.set(data.subarray(start, start + n)),
      write: (start, n, from) => data.set(n === from.length ? from : from.subarray(0, n), start),
    };
  }
  if (isNarrow(dtype)) {
    const { bytes } = array;
    const part = (start: number, n: number) => bytes.subarray(2 * start, 2 * (start + n));
    return {
      read: (start, n, into) => {
        const floats = into instanceof Float32Array ? into : new Float32Array(n);
        float32FromNarrow(dtype, part(start, n), bytesOf(floats, n));
        if (floats !== into) into.set(floats);
      },
      write: (start, n, from) => {
        // Only float32 is ever rounded to them: float64 is the precision of float64 tensors alone.
        narrowFromFloat32(dtype, bytesOf(from as Float32Array, n), part(start, n));
      },
    };
  }
  throw new UnsupportedError("UNSUPPORTED_DTYPE", `Optimizers compute in float32 and float64: got ${dtype}`, {
    expected: "float64, float32, float16 or bfloat16",
    actual: dtype,
  });
}

function bytesOf(floats: Float32Array, n: number): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, 4 * n);
}
