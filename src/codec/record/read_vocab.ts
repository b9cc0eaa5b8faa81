/**
 * A Vocab record, words to numbers (FORMATS.md 7.3): u64 count, then for each entry a u64 length, the word in UTF-8, an i32 number.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { type Budget, PRICES } from "../../limits.ts";
import type { Cursor, Decoder } from "../cursor.ts";
import { textFromUtf8 } from "../../words/utf8.ts";
import { take, takeU64 } from "../take.ts";

/** Words and their numbers, in file order. */
export interface RawVocab {
  words: Map<string, number>;
}

/** Minimum size of an entry in bytes. */
const ENTRY = 12;

/** Decode one vocabulary. */
export function* readVocab(cursor: Cursor, budget: Budget): Decoder<RawVocab> {
  const at = cursor.offset;
  const count = yield* takeU64(cursor);
  const { remaining } = cursor;
  if (remaining !== undefined && count > remaining / ENTRY) {
    throw new FormatError(
      "TRUNCATED",
      `The vocabulary at byte ${at} announces ${count} words, more than the file can hold`,
      {
        offset: at,
        actual: count,
      },
    );
  }
  const words = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const entryAt = cursor.offset;
    const length = yield* takeU64(cursor);
    budget.check("maxStringBytes", length, entryAt);
    budget.charge(PRICES.entry + PRICES.string + PRICES.unit * length, entryAt);
    const p = yield* take(cursor, length, entryAt);
    const word = textFromUtf8(cursor.bytes, p, p + length);
    if (word === null) {
      throw new FormatError("BAD_TEXT", `The word at byte ${entryAt} is not valid UTF-8`, { offset: entryAt });
    }
    if (words.has(word)) {
      throw new FormatError("DUPLICATE_KEY", `A word appears twice (byte ${entryAt})`, { offset: entryAt });
    }
    const q = yield* take(cursor, 4, entryAt);
    words.set(word, cursor.view.getInt32(q, true));
  }
  return { words };
}
