/**
 * The bytes of many small arrays in one buffer.
 *
 * @module
 */

/**
 * Location of an array's bytes in a buffer shared with others. A buffer of its own costs a small array more than its bytes do, so it only
 * gets one when the bytes are requested. A receiver must copy the fields at once, as the same object is reused for the next array.
 */
export class PackedBytes {
  /** The shared buffer. */
  slab: Uint8Array = new Uint8Array(0);
  /** Index of the first byte. */
  start = 0;
  /** Number of bytes; the sender ensures that it matches the array's dtype and shape. */
  length = 0;
  /** Number of elements. */
  size = 0;

  /** A copy of the bytes. */
  readSync(): Uint8Array {
    return this.slab.slice(this.start, this.start + this.length);
  }

  /** A copy of the bytes, as a promise. */
  read(): Promise<Uint8Array> {
    return Promise.resolve(this.readSync());
  }
}
