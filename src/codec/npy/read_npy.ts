/**
 * numpy's `.npy` files, versions 1 to 3.
 *
 * ```text
 * 93 "NUMPY" · major · minor · length: u16 (version 1) or u32 · header: latin-1 (1, 2) or UTF-8 (3) · data
 * ```
 *
 * @module
 */
import { type DTypeInfo, dtypeInfo, dtypeOfNumpy, type Float8 } from "../../dtype.ts";
import { FormatError, quote, UnsupportedError } from "../../errors.ts";
import type { Budget } from "../../limits.ts";
import type { Cursor, Decoder } from "../cursor.ts";
import { PickledArray, PickledDType } from "../pickle/pickled.ts";
import { textFromLatin1 } from "../../words/latin1.ts";
import { RefusedArray } from "../../words/refused_array.ts";
import { textFromUtf8 } from "../../words/utf8.ts";
import { take, takeEnd, takePayload } from "../take.ts";
import { OTHERS, plainCode } from "./descr.ts";
import { type NpyHeader, parseNpyHeader } from "./npy_header.ts";
import { elementCount } from "../../words/element_count.ts";

/** The file's first bytes. */
export const MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Maximum header size in bytes: that of a numeric array has about a hundred. */
const MAX_HEADER = 2 ** 20;

/** Options of {@linkcode readNpy}. */
export interface ReadNpyOptions {
  budget: Budget;
  /** The dtype that a one-byte void (`V1`) stands for. @default {"float8_e4m3fn"} */
  float8?: Float8;
  /** Request even small data as a payload, so that it can stay in the file. @default {false} */
  lazy?: boolean;
}

/** Decode the file under the cursor: a numpy array in the element order and byte order of the file. */
export function* readNpy(cursor: Cursor, options: ReadNpyOptions): Decoder<PickledArray> {
  const array = yield* readAnyNpy(cursor, options);
  if (array instanceof RefusedArray) throw array.refusal;
  return array;
}

/** The same, but an array of strings, dates, objects, ... is returned without its data, which are not read. */
export function* readAnyNpy(
  cursor: Cursor,
  { budget, float8, lazy }: ReadNpyOptions,
): Decoder<PickledArray | RefusedArray> {
  const { header: { descr, fortran, shape }, headerAt } = yield* readHeader(cursor);
  const dtype = dtypeOf(descr, float8 ?? "float8_e4m3fn", headerAt, cursor.offset);
  budget.tensor(headerAt);
  budget.check("maxRank", shape.length, headerAt);
  if (!(dtype instanceof PickledDType)) {
    // The text of the dtype may keep the whole header in memory.
    budget.charge(cursor.offset, headerAt);
    return new RefusedArray(dtype.actual as string, shape, dtype);
  }
  const array = new PickledArray(cursor.offset);
  array.dtype = dtype;
  array.shape = shape;
  array.fortran = fortran && shape.length > 1;
  array.dataOffset = cursor.offset;
  array.data = yield* takePayload(cursor, sizeOfData(cursor, dtype.info!, shape, headerAt, budget), lazy);
  yield* takeEnd(cursor, (at) => `Bytes follow the array of the .npy file at byte ${at}`);
  return array;
}

/** Everything before the data: the parsed header, and its offset. */
function* readHeader(cursor: Cursor): Decoder<{ header: NpyHeader; headerAt: number }> {
  yield cursor.need(1);
  if (cursor.left === 0) throw new FormatError("EMPTY", "The file is empty: it is not an .npy file", { offset: 0 });
  const magic = yield* take(cursor, 6, 0);
  if (MAGIC.some((byte, i) => cursor.bytes[magic + i] !== byte)) {
    throw new FormatError("WRONG_FORMAT", "This is not an .npy file: it does not begin with numpy's magic bytes", {
      offset: 0,
    });
  }
  const version = cursor.bytes[yield* take(cursor, 2, 6)];
  if (version < 1 || version > 3) {
    throw new FormatError("BAD_VERSION", `The .npy file has version ${version}; versions 1 to 3 are supported`, {
      offset: 6,
      actual: version,
    });
  }
  const p = yield* take(cursor, version === 1 ? 2 : 4, 8);
  const length = version === 1 ? cursor.view.getUint16(p, true) : cursor.view.getUint32(p, true);
  if (length > MAX_HEADER) {
    throw new FormatError("BAD_LENGTH", `The header of the .npy file announces ${length} bytes`, {
      offset: 8,
      actual: length,
    });
  }
  const headerAt = cursor.offset;
  const from = yield* take(cursor, length, 8);
  const text = version < 3
    ? textFromLatin1(cursor.bytes.subarray(from, from + length))
    : textFromUtf8(cursor.bytes, from, from + length);
  if (text === null) {
    throw new FormatError("BAD_TEXT", "The header of the .npy file is not valid UTF-8", { offset: headerAt });
  }
  return { header: parseNpyHeader(text, headerAt), headerAt };
}

/** Size of the data in bytes, as described by the header at `headerAt`, which the file must have. */
function sizeOfData(
  cursor: Cursor,
  info: DTypeInfo,
  shape: readonly number[],
  headerAt: number,
  budget: Budget,
): number {
  const count = elementCount(shape), size = count * info.itemsize;
  if (size > Number.MAX_SAFE_INTEGER) {
    throw new FormatError("BAD_SHAPE", `No array can have the shape [${shape}]`, { offset: headerAt });
  }
  budget.check("maxElements", count, headerAt);
  const at = cursor.offset;
  const { remaining } = cursor;
  if (remaining !== undefined && size > remaining) {
    throw new FormatError(
      "TRUNCATED",
      `Truncated .npy file: ${info.name} [${shape}] has ${size} bytes, ${remaining} are left at byte ${at}`,
      { offset: at, expected: size, actual: remaining },
    );
  }
  return size;
}

/** Parse numpy's code for a dtype: byte order, kind, bytes per element. The error is returned for one that no array here can have. */
function dtypeOf(
  descr: string | null,
  float8: Float8,
  offset: number,
  dataAt: number,
): PickledDType | UnsupportedError {
  if (descr === null) {
    const message = "The .npy file holds a structured array: only plain numeric dtypes are supported";
    return new UnsupportedError("UNSUPPORTED_DTYPE", message, { offset, actual: "structured" });
  }
  const order = /^[<>|=]?/.exec(descr)![0];
  const code = plainCode(descr.slice(order.length), order !== "");
  // numpy writes the dtypes of ml_dtypes as void, or by their own code.
  const info = code === "V2"
    ? dtypeInfo("bfloat16")
    : code === "V1"
    ? dtypeInfo(float8)
    : code === "f1"
    ? dtypeInfo("float8_e5m2")
    : dtypeOfNumpy(code);
  if (!info) {
    const way = code === "O" ? `; its pickle, from byte ${dataAt} on, is read by decode of @oarlock/paddle/pickle` : "";
    const message = `The .npy file holds ${quote(descr)}: only numbers and bools are supported${way}`;
    const fields = { offset, actual: descr };
    if (!OTHERS.test(code)) throw new FormatError("BAD_DTYPE", message, fields);
    return new UnsupportedError("UNSUPPORTED_DTYPE", message, fields);
  }
  const dtype = new PickledDType(code, info, info.itemsize);
  dtype.bigEndian = order === ">" && info.swapsize > 1;
  dtype.built = true;
  return dtype;
}
