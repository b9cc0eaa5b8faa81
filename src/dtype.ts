/**
 * The dtypes of arrays and tensors, with Paddle's names, Paddle's codes and numpy's codes.
 *
 * @module
 */

/** A dtype by Paddle's name. `uint16`, `uint32` and `uint64` are numpy's: Paddle has no Tensors of them. */
export type DType =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64"
  | "float8_e4m3fn"
  | "float8_e5m2"
  | "complex64"
  | "complex128";

/** A float8 dtype. Paddle writes both as int8, so a file does not say which it was. */
export type Float8 = "float8_e4m3fn" | "float8_e5m2";

/** A float narrower than float32. */
export type NarrowFloat = "float16" | "bfloat16" | Float8;

/** Properties of one dtype. */
export interface DTypeInfo {
  /** Paddle's name. */
  readonly name: DType;
  /** Bytes per element. */
  readonly itemsize: number;
  /** Bytes to reverse when the byte order changes: for complex numbers, the size of each part. */
  readonly swapsize: number;
  /** `VarType.Type` in framework.proto, the code in binary records; undefined if Paddle has none. */
  readonly varType: number | undefined;
  /** The argument of `numpy.dtype(...)` in a pickle that Paddle writes: bfloat16 as `u2`, float8 as `i1`. */
  readonly numpy: string;
  /** Whether Paddle has Tensors of it. */
  readonly isTensor: boolean;
}

const row = (
  name: DType,
  itemsize: number,
  varType: number | undefined,
  numpy: string,
  { isTensor = true, swapsize = itemsize } = {},
): DTypeInfo => Object.freeze({ name, itemsize, swapsize, varType, numpy, isTensor });

// The numbers are VarType.Type of proto/framework.proto; bfloat16 and float8 are pickled as uint16 and int8 (FORMATS.md 3.4).
const TABLE: readonly DTypeInfo[] = [
  row("bool", 1, 0, "b1"),
  row("int16", 2, 1, "i2"),
  row("int32", 4, 2, "i4"),
  row("int64", 8, 3, "i8"),
  row("float16", 2, 4, "f2"),
  row("float32", 4, 5, "f4"),
  row("float64", 8, 6, "f8"),
  row("uint8", 1, 20, "u1"),
  row("int8", 1, 21, "i1"),
  row("bfloat16", 2, 22, "u2"),
  row("complex64", 8, 23, "c8", { swapsize: 4 }),
  row("complex128", 16, 24, "c16", { swapsize: 8 }),
  row("float8_e4m3fn", 1, 32, "i1"),
  row("float8_e5m2", 1, 33, "i1"),
  row("uint16", 2, 36, "u2", { isTensor: false }),
  row("uint32", 4, 37, "u4", { isTensor: false }),
  row("uint64", 8, 38, "u8", { isTensor: false }),
];

const BY_NAME: ReadonlyMap<string, DTypeInfo> = tableBy((d) => d.name);
const BY_VAR_TYPE: ReadonlyMap<number, DTypeInfo> = /* @__PURE__ */ tableBy((d) => d.varType!);
const BY_NUMPY: ReadonlyMap<string, DTypeInfo> = tableBy((d) => d.numpy, TABLE.filter((d) => isOfNumpy(d.name)));

function tableBy<K>(keyOf: (info: DTypeInfo) => K, rows: readonly DTypeInfo[] = TABLE): ReadonlyMap<K, DTypeInfo> {
  return new Map(rows.map((info) => [keyOf(info), info]));
}

/** All dtypes, in the order of Paddle's codes. */
export const DTYPES: readonly DType[] = Object.freeze(TABLE.map((d) => d.name));

/** The float8 dtypes among them. */
export const FLOAT8_DTYPES: readonly Float8[] = Object.freeze(DTYPES.filter(isFloat8));

/** Whether `name` is a dtype. */
export function isDType(name: unknown): name is DType {
  return typeof name === "string" && BY_NAME.has(name);
}

/** Properties of a dtype; a TypeError for an unknown name. */
export function dtypeInfo(name: DType): DTypeInfo {
  const info = BY_NAME.get(name);
  if (!info) throw new TypeError(`Unknown dtype ${JSON.stringify(String(name))}: one of ${DTYPES.join(", ")}`);
  return info;
}

/** The dtype for a `VarType.Type` code of a record; undefined if the code is not a dtype. */
export function dtypeOfVarType(code: number): DTypeInfo | undefined {
  return BY_VAR_TYPE.get(code);
}

/** The dtype for numpy's code `b1`, `f4`, `c16`, ...; `u2` is uint16 here, which only becomes bfloat16 in a Tensor. */
export function dtypeOfNumpy(code: string): DTypeInfo | undefined {
  return BY_NUMPY.get(code);
}

/** The dtype as which numpy has the elements of one that it lacks, bit for bit: uint16 for bfloat16, int8 for float8. */
export function numpyForm(dtype: DType): DType {
  return BY_NUMPY.get(dtypeInfo(dtype).numpy)!.name;
}

/** Whether numpy has a dtype: it lacks bfloat16 and float8. */
export function isOfNumpy(dtype: DType): boolean {
  return dtype !== "bfloat16" && !isFloat8(dtype);
}

/** Whether a dtype is an 8-bit float. */
export function isFloat8(dtype: DType): dtype is Float8 {
  return dtype === "float8_e4m3fn" || dtype === "float8_e5m2";
}

/** Whether a dtype is a float narrower than float32. */
export function isNarrowFloat(dtype: DType): dtype is NarrowFloat {
  return dtype === "float16" || dtype === "bfloat16" || isFloat8(dtype);
}
