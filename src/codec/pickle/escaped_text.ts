/**
 * The two escaped forms in which protocol 0 writes strings.
 *
 * @module
 */
import { putPoint, textFromUnits } from "../../words/code_units.ts";

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
