/**
 * Strings whose characters are bytes.
 *
 * @module
 */
import { textFromUnits } from "./code_units.ts";

/** Decode latin-1, each byte a code point (RULES.md TXT-1: `TextDecoder("latin1")` is a different encoding). */
export function textFromLatin1(bytes: Uint8Array): string {
  const out = new Uint16Array(bytes.length);
  out.set(bytes);
  return textFromUnits(out, bytes.length);
}

/** Encode a string as latin-1; null if a code point is above 255. */
export function latin1FromText(text: string): Uint8Array<ArrayBuffer> | null {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 255) return null;
    out[i] = unit;
  }
  return out;
}
