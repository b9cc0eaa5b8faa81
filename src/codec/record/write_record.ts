/**
 * Writes Paddle's binary tensors: see read_record.ts for the layout.
 *
 * @module
 */
import { type DType, dtypeInfo } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import type { NDArray } from "../../ndarray.ts";
import { DenseTensor } from "../../tensor.ts";
import { type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { u32, u64, u64s } from "../little_endian.ts";
import { SelectedRows } from "../../values.ts";
import { shownValue } from "../../words/described.ts";
import { tensorDescSize, writeTensorDesc } from "./tensor_desc.ts";

/** The chunks of a record: its head, and the tensor's bytes uncopied, with a stand-in for those that are still in a file. */
export function* writeRecordChunks(value: NDArray | SelectedRows): Generator<Chunk, void> {
  const isRows = value instanceof SelectedRows;
  const array = isRows ? value.value : value;
  yield joinBytes([isRows ? rowsHead(value) : lodHead(value), tensorHead(array.dtype, array.shape)]);
  yield array.unread ? new UnreadBytes(array) : array.bytes;
}

/** Size in bytes of a record, without making it. */
export function recordSize(value: NDArray | SelectedRows): number {
  const isRows = value instanceof SelectedRows;
  const array = isRows ? value.value : value;
  const beside = isRows ? 8 * rowsOf(value).length + 8 : lodOf(array).reduce((n, level) => n + 8 + 8 * level.length, 0);
  return plainRecordHeadSize(array.dtype, array.shape) + beside + array.nbytes;
}

/** The LoD. Each level must be a list of integers that rise from 0, as the reader requires. */
function lodOf(array: NDArray): number[][] {
  const lod: unknown = array instanceof DenseTensor ? array.lod : [];
  if (!Array.isArray(lod)) {
    throw new ValueError("INVALID_VALUE", `The LoD is no list of levels: got ${shownValue(lod)}`);
  }
  for (const [i, level] of lod.entries()) {
    if (!areCounts(level) || !level.every((at, k) => k ? at >= level[k - 1] : at === 0)) {
      throw new ValueError("INVALID_VALUE", `LoD level ${i} is no list of integers that rise from 0`);
    }
  }
  return lod;
}

function lodHead(array: NDArray): Uint8Array {
  const lod = lodOf(array);
  return joinBytes([u32(0), u64(lod.length), ...lod.flatMap((level) => [u64(8 * level.length), u64s(level)])]);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/** Whether a value is a list of counts, without holes. */
function areCounts(list: unknown): list is number[] {
  return Array.isArray(list) && Array.from(list).every(isCount);
}

/** The row numbers of SelectedRows, one for each row and below the height. */
function rowsOf({ rows, height, value }: SelectedRows): number[] {
  if (!Array.isArray(rows)) {
    throw new ValueError("INVALID_VALUE", `The row numbers of SelectedRows must be a list: got ${shownValue(rows)}`);
  }
  if (value.shape[0] !== rows.length) {
    throw new ValueError("INVALID_VALUE", `SelectedRows with ${rows.length} row numbers and ${value.shape[0]} rows`);
  }
  if (isCount(height) && areCounts(rows) && rows.every((row) => row < height)) return rows;
  const shown = shownValue(height);
  throw new ValueError("INVALID_VALUE", `SelectedRows with a row number that is not below the height, ${shown}`);
}

function rowsHead(value: SelectedRows): Uint8Array {
  const rows = rowsOf(value);
  return joinBytes([u32(0), u64(rows.length), u64s(rows), u64(value.height)]);
}

/** Everything before the data of a tensor without LoD. */
export function plainRecordHead(dtype: DType, shape: readonly number[]): Uint8Array {
  return joinBytes([u32(0), u64(0), tensorHead(dtype, shape)]);
}

/** Size in bytes of a {@linkcode plainRecordHead}, without making it. */
export function plainRecordHeadSize(dtype: DType, shape: readonly number[]): number {
  return 4 + 8 + 4 + 4 + tensorDescSize(dtypeInfo(dtype).varType!, shape);
}

/** Version, length and description. */
export function tensorHead(dtype: DType, shape: readonly number[]): Uint8Array {
  const desc = writeTensorDesc(dtypeInfo(dtype).varType!, shape);
  return joinBytes([u32(0), u32(desc.length), desc]);
}
