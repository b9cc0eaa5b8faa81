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

/** INT and LONG: an optional sign and decimal digits, nothing else. Null where the text is malformed. */
export function integerFromText(text: string): number | bigint | null {
  const digits = digitsFrom(text, sign(text));
  if (digits === 0 || sign(text) + digits !== text.length) return null;
  return text.length <= 15 ? Number(text) + 0 : narrow(BigInt(text[0] === "+" ? text.slice(1) : text));
}

/** FLOAT: digits, a point, an exponent, as Python's repr writes them; `nan`, `inf`. Null where the text is malformed. */
export function floatFromText(text: string): number | null {
  let at = sign(text);
  const word = text.slice(at);
  if (word === "nan") return NaN;
  if (word === "inf") return text[0] === "-" ? -Infinity : Infinity;
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
  return at === text.length ? Number(text) : null;
}

function sign(text: string): number {
  return text[0] === "+" || text[0] === "-" ? 1 : 0;
}

function digitsFrom(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++;
  return at - start;
}
