/**
 * Bytes without the habits of a subclass.
 *
 * @module
 */

/** The same memory as a Uint8Array and nothing more: the `slice` of Node's Buffer is a view, where ours has to be a copy. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
