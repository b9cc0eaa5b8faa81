/**
 * Converts JavaScript values to elements of a dtype.
 *
 * @module
 */
import { convert } from "./convert.ts";
import { type DType, dtypeInfo, type NarrowFloat } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import { narrowBits } from "../kernel.ts";
import { shownValue } from "./described.ts";
import { Complex } from "../values.ts";

const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

export function floatOfBits(bits: number): number {
  asBits[0] = bits;
  return asFloat[0];
}

/** One number as the bits of a narrow float, converted as whole arrays are. */
export function bitsOfScalar(
  x: number | bigint | boolean,
  dtype: NarrowFloat,
): number {
  if (dtype === "float16") {
    const bytes = new Uint8Array(Float64Array.of(Number(x)).buffer);
    return new Uint16Array(convert(bytes, "float64", "float16").buffer)[0];
  }
  asFloat[0] = toFloat(x, "float32");
  return narrowBits(dtype, asBits[0]);
}

export function isReal(x: unknown): x is number | bigint | boolean {
  return typeof x === "number" || typeof x === "bigint" || typeof x === "boolean";
}

/** The number to store in an array of floats; prepared so that a bigint is rounded only once on its way to float32. */
export function toFloat(x: unknown, dtype: DType): number {
  if (typeof x !== "bigint" || (dtype !== "float32" && dtype !== "complex64")) return Number(x);
  const sign = x < 0n ? -1 : 1;
  const size = x < 0n ? -x : x;
  const extra = BigInt(Math.max(0, size.toString(2).length - 53));
  // Keep 53 bits, and set the last one if any were dropped: rounding that again gives the same as rounding the bigint directly.
  const kept = size >> extra << extra;
  return sign * Number(kept === size ? size : kept | (1n << extra));
}

export function integerFor(x: number | bigint | boolean, dtype: DType): number {
  const n = Math.trunc(Number(x));
  const bits = 8 * dtypeInfo(dtype).itemsize;
  const [low, high] = dtype.startsWith("u") ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  if (!(n >= low && n <= high)) throw badValue(x, dtype);
  return n;
}

export function bigFor(x: number | bigint | boolean, dtype: "int64" | "uint64"): bigint {
  let big: bigint;
  if (typeof x === "number") {
    if (!Number.isFinite(x)) throw badValue(x, dtype);
    if (!Number.isSafeInteger(Math.trunc(x))) {
      throw new ValueError("PRECISION_LOSS", `A number beyond 2^53 may already be rounded: use a bigint (got ${x})`, {
        actual: x,
      });
    }
    big = BigInt(Math.trunc(x));
  } else big = BigInt(x);
  if (big !== (dtype === "int64" ? BigInt.asIntN(64, big) : BigInt.asUintN(64, big))) throw badValue(x, dtype);
  return big;
}

export function badValue(x: unknown, dtype: DType): ValueError {
  const shown = isReal(x) ? String(x) : x instanceof Complex ? `${x.re}+${x.im}i` : shownValue(x);
  return new ValueError("INVALID_VALUE", `${shown} does not fit in ${dtype}`, { actual: x });
}
