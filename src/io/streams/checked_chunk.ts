/**
 * Checks what a caller's stream gives.
 *
 * @module
 */
import { checkedBytes } from "../../words/plain_bytes.ts";

/**
 * A chunk of a stream of bytes.
 *
 * @throws {TypeError} it is no Uint8Array, or its buffer was detached
 */
export function checkedChunk(chunk: unknown): Uint8Array {
  if (!(chunk instanceof Uint8Array)) throw new TypeError("A stream of bytes must give Uint8Array chunks");
  // What was detached looks empty.
  return chunk.length > 0 ? chunk : checkedBytes(chunk);
}
