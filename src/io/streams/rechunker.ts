/**
 * Regroups chunks of any length into pieces of equal length.
 *
 * @module
 */

/** Collects bytes into pieces. */
export class Rechunker {
  readonly #length: number;
  /** The piece that is being filled; null between two, as the one before may still be in use. */
  #piece: Uint8Array<ArrayBuffer> | null = null;
  #held = 0;

  /** With pieces of `length` bytes. */
  constructor(length: number) {
    this.#length = length;
  }

  /** Add a chunk; yields the pieces that it completes, each with its own memory. */
  *add(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.#length - this.#held);
      const piece = this.#piece ??= new Uint8Array(this.#length);
      piece.set(part, this.#held);
      this.#held += part.length;
      at += part.length;
      if (this.#held < this.#length) continue;
      this.#piece = null;
      this.#held = 0;
      yield piece;
    }
  }

  /** The remaining bytes, which do not fill a piece. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.#piece?.slice(0, this.#held) ?? new Uint8Array(0);
  }
}
