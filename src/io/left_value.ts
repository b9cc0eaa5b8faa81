/**
 * Values that were left in their files: whoever saves one reads it first, and need not know the class of what stands for it.
 *
 * @module
 */
import type { Value } from "../values.ts";

const left = new WeakMap<object, () => Promise<Value>>();

/** From here on `holder` stands for a value that `read` gives. */
export function leaveValue(holder: object, read: () => Promise<Value>): void {
  left.set(holder, read);
}

/** Reads the value that `given` stands for; undefined where `given` is the value. */
export function leftValueOf(given: Value): (() => Promise<Value>) | undefined {
  return typeof given === "object" && given !== null ? left.get(given) : undefined;
}
