/**
 * UTF-8 as Python writes it with "surrogatepass": a lone surrogate, which a JavaScript string may hold, is three bytes (RULES.md TXT-2).
 *
 * @module
 */
import { putPoint, textFromUnits } from "./code_units.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SHORT = 64;
/** A reusable list of code units for each short length: plain arrays are fastest with `apply`, and reuse leaves no garbage. */
const units = Array.from({ length: SHORT + 1 }, (_, n) => new Array<number>(n).fill(0));

/** Decode UTF-8, accepting lone surrogates as CPython's "surrogatepass" does. Null if malformed. */
export function textFromUtf8(bytes: Uint8Array, start: number, end: number): string | null {
  const length = end - start;
  if (length <= SHORT) {
    // Names are short and ASCII: a TextDecoder call costs more than they do.
    const list = units[length];
    let i = 0;
    for (; i < length; i++) {
      const byte = bytes[start + i];
      if (byte >= 0x80) break;
      list[i] = byte;
    }
    if (i === length) return String.fromCharCode.apply(null, list);
  }
  const part = bytes.subarray(start, end);
  try {
    return decoder.decode(part);
  } catch {
    return textFromWtf8(part);
  }
}

/** Decode UTF-8 in which surrogates may be encoded as three bytes each (RULES.md TXT-2). */
function textFromWtf8(bytes: Uint8Array): string | null {
  const out = new Uint16Array(bytes.length);
  let n = 0;
  for (let i = 0; i < bytes.length;) {
    const b = bytes[i];
    const more = b < 0x80 ? 0 : b >= 0xc2 && b < 0xe0 ? 1 : b >= 0xe0 && b < 0xf0 ? 2 : b >= 0xf0 && b < 0xf5 ? 3 : -1;
    if (more < 0 || i + more >= bytes.length) return null;
    let point = more === 0 ? b : b & (0x3f >> more);
    for (let k = 1; k <= more; k++) {
      if ((bytes[i + k] & 0xc0) !== 0x80) return null;
      point = (point << 6) | (bytes[i + k] & 0x3f);
    }
    if ((more === 2 && point < 0x800) || (more === 3 && (point < 0x10000 || point > 0x10ffff))) return null;
    n = putPoint(out, n, point);
    i += more + 1;
  }
  return textFromUnits(out, n);
}

const encoder = /* @__PURE__ */ new TextEncoder();

/** Encode a string as UTF-8; a lone surrogate becomes three bytes, as CPython writes it (RULES.md TXT-2). */
export function utf8FromText(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const out = new Uint8Array(utf8Size(text));
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    let more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    out[n++] = more === 0 ? point : (0xff << (7 - more)) | (point >> (6 * more));
    while (more > 0) out[n++] = 0x80 | ((point >> (6 * --more)) & 0x3f);
  }
  return out;
}

/** Length in bytes of a string's UTF-8. */
export function utf8Size(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    n += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      n += 1;
      i++;
    }
  }
  return n;
}
