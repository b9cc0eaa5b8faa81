/**
 * What a record may be where its program says otherwise. Paddle takes every record as it is; what is refused here are files of two saves. But its
 * own quantisers change values and leave the program's descriptions of them.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";

const FLOATS: ReadonlySet<DType> = new Set(["float16", "bfloat16", "float32", "float64"]);
/** What weights become by 8 and by 16 bits. */
const QUANTISED: ReadonlySet<DType> = new Set(["int8", "int16"]);

/** Whether the value of a variable that the program calls `described` may be stored as `stored`. */
export function mayBeStoredAs(described: DType, stored: DType): boolean {
  if (described === stored) return true;
  // Paddle 3.3 writes a variable of uint16 as bfloat16: numpy's form of that dtype is uint16.
  if (described === "uint16" && stored === "bfloat16") return true;
  return isQuantised(described, stored);
}

/** Whether whole numbers stand where the program says that fractions do. */
export function isQuantised(described: DType, stored: DType): boolean {
  return FLOATS.has(described) && QUANTISED.has(stored);
}

/**
 * Whether the value of a variable of this shape in the program may be stored with that one: -1 is any length. Scales of a channel each are stored as
 * [1, 3] or [3, 1, 1, 1] where the program says [3], the one of a tensor without axes where it says [1].
 */
export function mayHaveShape(described: readonly number[], stored: readonly number[]): boolean {
  if (described.length === stored.length) return stored.every((n, i) => n === described[i] || described[i] === -1);
  if (described.length > 1) return false;
  const long = stored.filter((n) => n !== 1), [length = 1] = described;
  return length === 1 ? long.length === 0 : long.length === 1 && long[0] === length;
}
