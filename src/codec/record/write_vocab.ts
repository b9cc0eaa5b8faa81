/**
 * Writes a Vocab record: see read_vocab.ts for the layout.
 *
 * @module
 */
import { utf8Of } from "../program/text.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { u32, u64 } from "../little_endian.ts";

/** The bytes of a vocabulary, in the order of the Map. */
export function vocabBytes(words: ReadonlyMap<string, number>): Uint8Array {
  const parts: Uint8Array[] = [u64(words.size)];
  for (const [word, number] of words) {
    const text = utf8Of(word);
    parts.push(u64(text.length), text, u32(number >>> 0));
  }
  return joinBytes(parts);
}
