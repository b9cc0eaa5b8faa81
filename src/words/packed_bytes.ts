/**
 * Bytes of small arrays, many in one buffer.
 *
 * @module
 */

/**
 * Where the bytes of an array lie in one buffer with those of others. A buffer of its own costs a small array more than its bytes do: it
 * gets one when somebody asks for them. Whoever is given this looks at it at once: the next array's place is told with the same object.
 */
export class PackedBytes {
  /** The common buffer. */
  slab: Uint8Array = new Uint8Array(0);
  /** Where the bytes begin in it. */
  start = 0;
  /** Bytes, as many as dtype and shape of the array ask for: whoever tells the place has made sure. */
  length = 0;
  /** Elements of the array. */
  size = 0;

  /** A copy of the bytes in a buffer of their own. */
  readSync(): Uint8Array {
    return this.slab.slice(this.start, this.start + this.length);
  }

  /** The same: nothing has to be waited for. */
  read(): Promise<Uint8Array> {
    return Promise.resolve(this.readSync());
  }
}
