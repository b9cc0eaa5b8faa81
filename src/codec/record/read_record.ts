/**
 * Paddle's binary tensors: what `paddle.save` writes with `use_binary_format`.
 *
 * ```text
 * LoDTensor      u32 version 0 · u64 LoD levels · per level: u64 bytes, u64 offsets … · Tensor
 * Tensor         u32 version 0 · i32 length · TensorDesc (protobuf) · data, little-endian
 * SelectedRows   u32 version 0 · u64 rows · i64 row numbers … · i64 height · Tensor
 * ```
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { FormatError } from "../../errors.ts";
import type { Budget } from "../../limits.ts";
import { BLOB_MIN, type Cursor, type Decoder, type Payload } from "../cursor.ts";
import { detectKind, foreignError, HEAD_BYTES, MAX_GUESSED_ROWS, otherKindError } from "../detect_kind.ts";
import { readTensorDesc } from "./tensor_desc.ts";
import { elementCount } from "../../words/element_count.ts";

/** A tensor, with its bytes as stored in the file, or their location there. */
export interface RawTensor {
  dtype: DType;
  shape: number[];
  data: Payload;
  lod: number[][];
  /** Offset of the data in the file. */
  offset: number;
}

/** SelectedRows. */
export interface RawSelectedRows {
  rows: number[];
  height: number;
  value: RawTensor;
}

/** Options of the record decoders. */
export interface RecordOptions {
  budget: Budget;
  /** Called with the tensor's description before its data is read; `at` is the description's offset. */
  onDesc?: (dtype: DType, shape: readonly number[], at: number) => void;
}

/** Maximum size of a description in bytes; one with 64 axes is smaller. */
const MAX_DESC = 4096;

/** Decode one record under the cursor. */
export function* readRecord(cursor: Cursor, options: RecordOptions): Decoder<RawTensor> {
  yield* version(cursor, "record");
  if (cursor.offset === 4) yield* refuseZeros(cursor);
  const lod = yield* readLod(cursor, options.budget);
  return { ...(yield* readTensor(cursor, options)), lod };
}

/** Refuse zeros, as a disk or download that lost its content leaves them: they begin like a record, but no description is empty. */
function* refuseZeros(cursor: Cursor): Decoder<void> {
  yield cursor.need(20);
  const start = cursor.pos - 4;
  const head = cursor.bytes.slice(start, Math.min(cursor.end, start + 24));
  if (head.length === 24 && head.every((byte) => byte === 0)) throw foreignError(head);
}

/** Decode a file that consists of one record or one SelectedRows, with nothing after it. */
export function* readBinaryTensorFile(cursor: Cursor, options: RecordOptions): Decoder<RawTensor | RawSelectedRows> {
  yield* version(cursor, "record");
  const isRows = yield* looksLikeSelectedRows(cursor);
  const tensor = isRows
    ? yield* readSelectedRows(cursor, options)
    : { lod: yield* readLod(cursor, options.budget), ...(yield* readTensor(cursor, options)) };
  yield cursor.need(1);
  if (cursor.left > 0) {
    const at = cursor.offset;
    throw new FormatError(
      "TRAILING_DATA",
      `Bytes follow the only record of the file at byte ${at}: several records need a program that names them`,
      {
        offset: at,
      },
    );
  }
  return tensor;
}

/**
 * Tells a SelectedRows from a record: both begin with a zero and a count. In a record without LoD, the count is followed by the tensor's
 * version, a zero of 4 bytes, and a description that begins with its data type; a count of rows is followed by row numbers, the height, and
 * then the same.
 */
function* looksLikeSelectedRows(cursor: Cursor): Decoder<boolean> {
  yield cursor.need(8);
  if (cursor.left < 8) return false;
  const count = u64(cursor, cursor.pos);
  if (count > MAX_GUESSED_ROWS || (count === 0 && (yield* isTensorHead(cursor, 8)))) return false;
  if (!(yield* isTensorHead(cursor, 8 + 8 * count + 8))) return false;
  // One LoD level of 8 bytes, holding the offset 0, looks like a row number 8 in a matrix of height 0.
  return count !== 1 || u64(cursor, cursor.pos + 8) !== 8 || u64(cursor, cursor.pos + 16) !== 0;
}

