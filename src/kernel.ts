/**
 * The loops over bytes: WebAssembly where the runtime can compile it, else the TypeScript twin with the same results.
 *
 * @module
 */

/** Bytes that a UTF-8 text of code points up to U+00FF stands for: how many they are. */
export function latin1Length(text: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) if ((text[i] & 0xc0) !== 0x80) n++;
  return n;
}

/** Write the bytes that a UTF-8 text of code points up to U+00FF stands for. How many were written, or -1 - i where byte i is wrong. */
export function latin1FromUtf8(text: Uint8Array, into: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const b = text[i];
    if (b < 0x80) into[n++] = b;
    else if ((b === 0xc2 || b === 0xc3) && i + 1 < text.length && (text[i + 1] & 0xc0) === 0x80) {
      into[n++] = ((b & 3) << 6) | (text[++i] & 0x3f);
    } else return -1 - i;
  }
  return n;
}

/** Bytes of the UTF-8 text that {@linkcode utf8FromLatin1} writes. */
export function utf8Length(bytes: Uint8Array): number {
  let n = bytes.length;
  for (let i = 0; i < bytes.length; i++) n += bytes[i] >> 7;
  return n;
}

/** Write every byte as the UTF-8 of its code point; how many bytes were written. `into` has room for them ({@linkcode utf8Length}). */
export function utf8FromLatin1(bytes: Uint8Array, into: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    if (b < 0x80) into[n++] = b;
    else {
      into[n++] = 0xc0 | (b >> 6);
      into[n++] = 0x80 | (b & 0x3f);
    }
  }
  return n;
}

/** Turn the byte order of numbers of `size` (2, 4 or 8) bytes around, in place. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  for (let i = 0; i + size <= bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/** Copy an array from column-major (Fortran) order to row-major (C) order. */
export function rowMajor(columnMajor: Uint8Array, shape: readonly number[], itemsize: number): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(columnMajor.length);
  const index = shape.map(() => 0);
  const count = shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++) at = at * shape[axis] + index[axis];
    into.set(columnMajor.subarray(i * itemsize, (i + 1) * itemsize), at * itemsize);
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis++) index[axis] = 0;
  }
  return into;
}
