/**
 * Writes Paddle's binary tensors: see read_record.ts for the layout.
 *
 * @module
 */
import { type DType, dtypeInfo } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import type { NDArray } from "../../ndarray.ts";
import { DenseTensor } from "../../tensor.ts";
import { bytesOf, type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { SelectedRows } from "../../values.ts";
import { tensorDescSize, writeTensorDesc } from "./tensor_desc.ts";

/** The chunks of a record: its head, and the tensor's bytes uncopied. */
export function* writeRecord(value: NDArray | SelectedRows): Generator<Uint8Array, void> {
  for (const chunk of writeRecordChunks(value)) yield bytesOf(chunk);
}

/** The chunks of a record, with a stand-in for data that is still in a file. */
export function* writeRecordChunks(value: NDArray | SelectedRows): Generator<Chunk, void> {
  const isRows = value instanceof SelectedRows;
  const array = isRows ? value.value : value;
  yield concat([isRows ? rowsHead(value) : lodHead(value), tensorHead(array.dtype, array.shape)]);
  yield array.unread ? new UnreadBytes(array) : array.bytes;
}

/** Size in bytes of a record, without making it. */
export function recordSize(value: NDArray | SelectedRows): number {
  const isRows = value instanceof SelectedRows;
  const array = isRows ? value.value : value;
  return (isRows ? rowsHead(value) : lodHead(value)).length + tensorHead(array.dtype, array.shape).length +
    array.nbytes;
}

function lodHead(array: NDArray): Uint8Array {
  const lod = array instanceof DenseTensor ? array.lod : [];
  const parts = [u32(0), u64(lod.length)];
  for (const level of lod) {
    parts.push(u64(8 * level.length));
    for (const offset of level) parts.push(u64(offset));
  }
  return concat(parts);
}

function rowsHead({ rows, height, value }: SelectedRows): Uint8Array {
  if (value.shape[0] !== rows.length) {
    throw new ValueError("INVALID_VALUE", `SelectedRows with ${rows.length} row numbers and ${value.shape[0]} rows`);
  }
  return concat([u32(0), u64(rows.length), ...rows.map(u64), u64(height)]);
}

/** Everything before the data of a tensor without LoD. */
export function plainRecordHead(dtype: DType, shape: readonly number[]): Uint8Array {
  return concat([u32(0), u64(0), tensorHead(dtype, shape)]);
}

/** Size in bytes of a {@linkcode plainRecordHead}, without making it. */
export function plainRecordHeadSize(dtype: DType, shape: readonly number[]): number {
  return 4 + 8 + 4 + 4 + tensorDescSize(dtypeInfo(dtype).varType!, shape);
}

/** Version, length and description. */
export function tensorHead(dtype: DType, shape: readonly number[]): Uint8Array {
  const desc = writeTensorDesc(dtypeInfo(dtype).varType!, shape);
  return concat([u32(0), u32(desc.length), desc]);
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function u64(value: number): Uint8Array {
  if (!Number.isSafeInteger(value)) throw new ValueError("INVALID_VALUE", `Not an integer: ${value}`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
