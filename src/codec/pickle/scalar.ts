/**
 * numpy scalars: a dtype and the bytes of one element.
 *
 * @module
 */
import { FormatError, UnsupportedError } from "../../errors.ts";
import { Complex, NumpyScalar } from "../../values.ts";
import { rememberWritten } from "./foreign_dtype.ts";
import type { PickledDType } from "./pickled.ts";
import { narrow } from "./numbers.ts";

/** The scalar that `bytes` are, by `dtype`. */
export function readScalar(dtype: PickledDType, bytes: Uint8Array, at: number): NumpyScalar {
  const { info } = dtype;
  if (!info) return readOpaque(dtype, bytes, at);
  if (bytes.length !== info.itemsize) {
    throw new FormatError(
      "SIZE_MISMATCH",
      `A scalar of ${info.name} at byte ${at} has ${info.itemsize} bytes: got ${bytes.length}`,
      {
        offset: at,
        expected: info.itemsize,
        actual: bytes.length,
      },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !dtype.bigEndian;
  return new NumpyScalar(info.name, number(info.name, view, little));
}

function number(name: string, view: DataView, little: boolean): NumpyScalar["value"] {
  switch (name) {
    case "bool":
      return view.getUint8(0) !== 0;
    case "int8":
      return view.getInt8(0);
    case "uint8":
      return view.getUint8(0);
    case "int16":
      return view.getInt16(0, little);
    case "uint16":
      return view.getUint16(0, little);
    case "int32":
      return view.getInt32(0, little);
    case "uint32":
      return view.getUint32(0, little);
    case "int64":
      return narrow(view.getBigInt64(0, little));
    case "uint64":
      return narrow(view.getBigUint64(0, little));
    case "float16":
      return halfToNumber(view.getUint16(0, little));
    case "float32":
      return view.getFloat32(0, little);
    case "float64":
      return view.getFloat64(0, little);
    case "complex64":
      return new Complex(view.getFloat32(0, little), view.getFloat32(4, little));
    default:
      return new Complex(view.getFloat64(0, little), view.getFloat64(8, little));
  }
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Texts and dates: kept to look at, with numpy's name of the dtype, and to be written again. */
function readOpaque(dtype: PickledDType, bytes: Uint8Array, at: number): NumpyScalar {
  const scalar = opaqueScalar(dtype, bytes, at);
  if (dtype.state) rememberWritten(scalar, { dtype, bytes: bytes.slice() });
  return scalar;
}

function opaqueScalar(dtype: PickledDType, bytes: Uint8Array, at: number): NumpyScalar {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !dtype.bigEndian;
  const kind = dtype.code[0];
  if (kind === "U" && bytes.length % 4 === 0) {
    const points: string[] = [];
    for (let i = 0; i < bytes.length; i += 4) {
      const point = view.getUint32(i, little);
      if (point > 0x10ffff) break;
      if (point !== 0) points.push(String.fromCodePoint(point));
    }
    return new NumpyScalar(`str${bytes.length * 8}`, points.join(""));
  }
  if ((kind === "M" || kind === "m") && bytes.length === 8) {
    return new NumpyScalar(
      (kind === "M" ? "datetime64" : "timedelta64") + dtype.unit,
      narrow(view.getBigInt64(0, little)),
    );
  }
  if (kind === "S") return new NumpyScalar(`bytes${bytes.length * 8}`, bytes);
  throw new UnsupportedError("UNSUPPORTED_DTYPE", `A scalar of numpy's ${dtype.code} at byte ${at}`, {
    offset: at,
    actual: dtype.code,
  });
}
