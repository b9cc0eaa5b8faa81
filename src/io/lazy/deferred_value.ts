/**
 * Values that were left in their files: a save reads them first, without knowing the class of their holder.
 *
 * @module
 */
import type { Value } from "../../values.ts";

/** Reads a value. */
type Read = (options: { signal?: AbortSignal }) => Promise<Value>;

const left = new WeakMap<object, Read>();

/** Make `holder` stand for the value that `read` returns. */
export function deferValue(holder: object, read: Read): void {
  left.set(holder, read);
}

/** Reads the value that `given` stands for; undefined if `given` is the value itself. */
export function deferredValueOf(given: Value): Read | undefined {
  return typeof given === "object" && given !== null ? left.get(given) : undefined;
}
