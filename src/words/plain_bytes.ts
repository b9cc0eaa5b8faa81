/**
 * Bytes without the habits of a subclass.
 *
 * @module
 */
import { described } from "./described.ts";

/** The same memory as a Uint8Array and nothing more: the `slice` of Node's Buffer is a view, where ours has to be a copy. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether `given` is memory: a typed array, a DataView, or a buffer, shared or not. */
export function isMemory(given: unknown): given is ArrayBufferView | ArrayBufferLike {
  // Pages that share nothing have no SharedArrayBuffer.
  return ArrayBuffer.isView(given) || given instanceof ArrayBuffer ||
    given instanceof (globalThis.SharedArrayBuffer ?? ArrayBuffer);
}

/**
 * The bytes that a caller gave, no copy.
 *
 * @throws {TypeError} it is no memory, or memory that went elsewhere
 */
export function checkedBytes(given: unknown): Uint8Array {
  if (!isMemory(given)) {
    throw new TypeError(`Bytes are due, such as a Uint8Array: got ${described(given)}`);
  }
  if (given instanceof Uint8Array && given.length > 0) return plainBytes(given);
  try {
    // A buffer that was detached has no bytes, as an empty one, but makes no arrays any more.
    return ArrayBuffer.isView(given)
      ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
      : new Uint8Array(given);
  } catch {
    throw new TypeError("The bytes are gone: the buffer was detached or resized");
  }
}
