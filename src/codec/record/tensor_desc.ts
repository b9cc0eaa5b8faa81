/**
 * VarType.TensorDesc: a binary record's description of its tensor.
 *
 * ```text
 * field 1, varint: data type (VarType.Type)     field 2, varint, repeated (or packed): dims
 * ```
 *
 * @module
 */
import { type DTypeInfo, dtypeOfVarType } from "../../dtype.ts";
import { FormatError, UnsupportedError } from "../../errors.ts";
import type { Budget } from "../../limits.ts";
import { elementCount } from "../../words/element_count.ts";

/** A decoded description. */
export interface TensorDesc {
  dtype: DTypeInfo;
  shape: number[];
}

/** Decode all of `bytes`, which begin at offset `base` of the file. */
export function readTensorDesc(bytes: Uint8Array, base: number, budget: Budget): TensorDesc {
  const { code, codeAt, shape } = readFields(new DescReader(bytes, base), budget);
  if (code === undefined) {
    throw new FormatError("BAD_FIELD", `The record at byte ${base} has no data type`, { offset: base });
  }
  return { dtype: dtypeOf(code, codeAt), shape: checkedShape(shape, base) };
}

/** The fields of a description: its data type with that field's offset, and the lengths of the axes. */
function readFields(
  reader: DescReader,
  budget: Budget,
): { code: bigint | undefined; codeAt: number; shape: number[] } {
  let code: bigint | undefined;
  let codeAt = reader.offset;
  const shape: number[] = [];
  const dim = (value: bigint, at: number) => {
    shape.push(lengthOf(value, at));
    budget.check("maxRank", shape.length, at);
  };
  while (!reader.ended) {
    const at = reader.offset;
    const tag = reader.varint();
    const field = Number(tag >> 3n), wire = Number(tag & 7n);
    if (field === 0 || tag > 0xffffffffn) {
      throw new FormatError("BAD_WIRE", `Field ${field} at byte ${at}`, { offset: at });
    }
    if (field === 1 && wire === 0) [codeAt, code] = [at, reader.varint()];
    else if (field === 2 && wire === 0) dim(reader.varint(), at);
    else if (field === 2 && wire === 2) {
      const end = reader.length() + reader.position;
      while (reader.position < end) dim(reader.varint(), at);
      if (reader.position > end) {
        throw new FormatError("BAD_VARINT", `The last axis of the field at byte ${at} is truncated`, { offset: at });
      }
    } else if (field <= 2) {
      throw new FormatError("BAD_WIRE", `Field ${field} has wire type ${wire} at byte ${at}`, { offset: at });
    } else reader.skipField(field, wire, at, budget);
  }
  return { code, codeAt, shape };
}

/** The length of an axis. */
function lengthOf(value: bigint, at: number): number {
  const signed = BigInt.asIntN(64, value);
  if (signed < 0n || signed > 9007199254740991n) {
    throw new FormatError("BAD_SHAPE", `The record has an axis of length ${signed} at byte ${at}`, {
      offset: at,
      actual: String(signed),
    });
  }
  return Number(signed);
}

/** The dtype for a code of VarType.Type. */
function dtypeOf(code: bigint, at: number): DTypeInfo {
  const dtype = dtypeOfVarType(Number(code));
  if (!dtype) {
    throw new UnsupportedError(
      "UNSUPPORTED_DTYPE",
      `Data type ${BigInt.asIntN(32, code)} at byte ${at} is not a tensor's`,
      {
        offset: at,
        actual: String(code),
      },
    );
  }
  return dtype;
}

function checkedShape(shape: number[], at: number): number[] {
  if (elementCount(shape) <= Number.MAX_SAFE_INTEGER) return shape;
  throw new FormatError("BAD_SHAPE", `The record at byte ${at} has more than 2^53 elements: [${shape}]`, {
    offset: at,
  });
}

/** A description as Paddle writes it. */
export function writeTensorDesc(varType: number, shape: readonly number[]): Uint8Array {
  const out: number[] = [0x08, ...varint(varType)];
  for (const dim of shape) out.push(0x10, ...varint(dim));
  return Uint8Array.from(out);
}

/** Size in bytes of a description as Paddle writes it. */
export function tensorDescSize(varType: number, shape: readonly number[]): number {
  let size = 1 + varintSize(varType);
  for (const dim of shape) size += 1 + varintSize(dim);
  return size;
}

function varintSize(value: number): number {
  let size = 1;
  for (; value >= 128; value = Math.floor(value / 128)) size++;
  return size;
}

function varint(value: number): number[] {
  const out: number[] = [];
  while (value >= 128) {
    out.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  out.push(value);
  return out;
}

/** Reads the protobuf of a description: short, and with offsets in the file. */
class DescReader {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #base: number;

  constructor(bytes: Uint8Array, base: number) {
    this.#bytes = bytes;
    this.#base = base;
  }

  get offset(): number {
    return this.#base + this.position;
  }

  get ended(): boolean {
    return this.position >= this.#bytes.length;
  }

  varint(): bigint {
    const at = this.offset;
    let value = 0n;
    for (let i = 0; i < 10; i++) {
      if (this.ended) throw new FormatError("BAD_VARINT", `A number is truncated at byte ${at}`, { offset: at });
      const byte = this.#bytes[this.position++];
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (i === 9 && byte > 1) break;
      if (byte < 128) return value;
    }
    throw new FormatError("BAD_VARINT", `A number of more than 64 bits at byte ${at}`, { offset: at });
  }

  length(): number {
    const at = this.offset;
    const length = this.varint();
    if (length > BigInt(this.#bytes.length - this.position)) {
      throw new FormatError("BAD_LENGTH", `A field at byte ${at} is longer than its message`, { offset: at });
    }
    return Number(length);
  }

  /** Skip an unknown field, which may contain nested groups. */
  skipField(field: number, wire: number, at: number, budget: Budget): void {
    if (wire !== 3) return this.#skip(wire, at);
    const open = [field];
    while (open.length > 0) {
      // The description itself counts as one level.
      budget.check("maxProtoDepth", open.length + 1, at);
      const inner = this.offset;
      const tag = this.varint();
      const number = Number(tag >> 3n), kind = Number(tag & 7n);
      if (number === 0 || tag > 0xffffffffn || (kind === 4 && open.pop() !== number)) {
        throw new FormatError("BAD_WIRE", `Field ${number} at byte ${inner}`, { offset: inner });
      }
      if (kind === 3) open.push(number);
      else if (kind !== 4) this.#skip(kind, inner);
    }
  }

  #skip(wire: number, at: number): void {
    if (wire === 0) return void this.varint();
    // Read the length first: its errors have an offset of their own.
    const length = wire === 1 ? 8 : wire === 2 ? this.length() : wire === 5 ? 4 : -1;
    if (length < 0) throw new FormatError("BAD_WIRE", `Wire type ${wire} at byte ${at}`, { offset: at });
    this.position += length;
    if (this.position > this.#bytes.length) {
      throw new FormatError("BAD_LENGTH", `A field is truncated at byte ${at}`, { offset: at });
    }
  }
}
