/**
 * Views bytes as the typed array that fits a dtype.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";

// Bytes of a file become typed arrays as they are, which on other processors would hold other numbers.
if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
  throw new UnsupportedError("UNSUPPORTED_RUNTIME", "Oarlock needs a little-endian processor");
}

/** Undefined in older runtimes, where the bits are used instead. */
export const Float16: typeof Float16Array | undefined = globalThis.Float16Array;

/** Array classes by dtype; dtypes after which a class is named come first. */
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

/** A typed array over bytes of a dtype; if JavaScript has none for it, over the bits or parts of the elements. */
export function viewOf<T extends DType>(
  dtype: T,
  { buffer, byteOffset, length }: Uint8Array,
): InstanceType<(typeof ARRAYS)[T]> {
  const View = ARRAYS[dtype] as typeof Uint8Array;
  const view: unknown = new View(buffer, byteOffset, length / View.BYTES_PER_ELEMENT);
  return view as InstanceType<(typeof ARRAYS)[T]>;
}

/** The dtype after which the class of a typed array, or the one that its class extends, is named; undefined for any other. */
export function dtypeOfArray(array: ArrayBufferView): DType | undefined {
  return (Object.keys(ARRAYS) as DType[]).find((dtype) => array instanceof ARRAYS[dtype]);
}
