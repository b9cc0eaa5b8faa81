/**
 * Strings made of UTF-16 units that are gathered in an array.
 *
 * @module
 */

/** Put a code point at index `n` of `out`. Returns the index after its one or two units. */
export function putPoint(out: Uint16Array, n: number, point: number): number {
  if (point < 0x10000) {
    out[n] = point;
    return n + 1;
  }
  out[n] = 0xd7c0 + (point >> 10);
  out[n + 1] = 0xdc00 | (point & 0x3ff);
  return n + 2;
}

/** Units converted at a time: engines limit the number of arguments. */
const PIECE = 8192;

/** The string of the first `n` units. */
export function textFromUnits(out: Uint16Array, n: number): string {
  const parts: string[] = [];
  for (let i = 0; i < n; i += PIECE) {
    parts.push(String.fromCharCode.apply(null, out.subarray(i, Math.min(n, i + PIECE)) as unknown as number[]));
  }
  return parts.join("");
}
