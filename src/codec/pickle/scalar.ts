/**
 * numpy scalars: a dtype and the bytes of one element.
 *
 * @module
 */
import { FormatError, UnsupportedError } from "../../errors.ts";
import { swapBytes } from "../../kernel.ts";
import { NDArray } from "../../ndarray.ts";
import { NumpyScalar } from "../../values.ts";
import { rememberWritten } from "./foreign_dtype.ts";
import type { PickledDType } from "./pickled.ts";
import { rememberBits } from "./nan_bits.ts";
import { integerOf } from "../../words/integers.ts";

/** numpy's names, without their sizes, of kinds whose scalars are kept as bytes. */
const OPAQUE: Readonly<Record<string, string>> = { S: "bytes", V: "void", f: "float", c: "complex" };

/** Decode `bytes` as a scalar of `dtype`. */
export function readScalar(dtype: PickledDType, bytes: Uint8Array, at: number): NumpyScalar {
  const { info } = dtype;
  if (!info) return readOpaque(dtype, bytes, at);
  checkSize(info.name, bytes, info.itemsize, at);
  if (info.name === "bool") return new NumpyScalar(info.name, bytes[0] !== 0);
  const own = bytes.slice();
  if (dtype.bigEndian) swapBytes(own, info.swapsize);
  const value = new NDArray(info.name, [], own).at();
  const scalar = new NumpyScalar(info.name, typeof value === "bigint" ? integerOf(value) : value);
  rememberBits(scalar, own);
  return scalar;
}

/** Strings, dates, structures, long doubles: retained with numpy's name of the dtype, to be inspected and written again. */
function readOpaque(dtype: PickledDType, bytes: Uint8Array, at: number): NumpyScalar {
  const scalar = opaqueScalar(dtype, bytes, at);
  if (dtype.state) rememberWritten(scalar, { dtype, bytes: bytes.slice() });
  return scalar;
}

function opaqueScalar(dtype: PickledDType, bytes: Uint8Array, at: number): NumpyScalar {
  checkSize(dtype.code, bytes, dtype.itemsize, at);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !dtype.bigEndian;
  const kind = dtype.code[0];
  const bits = bytes.length * 8 || "";
  if (kind === "U" && bytes.length % 4 === 0) {
    const points: string[] = [];
    for (let i = 0; i < bytes.length; i += 4) {
      const point = view.getUint32(i, little);
      if (point > 0x10ffff) {
        throw new FormatError("BAD_TEXT", `The text at byte ${at} has the code point ${point}, which does not exist`, {
          offset: at,
        });
      }
      points.push(String.fromCodePoint(point));
    }
    // Trailing NULs are padding.
    return new NumpyScalar(`str${bits}`, points.join("").replace(/\0+$/, ""));
  }
  if ((kind === "M" || kind === "m") && bytes.length === 8) {
    return new NumpyScalar(
      (kind === "M" ? "datetime64" : "timedelta64") + dtype.unit,
      integerOf(view.getBigInt64(0, little)),
    );
  }
  const name = OPAQUE[kind];
  if (name) return new NumpyScalar(name + bits, bytes);
  throw new UnsupportedError("UNSUPPORTED_DTYPE", `A scalar of numpy's ${dtype.code} at byte ${at}`, {
    offset: at,
    actual: dtype.code,
  });
}

function checkSize(name: string, { length }: Uint8Array, itemsize: number, at: number): void {
  if (length === itemsize) return;
  throw new FormatError("SIZE_MISMATCH", `A scalar of ${name} at byte ${at} has ${itemsize} bytes: got ${length}`, {
    offset: at,
    expected: itemsize,
    actual: length,
  });
}
