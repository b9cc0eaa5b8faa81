/**
 * Lengths of the strings that encode arrays in protocol 2, for arrays that are still in files: the length precedes the string.
 *
 * @module
 */
import { utf8Length } from "../../kernel.ts";
import type { LazyBytes } from "../../ndarray.ts";
import { UnreadBytes } from "../../words/unread_bytes.ts";
import { lazyArrays } from "../lazy/load_lazy_arrays.ts";
import { ReadAhead } from "./read_ahead.ts";
import { SpanBytes } from "../lazy/span_bytes.ts";
import { Turns } from "../waiting/turns.ts";

/** Lengths in bytes of strings, by the bytes that they encode. */
export type TextLengths = WeakMap<Uint8Array | LazyBytes, number>;

/**
 * The lengths for all arrays in `value` that were left in files. If the file has them as such a string, the length is known; otherwise the
 * array is read once to find it.
 */
export async function textLengthsOf(value: unknown, signal?: AbortSignal): Promise<TextLengths> {
  const lengths: TextLengths = new WeakMap();
  const unknown: UnreadBytes[] = [];
  for (const array of await lazyArrays(value, signal)) {
    const unread = array.unread!;
    if (lengths.has(unread)) continue;
    const known = unread instanceof SpanBytes ? unread.textLength : null;
    if (known === null) unknown.push(new UnreadBytes(array));
    lengths.set(unread, known ?? 0);
  }
  const ahead = new ReadAhead(unknown, signal), turns = new Turns(signal);
  for (const { array } of unknown) {
    if (turns.due()) await turns.take();
    const chunk = await ahead.next()!;
    let length = 0;
    if (chunk instanceof Uint8Array) length = utf8Length(chunk);
    else for await (const piece of ahead.pieces(chunk)) length += utf8Length(piece);
    lengths.set(array.unread!, length);
  }
  return lengths;
}
