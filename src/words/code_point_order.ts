/**
 * The order in which Paddle sorts names.
 *
 * @module
 */

/** Compare by code point, as Python does; JavaScript's own order goes by UTF-16 unit. */
export function byCodePoint(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates (0xd800 to 0xdfff) encode code points above those of all other units.
    const isHighX = x >= 0xd800 && x < 0xe000, isHighY = y >= 0xd800 && y < 0xe000;
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}
