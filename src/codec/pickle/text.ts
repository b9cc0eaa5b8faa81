/**
 * Strings of a pickle: UTF-8 with surrogates, latin-1, and the two escaped forms of protocol 0.
 *
 * @module
 */

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

const SIMPLE_ESCAPES: ReadonlyMap<number, number> = new Map(
  [..."\\'\"abfnrtv"].map((c, i) => [c.charCodeAt(0), [0x5c, 0x27, 0x22, 7, 8, 12, 10, 13, 9, 11][i]]),
);

/** STRING: a quoted string with Python's byte escapes, each byte a code point. Null if malformed. */
export function textFromQuoted(line: Uint8Array): string | null {
  const quote = line[0];
  if (line.length < 2 || (quote !== 0x27 && quote !== 0x22) || line[line.length - 1] !== quote) return null;
  const out = new Uint16Array(line.length);
  let n = 0;
  const end = line.length - 1;
  for (let i = 1; i < end; i++) {
    if (line[i] !== 0x5c) {
      out[n++] = line[i];
      continue;
    }
    if (++i >= end) return null;
    const c = line[i];
    const simple = SIMPLE_ESCAPES.get(c);
    if (simple !== undefined) out[n++] = simple;
    else if (c === 0x78) {
      const point = hex(line, i + 1, i + 3, end);
      if (point < 0) return null;
      out[n++] = point;
      i += 2;
    } else if (c >= 0x30 && c <= 0x37) {
      let point = 0, k = 0;
      for (; k < 3 && i + k < end && line[i + k] >= 0x30 && line[i + k] <= 0x37; k++) {
        point = point * 8 + line[i + k] - 0x30;
      }
      out[n++] = point & 0xff;
      i += k - 1;
    } else {
      out[n++] = 0x5c;
      out[n++] = c;
    }
  }
  return textFromUnits(out, n);
}

/** UNICODE: Python's raw-unicode-escape, where only an odd number of backslashes before the u escapes. Null if malformed. */
export function textFromRawUnicodeEscape(line: Uint8Array): string | null {
  const out = new Uint16Array(line.length);
  let n = 0, slashes = 0;
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (slashes % 2 === 1 && (c === 0x75 || c === 0x55)) {
      const digits = c === 0x75 ? 4 : 8;
      const point = hex(line, i + 1, i + 1 + digits, line.length);
      if (point < 0 || point > 0x10ffff) return null;
      n = putPoint(out, n - 1, point);
      i += digits;
      slashes = 0;
      continue;
    }
    slashes = c === 0x5c ? slashes + 1 : 0;
    out[n++] = c;
  }
  return textFromUnits(out, n);
}

function hex(bytes: Uint8Array, start: number, stop: number, end: number): number {
  if (stop > end) return -1;
  let n = 0;
  for (let i = start; i < stop; i++) {
    const c = bytes[i];
    const digit = c >= 0x30 && c <= 0x39 ? c - 0x30 : (c | 0x20) >= 0x61 && (c | 0x20) <= 0x66 ? (c | 0x20) - 0x57 : -1;
    if (digit < 0) return -1;
    n = n * 16 + digit;
  }
  return n;
}

function putPoint(out: Uint16Array, n: number, point: number): number {
  if (point < 0x10000) {
    out[n] = point;
    return n + 1;
  }
  out[n] = 0xd7c0 + (point >> 10);
  out[n + 1] = 0xdc00 | (point & 0x3ff);
  return n + 2;
}

function textFromUnits(out: Uint16Array, n: number): string {
  const parts: string[] = [];
  for (let i = 0; i < n; i += 8192) {
    parts.push(String.fromCharCode.apply(null, out.subarray(i, Math.min(n, i + 8192)) as unknown as number[]));
  }
  return parts.join("");
}

const encoder = /* @__PURE__ */ new TextEncoder();

/** Encode a string as UTF-8; a lone surrogate becomes three bytes, as CPython writes it (RULES.md TXT-2). */
export function utf8FromText(text: string): Uint8Array {
  if (isWellFormed(text)) return encoder.encode(text);
  const out: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point >= 0xd800 && point < 0xe000) {
      out.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    } else for (const byte of encoder.encode(character)) out.push(byte);
  }
  return Uint8Array.from(out);
}

function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit > 0xdbff || (text.charCodeAt(++i) & 0xfc00) !== 0xdc00) return false;
  }
  return true;
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
