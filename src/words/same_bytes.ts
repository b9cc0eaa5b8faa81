/** Whether two byte sequences are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let done = 0;
  // Four bytes at a time where both are aligned.
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const count = a.length >> 2;
    const x = new Int32Array(a.buffer, a.byteOffset, count);
    const y = new Int32Array(b.buffer, b.byteOffset, count);
    for (let i = 0; i < count; i++) if (x[i] !== y[i]) return false;
    done = count * 4;
  }
  for (let i = done; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
