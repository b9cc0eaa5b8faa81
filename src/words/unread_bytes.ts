/**
 * Stand-ins for unread bytes among chunks.
 *
 * @module
 */
import { SourceError } from "../errors.ts";
import type { NDArray } from "../ndarray.ts";

/** Converts bytes to other bytes, piece by piece. */
export type Turn = (pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/** The bytes of an array that are still in a file: the writer of the chunks reads them when their turn comes. */
export class UnreadBytes {
  /** The array. */
  readonly array: NDArray;
  /** Number of bytes that this stands for. */
  readonly length: number;
  /** How the array's bytes are converted: to the text of protocol 2, or by a function; null if they are written unchanged. */
  readonly turn: "text" | Turn | null;

  /** Stands for the bytes of `array`, or for the `length` bytes to which they are converted. */
  constructor(array: NDArray, turn: UnreadBytes["turn"] = null, length: number = array.nbytes) {
    this.array = array;
    this.turn = turn;
    this.length = length;
  }
}

/** A chunk from an encoder: bytes, or a stand-in for bytes that are still in a file. */
export type Chunk = Uint8Array | UnreadBytes;

/** The bytes of a chunk, which must be in memory or synchronously readable. */
export function bytesOf(chunk: Chunk): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : chunk.array.bytes;
}

/**
 * The bytes of chunks whose sizes were added up before.
 *
 * @throws {SourceError} `SOURCE_CHANGED`
 */
export function joinChunks(size: number, chunks: Iterable<Chunk>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    if (at + chunk.length <= size) bytes.set(bytesOf(chunk), at);
    at += chunk.length;
  }
  if (at !== size) throw valueChanged(size, at);
  return bytes;
}

/** The error for a value that changed while it was written, or whose getters return something else each time. */
export function valueChanged(expected: number, actual: number): SourceError {
  return new SourceError(
    "SOURCE_CHANGED",
    `The value changed while being saved: it gave ${actual} bytes, not ${expected}`,
    { expected, actual },
  );
}
