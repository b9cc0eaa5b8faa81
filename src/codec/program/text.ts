/**
 * Texts of a program, which are bytes on the wire.
 *
 * @module
 */
import { quote, ValueError } from "../../errors.ts";
import { textFromUtf8 } from "../pickle/text.ts";

const encoder = new TextEncoder();

/** A name, which the checker has proved to be UTF-8. */
export function nameOf(bytes: Uint8Array): string {
  return textFromUtf8(bytes, 0, bytes.length)!;
}

/** A text, or its bytes where they are no UTF-8. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  const text = textFromUtf8(bytes, 0, bytes.length);
  return text?.isWellFormed() ? text : bytes;
}

/** The bytes of a text; half a surrogate pair has none. */
export function utf8Of(text: string | Uint8Array): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string") return new Uint8Array(text);
  if (!text.isWellFormed()) {
    throw new ValueError("LONE_SURROGATE", `The text ${quote(text)} has half a surrogate pair, which UTF-8 cannot say`);
  }
  return encoder.encode(text);
}
