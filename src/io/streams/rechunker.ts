/**
 * Regroups chunks of any length into pieces of equal length.
 *
 * @module
 */

/** Collects bytes into pieces. */
export class Rechunker {
  readonly #length: number;
  #piece: Uint8Array<ArrayBuffer>;
  #held = 0;

  /** With pieces of `length` bytes. */
  constructor(length: number) {
    this.#length = length;
    this.#piece = new Uint8Array(length);
  }

  /** Add a chunk; yields the pieces that it completes, each with its own memory. */
  *add(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.#length - this.#held);
      this.#piece.set(part, this.#held);
      this.#held += part.length;
      at += part.length;
      if (this.#held < this.#length) continue;
      const piece = this.#piece;
      this.#piece = new Uint8Array(this.#length);
      this.#held = 0;
      yield piece;
    }
  }

  /** The remaining bytes, which do not fill a piece. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.#piece.slice(0, this.#held);
  }
}
