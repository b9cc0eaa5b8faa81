/**
 * Writes the binary state dicts of Paddle 1.6: see read_tnum.ts for the layout.
 *
 * @module
 */
import type { NDArray } from "../../ndarray.ts";
import { type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { utf8FromText } from "../pickle/text.ts";
import { concat, tensorHead, u64 } from "../record/write_record.ts";
import { RESERVED } from "./read_tnum.ts";

/** The chunks of a file with the given tensors. */
export function* writeTnum(tensors: ReadonlyMap<string, NDArray>): Generator<Chunk, void> {
  const head = new Uint8Array(RESERVED + 4);
  head.set([0x54, 0x4e, 0x55, 0x4d], RESERVED);
  yield concat([head, u64(tensors.size)]);
  for (const [name, array] of tensors) {
    const text = utf8FromText(name);
    yield concat([Uint8Array.of(0x4e, 0x41, 0x4d, 0x45), u64(text.length), text, tensorHead(array.dtype, array.shape)]);
    yield array.unread ? new UnreadBytes(array) : array.bytes;
  }
}
