/**
 * Strings that encode bytes: as argument of `_codecs.encode`, protocol 2 writes bytes as a string of latin-1 characters (FORMATS.md 3.4).
 *
 * @module
 */
import { UnsupportedError } from "../../errors.ts";
import { Tuple } from "../../values.ts";
import type { Payload } from "../cursor.ts";
import { textFromLatin1 } from "../../words/latin1.ts";

/** Such a string: decoded straight to bytes, and turned into a string only on demand. */
export class ByteText {
  readonly payload: Payload;
  readonly offset: number;
  constructor(payload: Payload, offset: number) {
    this.payload = payload;
    this.offset = offset;
  }
}

/** Whether its characters are those of `expected`. */
export function isText(text: ByteText, expected: string): boolean {
  return text.payload instanceof Uint8Array && text.payload.length === expected.length &&
    text.payload.every((b, i) => b === expected.charCodeAt(i));
}

/** The JavaScript string, for when it is used as one after all. */
export function spelledOut({ payload, offset }: ByteText): string {
  if (payload instanceof Uint8Array) return textFromLatin1(payload);
  throw new UnsupportedError(
    "UNSUPPORTED_FEATURE",
    `The text at byte ${offset} encodes bytes but is used as a string`,
    { offset },
  );
}

/** Length of the argument tuple of `_codecs.encode`, the only tuple that contains a ByteText. */
export const ENCODE_ARGUMENTS = 2;

/** Whether a value is the argument tuple of an `_codecs.encode`: fetched from the memo, it may become a value itself. */
export function holdsByteText(value: unknown): value is unknown[] {
  return value instanceof Tuple && value.length === ENCODE_ARGUMENTS &&
    (value[0] instanceof ByteText || value[1] instanceof ByteText);
}

/** A value that is used a second time: in the arguments of an `_codecs.encode`, which may now be a value, the strings become real ones. */
export function usedAgain(value: unknown): unknown {
  if (holdsByteText(value)) {
    for (let i = 0; i < ENCODE_ARGUMENTS; i++) {
      const item = value[i];
      if (item instanceof ByteText) value[i] = spelledOut(item);
    }
  }
  return value;
}