/** Whether a tensor's version, length and description seem to begin `ahead` bytes from here. */
function* isTensorHead(cursor: Cursor, ahead: number): Decoder<boolean> {
  const { remaining } = cursor;
  if (remaining !== undefined && ahead + 9 > remaining) return false;
  yield cursor.need(ahead + 9);
  if (cursor.left < ahead + 9) return false;
  const p = cursor.pos + ahead;
  const { view } = cursor;
  const length = view.getInt32(p + 4, true);
  const tag = view.getUint8(p + 8);
  return view.getUint32(p, true) === 0 && length > 1 && length <= MAX_DESC &&
    (tag === 0x08 || tag === 0x10 || tag === 0x12);
}

function* readSelectedRows(cursor: Cursor, options: RecordOptions): Decoder<RawSelectedRows> {
  const at = cursor.offset;
  const count = u64(cursor, yield* take(cursor, 8, at));
  const p = yield* takeCharged(cursor, 8 * count, at, options.budget);
  const rows: number[] = [];
  for (let i = 0; i < count; i++) rows.push(i64(cursor, p + 8 * i, at));
  const heightAt = cursor.offset;
  const height = i64(cursor, yield* take(cursor, 8, heightAt), heightAt);
  const value = { ...(yield* readTensor(cursor, options)), lod: [] };
  if (height < 0 || rows.some((row) => row < 0 || row >= height)) {
    throw new FormatError("BAD_FIELD", `A row index lies beyond the height ${height} (byte ${at})`, { offset: at });
  }
  if (value.shape[0] !== count) {
    throw new FormatError("COUNT_MISMATCH", `${count} row numbers, but ${value.shape[0]} rows (byte ${at})`, {
      offset: at,
    });
  }
  return { rows, height, value };
}

function* version(cursor: Cursor, what: string): Decoder<void> {
  const at = cursor.offset;
  const p = yield* take(cursor, 4, at);
  const found = cursor.view.getUint32(p, true);
  if (found !== 0) {
    const error = new FormatError("BAD_VERSION", `The ${what} at byte ${at} has version ${found}; only 0 is known`, {
      offset: at,
      actual: found,
    });
    throw at === 0 ? yield* explained(cursor, error) : error;
  }
}

/** For a file that is not even a record, an error that says what it is instead. */
function* explained(cursor: Cursor, error: FormatError): Decoder<FormatError> {
  yield cursor.need(HEAD_BYTES);
  const start = cursor.pos - 4;
  const head = cursor.bytes.slice(start, Math.min(cursor.end, start + HEAD_BYTES));
  // Nearly any byte can begin a protocol 0 pickle, so that verdict means nothing.
  if (detectKind(head, cursor.total) === "pickle" && head[0] !== 0x80) return error;
  return otherKindError(head, cursor.total, "a tensor or a file of them", error) ?? error;
}

function* readLod(cursor: Cursor, budget: Budget): Decoder<number[][]> {
  const at = cursor.offset;
  const levels = u64(cursor, yield* take(cursor, 8, at));
  budget.check("maxLodLevels", levels, at);
  const lod: number[][] = [];
  for (let level = 0; level < levels; level++) {
    const sizeAt = cursor.offset;
    const size = u64(cursor, yield* take(cursor, 8, sizeAt));
    if (size % 8 !== 0) {
      throw new FormatError("BAD_LENGTH", `LoD level ${level} at byte ${sizeAt} announces ${size} bytes`, {
        offset: sizeAt,
        actual: size,
      });
    }
    const p = yield* takeCharged(cursor, size, sizeAt, budget);
    const offsets: number[] = [];
    for (let i = 0; i < size / 8; i++) {
      const offset = u64(cursor, p + 8 * i);
      const least = i === 0 ? 0 : offsets[i - 1];
      if (offset < least || (i === 0 && offset !== 0) || offset > Number.MAX_SAFE_INTEGER) {
        throw new FormatError("BAD_FIELD", `LoD level ${level} at byte ${sizeAt} does not rise from 0`, {
          offset: sizeAt,
        });
      }
      offsets.push(offset);
    }
    lod.push(offsets);
  }
  return lod;
}

