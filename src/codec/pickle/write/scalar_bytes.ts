/**
 * The bytes of a numpy scalar.
 *
 * @module
 */
import { isDType } from "../../../dtype.ts";
import { ValueError } from "../../../errors.ts";
import { NDArray } from "../../../ndarray.ts";
import type { NumpyScalar } from "../../../values.ts";
import { foreignScalarBytes } from "../foreign_dtype.ts";
import { rememberedBits } from "../nan_bits.ts";

/** The little-endian bytes of one element, converted as an array's elements are if an array can have the dtype. */
export function scalarBytes(scalar: NumpyScalar): Uint8Array {
  const { dtype, value } = scalar;
  if (!isDType(dtype)) return foreignScalarBytes(scalar);
  const known = rememberedBits(scalar);
  if (known) return known;
  if (typeof value === "string" || value instanceof Uint8Array) {
    throw new ValueError("INVALID_VALUE", `Cannot pickle a numpy scalar of ${dtype}`);
  }
  const one = new NDArray(dtype, []);
  one.set(value as never);
  return one.bytes;
}
