/**
 * Chunks of any length made into pieces of one length.
 *
 * @module
 */

/** Gathers bytes. */
export class Gathered {
  readonly #length: number;
  #piece: Uint8Array<ArrayBuffer>;
  #held = 0;

  /** Into pieces of `length` bytes. */
  constructor(length: number) {
    this.#length = length;
    this.#piece = new Uint8Array(length);
  }

  /** Take a chunk; the pieces that became whole, each of its own memory. */
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

  /** What is held and fills no piece. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.#piece.slice(0, this.#held);
  }
}
