/**
 * Texts that stand for bytes: below an `_codecs.encode`, protocol 2 writes bytes as the text of their latin-1 characters (FORMATS.md 3.4).
 *
 * @module
 */
import { UnsupportedError } from "../../errors.ts";
import { Tuple } from "../../values.ts";
import type { Payload } from "../cursor.ts";
import { textFromLatin1 } from "./text.ts";

/** Such a text: bytes from the first; a string only if somebody asks. */
export class ByteText {
  readonly payload: Payload;
  readonly offset: number;
  constructor(payload: Payload, offset: number) {
    this.payload = payload;
    this.offset = offset;
  }
}

/** Whether it has the characters of `expected`. */
export function isText(text: ByteText, expected: string): boolean {
  return text.payload instanceof Uint8Array && text.payload.length === expected.length &&
    text.payload.every((b, i) => b === expected.charCodeAt(i));
}

/** The string, where the text is used as one after all. */
export function spelledOut({ payload, offset }: ByteText): string {
  if (payload instanceof Uint8Array) return textFromLatin1(payload);
  throw new UnsupportedError(
    "UNSUPPORTED_FEATURE",
    `The text at byte ${offset} stands for bytes and is used as a text`,
    { offset },
  );
}

/** Whether a tuple was made as the arguments of an `_codecs.encode`: out of the memo it may become a value, with texts in it. */
export function holdsByteText(value: unknown): value is unknown[] {
  return value instanceof Tuple && value.some((item) => item instanceof ByteText);
}

/** Something that is used a second time: the arguments of an `_codecs.encode` may be a value then. */
export function usedAgain(value: unknown): unknown {
  if (holdsByteText(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      if (item instanceof ByteText) value[i] = spelledOut(item);
    }
  }
  return value;
}
