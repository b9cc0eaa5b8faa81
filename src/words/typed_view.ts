/**
 * Bytes as the typed array that fits a dtype.
 *
 * @module
 */
import type { DType } from "../dtype.ts";

/** Newer than some runtimes: the bits stand in for it there. */
export const Float16: typeof Float16Array | undefined = globalThis.Float16Array;

/** By dtype; those that their arrays are named after come first. */
const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
  float16: Float16 ?? Uint16Array,
  bool: Uint8Array,
  bfloat16: Uint16Array,
  float8_e4m3fn: Uint8Array,
  float8_e5m2: Uint8Array,
  complex64: Float32Array,
  complex128: Float64Array,
} as const;

/** The array over the bytes of elements of a dtype; where JavaScript has no such array, over their bits or parts. */
export function viewOf<T extends DType>(
  dtype: T,
  { buffer, byteOffset, length }: Uint8Array,
): InstanceType<(typeof ARRAYS)[T]> {
  const View = ARRAYS[dtype] as typeof Uint8Array;
  const view: unknown = new View(buffer, byteOffset, length / View.BYTES_PER_ELEMENT);
  return view as InstanceType<(typeof ARRAYS)[T]>;
}

/** The dtype that a typed array is named after; undefined for a class that is none of them. */
export function dtypeOfArray(array: ArrayBufferView): DType | undefined {
  return (Object.keys(ARRAYS) as DType[]).find((dtype) => ARRAYS[dtype] === array.constructor);
}
