/**
 * Writes the binary state dicts of Paddle 1.6: see read_tnum.ts for the layout.
 *
 * @module
 */
import type { NDArray } from "../../ndarray.ts";
import { type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { utf8FromText } from "../../words/utf8.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { u32, u64 } from "../little_endian.ts";
import { tensorHead } from "../record/write_record.ts";
import { NAME, RESERVED, TNUM } from "./read_tnum.ts";

/** The chunks of a file with the given tensors. */
export function* writeTnum(tensors: ReadonlyMap<string, NDArray>): Generator<Chunk, void> {
  yield joinBytes([new Uint8Array(RESERVED), u32(TNUM), u64(tensors.size)]);
  for (const [name, array] of tensors) {
    const text = utf8FromText(name);
    yield joinBytes([u32(NAME), u64(text.length), text, tensorHead(array.dtype, array.shape)]);
    yield array.unread ? new UnreadBytes(array) : array.bytes;
  }
}
