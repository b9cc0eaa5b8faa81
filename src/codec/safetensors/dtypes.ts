/**
 * The dtypes of safetensors.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";

/** The format's names and ours, in the order of safetensors' own list, by which its writers sort. */
const ROWS: readonly [string, DType][] = [
  ["BOOL", "bool"],
  ["U8", "uint8"],
  ["I8", "int8"],
  ["F8_E5M2", "float8_e5m2"],
  ["F8_E4M3", "float8_e4m3fn"],
  ["I16", "int16"],
  ["U16", "uint16"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I32", "int32"],
  ["U32", "uint32"],
  ["F32", "float32"],
  ["C64", "complex64"],
  ["F64", "float64"],
  ["I64", "int64"],
  ["U64", "uint64"],
];

/** The dtype for a name in a header. */
export const FROM_WORD: ReadonlyMap<string, DType> = new Map(ROWS);
/** The name for a dtype, and its rank in the sort order. */
export const TO_WORD: ReadonlyMap<DType, { word: string; rank: number }> = new Map(
  ROWS.map(([word, dtype], rank) => [dtype, { word, rank }]),
);
/** The format's dtypes for which there are no arrays here, and their bits per element. */
export const WITHOUT_ARRAYS: ReadonlyMap<string, number> = new Map([
  ["F8_E8M0", 8],
  ["F8_E5M2FNUZ", 8],
  ["F8_E4M3FNUZ", 8],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["F4", 4],
]);
