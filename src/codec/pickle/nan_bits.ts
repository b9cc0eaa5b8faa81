/**
 * The bits of numpy scalars that are NaN: as a JavaScript number they may become others (RULES.md VAL-9).
 *
 * @module
 */
import { Complex, type NumpyScalar } from "../../values.ts";

const memory = new WeakMap<NumpyScalar, Uint8Array>();

/** Remember the bytes that a scalar was made of, if its value does not tell them. */
export function rememberBits(scalar: NumpyScalar, bytes: Uint8Array): void {
  const { value } = scalar;
  const parts = value instanceof Complex ? [value.re, value.im] : [value];
  if (parts.some(Number.isNaN)) memory.set(scalar, bytes);
}

/** The bytes remembered of a scalar. */
export function rememberedBits(scalar: NumpyScalar): Uint8Array | undefined {
  return memory.get(scalar);
}