/** The part common to all three kinds of file: version, description, data. */
export function* readTensor(cursor: Cursor, { budget, onDesc }: RecordOptions): Decoder<Omit<RawTensor, "lod">> {
  yield* version(cursor, "tensor");
  const lengthAt = cursor.offset;
  const length = cursor.view.getInt32(yield* take(cursor, 4, lengthAt), true);
  if (length < 0 || length > MAX_DESC) {
    throw new FormatError("BAD_LENGTH", `The description at byte ${lengthAt} announces ${length} bytes`, {
      offset: lengthAt,
      actual: length,
    });
  }
  const descAt = cursor.offset;
  const p = yield* take(cursor, length, lengthAt);
  const { dtype, shape } = readTensorDesc(cursor.bytes.slice(p, p + length), descAt, budget);
  budget.tensor(descAt);
  onDesc?.(dtype.name, shape, descAt);
  const count = elementCount(shape);
  budget.check("maxElements", count, descAt);
  const size = count * dtype.itemsize;
  const offset = cursor.offset;
  if (size >= BLOB_MIN) {
    const { remaining } = cursor;
    if (remaining !== undefined && size > remaining) throw truncated(offset, size, remaining);
    const data = (yield { kind: "blob", length: size, encoding: "raw", size, at: offset }) as Payload;
    return { dtype: dtype.name, shape, data, offset };
  }
  const start = yield* take(cursor, size, offset);
  return { dtype: dtype.name, shape, data: cursor.keep(start, start + size), offset };
}

/** Consume `n` bytes, which the window then holds. Returns the index of the first; `at` is the offset of their field. */
export function* take(cursor: Cursor, n: number, at: number): Decoder<number> {
  const { remaining } = cursor;
  if (remaining !== undefined && n > remaining) throw truncated(at, n, remaining);
  if (cursor.left < n) {
    yield cursor.need(n);
    if (cursor.left < n) throw truncated(at, n, cursor.left);
  }
  const p = cursor.pos;
  cursor.pos += n;
  return p;
}

/** Take `n` bytes that become numbers, and charge for them. A file that has fewer is reported as truncated (RULES.md LIM-2). */
function* takeCharged(cursor: Cursor, n: number, at: number, budget: Budget): Decoder<number> {
  const { remaining } = cursor;
  if (remaining !== undefined && n > remaining) throw truncated(at, n, remaining);
  try {
    budget.charge(n, at);
  } catch (error) {
    // If the size is unknown, check that the bytes are really there before reporting the limit.
    if ((yield { kind: "reach", end: cursor.offset + n }) === false) throw truncated(at, n, cursor.left);
    throw error;
  }
  return yield* take(cursor, n, at);
}

function truncated(at: number, wanted: number, left: number): FormatError {
  return new FormatError(
    "TRUNCATED",
    `Truncated tensor: ${wanted} bytes are expected at byte ${at}, ${left} are left. The download is probably incomplete: compare the size with the publisher's.`,
    { offset: at, expected: wanted, actual: left },
  );
}

/** A u64; beyond 2^53 a nearby double, which exceeds every limit just the same. */
export function u64(cursor: Cursor, p: number): number {
  return cursor.view.getUint32(p, true) + cursor.view.getUint32(p + 4, true) * 2 ** 32;
}

function i64(cursor: Cursor, p: number, at: number): number {
  const value = cursor.view.getBigInt64(p, true);
  if (value < -9007199254740991n || value > 9007199254740991n) {
    throw new FormatError("BAD_NUMBER", `A number beyond 2^53 at byte ${at}`, { offset: at, actual: String(value) });
  }
  return Number(value);
}
