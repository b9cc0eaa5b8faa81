/**
 * Integers as little-endian bytes, for the encoders of binary formats; take.ts reads them.
 *
 * @module
 */

/** A number below 2^32 as four bytes. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A safe integer as eight bytes. */
export function u64(value: number): Uint8Array {
  return u64s([value]);
}

/** Safe integers as eight bytes each, in one pass: SelectedRows may have millions of row numbers. */
export function u64s(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    view.setUint32(8 * i, values[i], true);
    view.setInt32(8 * i + 4, Math.floor(values[i] / 2 ** 32), true);
  }
  return bytes;
}
