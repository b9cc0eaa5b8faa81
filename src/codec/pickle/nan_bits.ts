/**
 * The bits of numpy scalars that are NaN, which a JavaScript number may not preserve (RULES.md VAL-9).
 *
 * @module
 */
import { Complex, type NumpyScalar } from "../../values.ts";

const memory = new WeakMap<NumpyScalar, Uint8Array>();

/** Remember the bytes of a scalar if its value does not determine them. */
export function rememberBits(scalar: NumpyScalar, bytes: Uint8Array): void {
  const { value } = scalar;
  const parts = value instanceof Complex ? [value.re, value.im] : [value];
  if (parts.some(Number.isNaN)) memory.set(scalar, bytes);
}

/** The bytes remembered for a scalar. */
export function rememberedBits(scalar: NumpyScalar): Uint8Array | undefined {
  return memory.get(scalar);
}
