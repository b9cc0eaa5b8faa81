/**
 * Reuses buffers: dropped ones stay in memory until a garbage collection, which many small buffers do not trigger.
 *
 * @module
 */

/** Minimum size of a new buffer, in bytes. */
const LEAST = 65_536;

/** The buffers that are not in use. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  /** A buffer of `length` bytes with arbitrary content: the smallest that is large enough, so that larger ones stay available. */
  take(length: number): Uint8Array {
    const i = this.#smallest(length);
    const bytes = i < 0 ? new Uint8Array(Math.max(LEAST, length)) : this.#free.splice(i, 1)[0];
    return bytes.subarray(0, length);
  }

  #smallest(length: number): number {
    let found = -1;
    this.#free.forEach((bytes, i) => {
      if (bytes.length >= length && (found < 0 || bytes.length < this.#free[found].length)) found = i;
    });
    return found;
  }

  /** Return buffers; null is ignored. */
  give(...buffers: (Uint8Array | null | undefined)[]): void {
    for (const bytes of buffers) if (bytes) this.#free.push(new Uint8Array(bytes.buffer));
  }
}
