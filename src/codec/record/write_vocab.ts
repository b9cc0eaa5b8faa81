/**
 * Writes a Vocab record: see read_vocab.ts for the layout.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { utf8Of } from "../program/text.ts";
import { shownValue } from "../../words/described.ts";
import { isIntegerOf } from "../../words/integers.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { u32, u64 } from "../little_endian.ts";

/**
 * The bytes of a vocabulary, in the order of the Map.
 *
 * @throws {ValueError} `INVALID_VALUE` unless it maps words to integers of 32 bits
 */
export function vocabBytes(words: ReadonlyMap<string, number>): Uint8Array {
  const parts: Uint8Array[] = [u64(words.size)];
  for (const [word, number] of words) {
    if (typeof word !== "string" || !isIntegerOf(32, number)) {
      const what = `${shownValue(word)} to ${shownValue(number)}`;
      throw new ValueError("INVALID_VALUE", `A vocabulary maps words to 32-bit integers, not ${what}`);
    }
    const text = utf8Of(word);
    parts.push(u64(text.length), text, u32(Number(number) >>> 0));
  }
  return joinBytes(parts);
}
