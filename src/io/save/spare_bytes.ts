/**
 * Memory that is used again: what is thrown away stays in memory until a collection, which many small buffers do not bring about.
 *
 * @module
 */

/** Least bytes of a buffer that is made. */
const LEAST = 65_536;

/** Buffers that nobody uses at the moment. */
export class SpareBytes {
  readonly #free: Uint8Array[] = [];

  /** A buffer of `length` bytes, of any content: the smallest that is large enough, so that larger ones are there for who needs them. */
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

  /** Give back what was taken; null is none. */
  give(...buffers: (Uint8Array | null | undefined)[]): void {
    for (const bytes of buffers) if (bytes) this.#free.push(new Uint8Array(bytes.buffer));
  }
}
