/**
 * A stand-in among chunks of bytes.
 *
 * @module
 */
import type { NDArray } from "./ndarray.ts";

/** The bytes of an array that lie in a file still: whoever writes the chunks reads them when their turn comes. */
export class UnreadBytes {
  /** The array. */
  readonly array: NDArray;

  /** Stands for the bytes of `array`. */
  constructor(array: NDArray) {
    this.array = array;
  }

  /** Bytes that it stands for. */
  get length(): number {
    return this.array.nbytes;
  }
}

/** What an encoder gives: bytes, or a stand-in for bytes of a file. */
export type Chunk = Uint8Array | UnreadBytes;
