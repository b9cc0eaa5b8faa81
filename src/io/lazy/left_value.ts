/**
 * Values that were left in their files: whoever saves one reads it first, and need not know the class of what stands for it.
 *
 * @module
 */
import type { Value } from "../../values.ts";

/** Reads a value. */
type Read = (options: { signal?: AbortSignal }) => Promise<Value>;

const left = new WeakMap<object, Read>();

/** From here on `holder` stands for a value that `read` gives. */
export function leaveValue(holder: object, read: Read): void {
  left.set(holder, read);
}

/** Reads the value that `given` stands for; undefined where `given` is the value. */
export function leftValueOf(given: Value): Read | undefined {
  return typeof given === "object" && given !== null ? left.get(given) : undefined;
}
