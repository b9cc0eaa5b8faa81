/**
 * Bytes without the behaviour of a subclass.
 *
 * @module
 */
import { described } from "./described.ts";

/** The same memory as a plain Uint8Array: the `slice` of Node's Buffer returns a view, but we need a copy. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether `given` is memory: a typed array, a DataView, an ArrayBuffer or a SharedArrayBuffer. */
export function isMemory(given: unknown): given is ArrayBufferView | ArrayBufferLike {
  // Pages without cross-origin isolation have no SharedArrayBuffer.
  return ArrayBuffer.isView(given) || given instanceof ArrayBuffer ||
    given instanceof (globalThis.SharedArrayBuffer ?? ArrayBuffer);
}

/**
 * A caller's argument as bytes, not a copy.
 *
 * @throws {TypeError} it is not memory, or its buffer was detached or resized
 */
export function checkedBytes(given: unknown): Uint8Array {
  if (!isMemory(given)) {
    throw new TypeError(`Expected bytes, such as a Uint8Array: got ${described(given)}`);
  }
  if (given instanceof Uint8Array && given.length > 0) return plainBytes(given);
  try {
    // A detached buffer looks empty, but no view can be created on it.
    return ArrayBuffer.isView(given)
      ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
      : new Uint8Array(given);
  } catch {
    throw new TypeError("The bytes are gone: the buffer was detached or resized");
  }
}
