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
import type { Cursor, Decoder, Payload } from "../cursor.ts";
import {
  detectKind,
  foreignError,
  HEAD_BYTES,
  isHeightOfNone,
  isTensorHead,
  MAX_GUESSED_ROWS,
  MAX_TENSOR_DESC,
  otherKindError,
  TENSOR_HEAD,
} from "../detect_kind.ts";
import { i64, take, takeCharged, takeEnd, takePayload, takeU64, u64 } from "../take.ts";
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
  yield* takeEnd(
    cursor,
    (at) => `Bytes follow the first tensor at byte ${at}`,
    "If these are a model's parameters, load the model by its prefix or folder: its program has their names.",
  );
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
  if (count > MAX_GUESSED_ROWS || (count === 0 && (yield* hasTensorHead(cursor, 8)))) return false;
  if (!(yield* hasTensorHead(cursor, 8 + 8 * count + 8))) return false;
  return count === 0 || !isHeightOfNone(cursor.view, cursor.pos + 8 + 8 * count);
}

/** Whether a tensor's version, length and description seem to begin `ahead` bytes from here. */
function* hasTensorHead(cursor: Cursor, ahead: number): Decoder<boolean> {
  const { remaining } = cursor;
  const end = ahead + TENSOR_HEAD;
  if (remaining !== undefined && end > remaining) return false;
  yield cursor.need(end);
  return cursor.left >= end && isTensorHead(cursor.view, cursor.pos + ahead);
}

function* readSelectedRows(cursor: Cursor, options: RecordOptions): Decoder<RawSelectedRows> {
  const at = cursor.offset;
  const count = yield* takeU64(cursor);
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
  const levels = yield* takeU64(cursor);
  budget.check("maxLodLevels", levels, at);
  const lod: number[][] = [];
  for (let level = 0; level < levels; level++) {
    const sizeAt = cursor.offset;
    const size = yield* takeU64(cursor);
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
  if (length < 0 || length > MAX_TENSOR_DESC) {
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
  const offset = cursor.offset;
  const data = yield* takePayload(cursor, count * dtype.itemsize);
  return { dtype: dtype.name, shape, data, offset };
}
