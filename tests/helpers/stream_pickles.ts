/** Pickles of `{"a": array}` as CPython writes them, for arrays that this library never writes. */

/** Protocol 3, `numpy.asfortranarray(numpy.arange(6, dtype="<i2").reshape(2, 3))`. */
export const FORTRAN: Uint8Array = array("<", 2, [2, 3], true, Uint8Array.of(0, 0, 3, 0, 1, 0, 4, 0, 2, 0, 5, 0));

/** Protocol 3, `numpy.arange(1_500_000, dtype=">i4")`. */
export function big(): Uint8Array {
  const data = new DataView(new ArrayBuffer(6_000_000));
  for (let i = 0; i < 1_500_000; i++) data.setInt32(4 * i, i);
  return array(">", 4, [1_500_000], false, new Uint8Array(data.buffer));
}

function array(order: string, size: number, shape: number[], fortran: boolean, data: Uint8Array): Uint8Array {
  const u32 = (n: number) => [n & 255, n >> 8 & 255, n >> 16 & 255, n >>> 24];
  const text = (s: string) => [0x58, ...u32(s.length), ...new TextEncoder().encode(s)];
  const global = (name: string) => [0x63, ...new TextEncoder().encode(name.replace(" ", "\n") + "\n")];
  const int = (n: number) => [0x4a, ...u32(n)];
  const head = [
    ...[0x80, 3, 0x7d, ...text("a")],
    ...[...global("numpy.core.multiarray _reconstruct"), ...global("numpy ndarray"), ...int(0), 0x85],
    ...[0x43, 1, 0x62, 0x87, 0x52, 0x28, ...int(1), 0x28, ...shape.flatMap(int), 0x74],
    ...[...global("numpy dtype"), ...text(`i${size}`), ...int(0), ...int(1), 0x87, 0x52, 0x28, ...int(3)],
    ...[...text(order), 0x4e, 0x4e, 0x4e, ...int(-1), ...int(-1), ...int(0), 0x74, 0x62],
    ...[fortran ? 0x88 : 0x89, 0x42, ...u32(data.length)],
  ];
  const whole = new Uint8Array(head.length + data.length + 4);
  whole.set(head);
  whole.set(data, head.length);
  whole.set([0x74, 0x62, 0x73, 0x2e], head.length + data.length);
  return whole;
}
