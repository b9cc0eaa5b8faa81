/**
 * How a record may differ from its program's description. Paddle accepts any record; we refuse mismatches, as they mean that the files come
 * from two saves. Paddle's own quantisers and converters, however, change values without updating the program.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";

const FLOATS: ReadonlySet<DType> = new Set(["float16", "bfloat16", "float32", "float64"]);
/** The dtypes of weights quantised to 8 and 16 bits. */
const QUANTISED: ReadonlySet<DType> = new Set(["int8", "int16"]);

/** Whether a variable with the dtype `described` in the program may be stored as `stored`. */
export function mayBeStoredAs(described: DType, stored: DType): boolean {
  if (described === stored) return true;
  // Paddle 3.3 writes a uint16 variable as bfloat16, because numpy's form of bfloat16 is uint16.
  if (described === "uint16" && stored === "bfloat16") return true;
  return isConverted(described, stored);
}

/** Whether the dtype of a record follows from the size of the file and the dtype `described` in the program. */
export function isToldBySize(described: DType): boolean {
  // uint16 may be stored as bfloat16, in as many bytes.
  return described !== "uint16";
}

/** Whether a quantiser, or `convert_weight_to_fp16`, stored this instead of what the program describes. */
export function isConverted(described: DType, stored: DType): boolean {
  return isQuantised(described, stored) || (described === "float32" && stored === "float16");
}

/** Whether integers are stored where the program describes floats. */
function isQuantised(described: DType, stored: DType): boolean {
  return FLOATS.has(described) && QUANTISED.has(stored);
}

/**
 * Whether a variable with the shape `described` in the program may be stored with the shape `stored`; -1 matches any length. Per-channel
 * scales may be stored as [1, 3] or [3, 1, 1, 1] where the program says [3], and a per-tensor scale as 0-d where it says [1].
 */
export function mayHaveShape(described: readonly number[], stored: readonly number[]): boolean {
  if (described.length === stored.length) return stored.every((n, i) => n === described[i] || described[i] === -1);
  if (described.length > 1) return false;
  const long = stored.filter((n) => n !== 1), [length = 1] = described;
  return length === 1 ? long.length === 0 : long.length === 1 && long[0] === length;
}
