/**
 * Numbers of a pickle: two's complement of any length, and the decimal texts of protocol 0.
 *
 * @module
 */

/** LONG1 and LONG4: little-endian two's complement. A number where it is safe, else a bigint (H-VAL-8). */
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
  return narrow(negative ? BigInt.asIntN(8 * n, value) : value);
}

/** A number in place of a bigint inside the safe range. */
export function narrow(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

const RADIX: ReadonlyMap<string, number> = new Map([["x", 16], ["o", 8], ["b", 2]]);

/**
 * INT and LONG (`base` 0) and the index of GET and PUT (`base` 10): the texts that Python's `int(text, base)` takes. Spaces around it, a
 * sign, single underscores between digits; with base 0 also `0x`, `0o` and `0b`, and no leading zeros. Null where the text is malformed.
 */
export function integerFromText(text: string, base: 0 | 10): number | bigint | null {
  let at = 0, end = text.length;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  while (end > at && isSpace(text.charCodeAt(end - 1))) end--;
  const isNegative = text[at] === "-";
  at += sign(text.slice(at, at + 1));
  const radix = base === 0 && text[at] === "0" && at + 1 < end ? RADIX.get(text[at + 1].toLowerCase()) ?? 10 : 10;
  const prefix = radix === 10 ? "" : text.slice(at, at + 2).toLowerCase();
  if (radix !== 10) at += text[at + 2] === "_" ? 3 : 2;
  const digits = ungrouped(text.slice(at, end));
  if (digits === null || !hasDigits(digits, radix)) return null;
  // C's strtol takes 010 for 8, Python for a mistake.
  if (base === 0 && radix === 10 && digits[0] === "0" && !hasDigits(digits, 1)) return null;
  const size = radix === 10 && digits.length <= 15 ? Number(digits) : narrow(BigInt(prefix + digits));
  if (!isNegative) return size;
  return typeof size === "number" ? 0 - size : -size;
}

/** Without the underscores between digits; null where one stands elsewhere. */
function ungrouped(digits: string): string | null {
  if (!digits.includes("_")) return digits;
  const groups = digits.split("_");
  return groups.includes("") ? null : groups.join("");
}

/** Whether a text is digits of this radix, one at least. */
function hasDigits(text: string, radix: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
    if (digit < 0 || digit >= radix || (code > 0x39 && digit < 10)) return false;
  }
  return text.length > 0;
}

/** What C's isspace says of ASCII. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** FLOAT: digits, a point, an exponent; `nan`, `inf`, `infinity`. Null where the text is malformed, or beyond what a double holds. */
export function floatFromText(text: string): number | null {
  let at = sign(text);
  const word = text.length - at > 8 ? "" : text.slice(at).toLowerCase();
  if (word === "nan") return NaN;
  if (word === "inf" || word === "infinity") return text[0] === "-" ? -Infinity : Infinity;
  const whole = digitsFrom(text, at);
  at += whole;
  let fraction = 0;
  if (text[at] === ".") {
    fraction = digitsFrom(text, at + 1);
    at += 1 + fraction;
  }
  if (whole + fraction === 0) return null;
  if (text[at] === "e" || text[at] === "E") {
    at += 1 + sign(text.slice(at + 1));
    const exponent = digitsFrom(text, at);
    if (exponent === 0) return null;
    at += exponent;
  }
  const value = at === text.length ? Number(text) : NaN;
  return Number.isFinite(value) ? value : null;
}

function sign(text: string): number {
  return text[0] === "+" || text[0] === "-" ? 1 : 0;
}

function digitsFrom(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++;
  return at - start;
}
