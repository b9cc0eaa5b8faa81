/**
 * A stand-in among chunks of bytes.
 *
 * @module
 */
import type { NDArray } from "../ndarray.ts";

/** Makes other bytes of bytes, piece by piece. */
export type Turn = (pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/** Bytes of an array that lie in a file still: whoever writes the chunks reads them when their turn comes. */
export class UnreadBytes {
  /** The array. */
  readonly array: NDArray;
  /** Bytes that it stands for. */
  readonly length: number;
  /** What is made of the array's bytes: the text of protocol 2, or something else; null where they are written as they are. */
  readonly turn: "text" | Turn | null;

  /** Stands for the bytes of `array`, or for the `length` bytes that are made of them. */
  constructor(array: NDArray, turn: UnreadBytes["turn"] = null, length: number = array.nbytes) {
    this.array = array;
    this.turn = turn;
    this.length = length;
  }
}

/** What an encoder gives: bytes, or a stand-in for bytes of a file. */
export type Chunk = Uint8Array | UnreadBytes;

/** The bytes of a chunk, read now where its place can be read at once. */
export function bytesOf(chunk: Chunk): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : chunk.array.bytes;
}
