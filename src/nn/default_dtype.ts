/**
 * The default dtype of parameters.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";

const FLOATS: readonly DType[] = ["float16", "bfloat16", "float32", "float64"];
let current: DType = "float32";

/**
 * Set the dtype of the parameters of new layers, for the whole program.
 *
 * Mirrors `paddle.set_default_dtype` (3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` if it is not float16, bfloat16, float32 or float64
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
