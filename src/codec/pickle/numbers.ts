/**
 * Numbers of a pickle: two's complement of any length, and the decimal strings of protocol 0.
 *
 * @module
 */
import { integerOf } from "../../words/integers.ts";

/** LONG1 and LONG4: little-endian two's complement. A number if it is a safe integer, else a bigint (RULES.md VAL-8). */
export function integerFromBytes(bytes: Uint8Array): number | bigint {
  const n = bytes.length;
  if (n === 0) return 0;
  const negative = bytes[n - 1] >= 0x80;
  if (n <= 6) {
    let value = 0;
    for (let i = n - 1; i >= 0; i--) value = value * 256 + bytes[i];
    return negative ? value - 256 ** n : value;
  }
  const digits: string[] = ["0x"];
  for (let i = n - 1; i >= 0; i--) digits.push(bytes[i].toString(16).padStart(2, "0"));
  const value = BigInt(digits.join(""));
  return integerOf(negative ? BigInt.asIntN(8 * n, value) : value);
}

/** ASCII whitespace as in C's isspace, a sign, `0x`, `0o` or `0b` with its digits, or decimal digits; single underscores between digits. */
const INTEGER = /^[\t-\r ]*([+-]?)(0x(?:_?[\da-f])+|0o(?:_?[0-7])+|0b(?:_?[01])+|\d(?:_?\d)*)[\t-\r ]*$/i;
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * INT and LONG (`base` 0) and the index of GET and PUT (`base` 10): the strings that Python's `int(text, base)` accepts. Whitespace around
 * the number, a sign, single underscores between digits; with base 0 also `0x`, `0o` and `0b`, and no leading zeros. Null if malformed.
 */
export function integerFromText(text: string, base: 0 | 10): number | bigint | null {
  // Nearly all are like this.
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  const [, sign, grouped] = INTEGER.exec(text) ?? [];
  if (grouped === undefined) return null;
  const digits = grouped.replaceAll("_", "");
  const isDecimal = /^\d+$/.test(digits);
  if (base === 10 && !isDecimal) return null;
  // To C's strtol 010 is 8, to Python an error.
  if (base === 0 && isDecimal && /^0+[1-9]/.test(digits)) return null;
  const size = isDecimal && digits.length <= 15 ? Number(digits) : integerOf(BigInt(digits));
  if (sign !== "-") return size;
  return typeof size === "number" ? 0 - size : -size;
}

/** FLOAT: digits, a point, an exponent; `nan`, `inf`, `infinity`. Null if malformed, or out of a double's range. */
export function floatFromText(text: string): number | null {
  if (FLOAT.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : null;
  }
  const [, sign, word] = /^([+-]?)(nan|inf|infinity)$/i.exec(text) ?? [];
  if (!word) return null;
  return word.toLowerCase() === "nan" ? NaN : sign === "-" ? -Infinity : Infinity;
}
