/**
 * numpy dtypes that tensors cannot have (strings, dates, objects, structures, long doubles, big-endian numbers), as a pickle stores them.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { type DTypeValue, NumpyScalar, type OpaqueArray, Tuple } from "../../values.ts";
import { PickledDType } from "./pickled.ts";
import { shownValue } from "../../words/described.ts";
import { isIntegerOf } from "../../words/integers.ts";

/** Values that may have such a dtype. */
type Foreign = OpaqueArray | NumpyScalar | DTypeValue;

/** How a value was written in its file: the dtype's name alone does not preserve everything. */
interface Written {
  readonly dtype: PickledDType;
  /** The bytes of a scalar. */
  readonly bytes?: Uint8Array;
}

const written = new WeakMap<Foreign, Written>();

/** Remember how `value` was written, so that it can be written the same way again. */
export function rememberWritten(value: Foreign, how: Written): void {
  written.set(value, how);
}

/** The dtype that a value was read with, if it is remembered. */
export function dtypeRead(value: Foreign): PickledDType | undefined {
  return written.get(value)?.dtype;
}

/**
 * The dtype to write for a value: the one it was read with, or the one its name stands for.
 *
 * @throws {ValueError} `INVALID_VALUE` if numpy has no dtype of that name
 */
export function foreignDType(value: Foreign): PickledDType {
  const { dtype } = value;
  if (typeof dtype !== "string") throw new ValueError("INVALID_VALUE", `Cannot pickle ${shownValue(dtype)} as a dtype`);
  return dtypeRead(value) ?? dtypeOfName(value instanceof NumpyScalar ? arrayName(dtype) : dtype);
}

/**
 * The bytes to write for a scalar of such a dtype.
 *
 * @throws {ValueError} `INVALID_VALUE` if the value does not match the dtype's name
 */
export function foreignScalarBytes(scalar: NumpyScalar): Uint8Array {
  const kept = written.get(scalar)?.bytes;
  if (kept) return kept;
  const { code, itemsize } = foreignDType(scalar);
  const { dtype, value } = scalar;
  const bytes = new Uint8Array(itemsize);
  const view = new DataView(bytes.buffer);
  const isDate = code[0] === "M" || code[0] === "m";
  const points = code[0] === "U" && typeof value === "string" ? Array.from(value, (c) => c.codePointAt(0)!) : null;
  if (points && 4 * points.length <= itemsize) points.forEach((point, i) => view.setUint32(4 * i, point, true));
  else if (code[0] === "S" && value instanceof Uint8Array && value.length <= itemsize) bytes.set(value);
  else if (isDate && isIntegerOf(64, value)) {
    view.setBigInt64(0, BigInt(value), true);
  } else throw new ValueError("INVALID_VALUE", `Cannot pickle ${typeof value} as a numpy scalar of ${dtype}`);
  return bytes;
}

/** The array form (`<U3`) of numpy's name for a scalar's dtype (`str96`). */
function arrayName(name: string): string {
  const [, kind, bits] = /^(str|bytes)(\d{0,9})$/.exec(name) ?? [];
  if (kind === "str") return `<U${Number(bits) / 32}`;
  if (kind === "bytes") return `|S${Number(bits) / 8}`;
  return name.replace(/^datetime64/, "<M8").replace(/^timedelta64/, "<m8");
}

/** Byte order, kind, size, and a date's count and unit. */
const NAME = /^([<>|=]?)([OSUVMm])(\d{0,9})(?:\[(\d{0,9})([a-zA-Z]{1,7})\])?$/;

function dtypeOfName(name: string): PickledDType {
  if (name === "float128" || name === "complex256") {
    const size = name === "float128" ? 16 : 32;
    return dtypeOf(name[0] + size, size, "<", [-1, -1, 0]);
  }
  const [, order, kind, digits, count, unit] = NAME.exec(name) ?? [];
  if (kind === undefined) {
    throw new ValueError("INVALID_VALUE", `Cannot pickle numpy's dtype ${name}`, { actual: name });
  }
  const size = Number(digits);
  const sign = order === ">" ? ">" : "<";
  switch (kind) {
    case "O":
      return dtypeOf("O8", 8, "|", [-1, -1, 63]);
    case "U":
      return dtypeOf(`U${size}`, 4 * size, sign, [4 * size, 4, 8]);
    case "S":
    case "V":
      return dtypeOf(kind + size, size, "|", [size, 1, 0]);
    default: {
      const metadata = Tuple.of<unknown>(latin1(unit ?? "generic"), Number(count || 1), 1, 1);
      return dtypeOf(kind + "8", 8, sign, [-1, -1, 0, Tuple.of<unknown>(new Map(), metadata)]);
    }
  }
}

function dtypeOf(code: string, itemsize: number, order: string, rest: unknown[]): PickledDType {
  const dtype = new PickledDType(code, undefined, itemsize);
  dtype.bigEndian = order === ">";
  dtype.state = Tuple.of<unknown>(rest.length > 3 ? 4 : 3, order, null, null, null, ...rest);
  return dtype;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
