/**
 * The ways to spell a dtype that `numpy.dtype(text)`, and so `numpy.load`, accepts besides the one that `numpy.save` writes.
 *
 * @module
 */
import { dtypeInfo, isDType, isOfNumpy } from "../../dtype.ts";

/** Codes by their other spellings: letters, and names in Python, C and numpy. `l`, `long` and `int` have 8 bytes, as on all but Windows. */
const ROWS: readonly (readonly [code: string, letters: string, names: string])[] = [
  ["b1", "?", "bool_ bool8"],
  ["i1", "b", "byte"],
  ["u1", "B", "ubyte"],
  ["i2", "h", "short"],
  ["u2", "H", "ushort"],
  ["i4", "i", "intc"],
  ["u4", "I", "uintc"],
  ["i8", "lqpn", "int int_ intp long longlong int0"],
  ["u8", "LQPN", "uint uintp ulong ulonglong uint0"],
  ["f2", "e", "half"],
  ["f4", "f", "single"],
  ["f8", "d", "float double float_"],
  ["c8", "F", "csingle singlecomplex"],
  ["c16", "D", "complex cdouble cfloat complex_"],
];

const LETTERS: ReadonlyMap<string, string> = new Map(
  ROWS.flatMap(([code, letters]) => [...letters].map((l) => [l, code])),
);
const NAMES: ReadonlyMap<string, string> = new Map(
  ROWS.flatMap(([code, , names]) => names.split(" ").map((name): [string, string] => [name, code])),
);

/** numpy's kind and size for a code without its byte order; the code itself if it is another. Names have no byte order. */
export function plainCode(code: string, hasOrder: boolean): string {
  const known = LETTERS.get(code);
  if (known || hasOrder) return known ?? code;
  return NAMES.get(code) ?? (isDType(code) && isOfNumpy(code) ? dtypeInfo(code).numpy : code);
}

/** Codes for what no array here can have: strings, bytes, objects, dates, long doubles, records and parts of arrays. */
export const OTHERS =
  /^([OSUVaMm]|f16|c32|[fciub][0-9]|[gGc]$|(object|str|bytes|void|unicode|datetime64|timedelta64|c?longdouble|float128|complex256|string_)|[0-9(]|\w+,)/;
