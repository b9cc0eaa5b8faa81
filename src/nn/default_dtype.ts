/**
 * The dtype of parameters where nobody names one.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";

const FLOATS: readonly DType[] = ["float16", "bfloat16", "float32", "float64"];
let current: DType = "float32";

/**
 * Make new layers have parameters of this dtype. It is a setting of the whole program.
 *
 * Mirrors `paddle.set_default_dtype` (3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` where it is none of float16, bfloat16, float32, float64
 */
export function setDefaultDtype(dtype: DType): void {
  if (!FLOATS.includes(dtype)) {
    throw new ValueError("INVALID_VALUE", `The default dtype is one of ${FLOATS.join(", ")}: got ${String(dtype)}`, {
      actual: dtype,
    });
  }
  current = dtype;
}

/** The dtype of new parameters: float32, or what was set. Mirrors `paddle.get_default_dtype` (3.3). */
export function getDefaultDtype(): DType {
  return current;
}
