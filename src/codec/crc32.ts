/**
 * CRC-32 as used in zip archives (polynomial 0xEDB88320).
 *
 * @module
 */

const POLYNOMIAL = 0xedb88320;
/** Eight tables, to process eight bytes at a time. */
const TABLES = tables();

function tables(): Uint32Array {
  const table = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? POLYNOMIAL ^ (c >>> 1) : c >>> 1;
    table[n] = c;
  }
  for (let n = 0; n < 256; n++) {
    for (let t = 1; t < 8; t++) {
      const c = table[(t - 1) * 256 + n];
      table[t * 256 + n] = table[c & 0xff] ^ (c >>> 8);
    }
  }
  return table;
}

/** The checksum of `bytes`, continuing from the checksum `before` of the preceding bytes. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const t = TABLES;
  let c = ~before, i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const a = c ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    c = t[1792 + (a & 0xff)] ^ t[1536 + ((a >>> 8) & 0xff)] ^ t[1280 + ((a >>> 16) & 0xff)] ^ t[1024 + (a >>> 24)] ^
      t[768 + bytes[i + 4]] ^ t[512 + bytes[i + 5]] ^ t[256 + bytes[i + 6]] ^ t[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) c = t[(c ^ bytes[i]) & 0xff] ^ (c >>> 8);
  return ~c >>> 0;
}

/** Bytes of a step. */
const STEP = 2 ** 21;

/** {@linkcode crc32} in steps, between which other work may run. */
export function* crc32InSteps(bytes: Uint8Array, before = 0): Generator<void, number> {
  let crc = before;
  for (let at = 0; at < bytes.length; at += STEP) {
    if (at > 0) yield;
    crc = crc32(bytes.subarray(at, at + STEP), crc);
  }
  return crc;
}

/** The checksum of bytes whose first part has the checksum `first`, and whose second part, of `length` bytes, has `second`. */
export function joinedCrc32(first: number, second: number, length: number): number {
  return (product(powerOfX(8 * length), first) ^ second) >>> 0;
}

/** x^`exponent` modulo the polynomial. As in a checksum, the highest bit of a number is that of x^0. */
function powerOfX(exponent: number): number {
  let power = 0x80000000, square = 0x40000000;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = product(square, power);
    square = product(square, square);
  }
  return power;
}

/** The product of two polynomials over GF(2), modulo the polynomial. */
function product(a: number, b: number): number {
  let sum = 0;
  for (let bit = 0x80000000, shifted = b; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return sum >>> 0;
}
