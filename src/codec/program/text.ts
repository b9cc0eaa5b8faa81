/**
 * Strings of a program, which are bytes on the wire.
 *
 * @module
 */
import { quote, ValueError } from "../../errors.ts";
import { textFromUtf8 } from "../../words/utf8.ts";

const encoder = new TextEncoder();

/** Decode a name, which was checked to be UTF-8. */
export function nameOf(bytes: Uint8Array): string {
  return textFromUtf8(bytes, 0, bytes.length)!;
}

/** The string, or the bytes themselves if they are not UTF-8. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  const text = textFromUtf8(bytes, 0, bytes.length);
  return text?.isWellFormed() ? text : bytes;
}

/** The UTF-8 bytes of a string; a lone surrogate is an error. */
export function utf8Of(text: string | Uint8Array): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string") return new Uint8Array(text);
  if (!text.isWellFormed()) {
    throw new ValueError("LONE_SURROGATE", `The text ${quote(text)} has a lone surrogate, which UTF-8 cannot encode`);
  }
  return encoder.encode(text);
}
