/**
 * Reads protobuf's wire format, checking every length against the end of the enclosing message.
 *
 * ```text
 * field       varint tag: number << 3 | wire type · value
 * wire type   0 varint · 1 eight bytes · 2 varint length, bytes · 3 and 4 a group's start and end · 5 four bytes
 * varint      7 bits per byte, lowest first; the high bit says that more follow
 * ```
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { Budget, DEFAULT_LIMITS } from "../../limits.ts";
import { joinBytes } from "../../words/joined_bytes.ts";

/** A reader at a position in protobuf bytes; `end` arguments are where the enclosing message ends. */
export class Wire {
  readonly bytes: Uint8Array;
  pos = 0;
  /** Whether the last varint was negative as an int64. */
  lastIsNegative = false;
  /** Whether the last varint was -1. */
  lastIsMinusOne = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** A field's tag: a u32 whose field number is not 0 and whose wire type exists. */
  tag(end: number): number {
    const at = this.pos;
    const first = this.bytes[at];
    // Nearly every tag is one byte and not of a group.
    if (at < end && first >= 8 && first < 0x80 && (first & 7) <= 2) {
      this.pos = at + 1;
      return first;
    }
    const tag = this.varint(at, end);
    if (this.#high !== 0 || tag >>> 3 === 0 || (tag & 7) > 5) {
      throw new FormatError("BAD_WIRE", `Invalid field tag at byte ${at}`, { offset: at });
    }
    if ((tag & 7) === 4) {
      throw new FormatError("BAD_WIRE", `A group ends that never began, at byte ${at}`, { offset: at });
    }
    return tag;
  }

  /** The high 32 bits of the last varint, unsigned. */
  #high = 0;

  /** The low 32 bits of a varint, unsigned. `at` is the offset at which errors are reported. */
  varint(at: number, end: number): number {
    const { bytes } = this;
    const first = bytes[this.pos];
    if (this.pos < end && first < 0x80) {
      this.pos++;
      this.lastIsNegative = this.lastIsMinusOne = false;
      this.#high = 0;
      return first;
    }
    let low = 0, high = 0;
    for (let i = 0; i < 10; i++) {
      if (this.pos >= end) throw cut(at);
      const byte = bytes[this.pos++];
      if (i === 9 && byte > 1) throw badVarint(at);
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 0x80) {
        low >>>= 0;
        high >>>= 0;
        this.lastIsNegative = high >>> 31 === 1;
        this.lastIsMinusOne = low === 0xffffffff && high === 0xffffffff;
        this.#high = high;
        return low;
      }
    }
    throw badVarint(at);
  }

  /** A varint as an int64. */
  int64(at: number, end: number): bigint {
    const low = this.varint(at, end);
    return this.#high === 0 ? BigInt(low) : BigInt.asIntN(64, BigInt(this.#high) << 32n | BigInt(low));
  }

  /** A view of the next 4 or 8 bytes. */
  fixed(size: number, at: number, end: number): DataView {
    this.advance(size, at, end);
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + this.pos - size, size);
  }

  /** A length, which must fit in the enclosing message. */
  length(at: number, end: number): number {
    const first = this.bytes[this.pos];
    if (first < 0x80 && first < end - this.pos) {
      this.pos++;
      return first;
    }
    const low = this.varint(at, end);
    if (this.#high !== 0 || low > end - this.pos) {
      const length = BigInt(this.#high) * 2n ** 32n + BigInt(low);
      throw new FormatError(
        "TRUNCATED",
        `The field at byte ${at} announces ${length} bytes, ${end - this.pos} are left`,
        {
          offset: at,
          expected: String(length),
          actual: end - this.pos,
        },
      );
    }
    return low;
  }

  /** Advance by `n` bytes. */
  advance(n: number, at: number, end: number): void {
    if (n > end - this.pos) throw cut(at);
    this.pos += n;
  }

  /** Skip an unknown field, which may contain groups nested up to `room` levels deep. */
  skip(kind: number, number: number, at: number, end: number, room: number, budget: Budget): void {
    if (kind !== 3) return this.#skipOne(kind, at, end);
    const open = [number];
    while (open.length > 0) {
      if (open.length > room) budget.exceed("maxProtoDepth", budget.limits.maxProtoDepth + 1, at);
      const inner = this.pos;
      if (inner >= end) throw cut(at);
      const tag = this.varint(inner, end);
      if (this.#high !== 0 || tag >>> 3 === 0 || (tag & 7) > 5) {
        throw new FormatError("BAD_WIRE", `Invalid field tag at byte ${inner}`, { offset: inner });
      }
      if ((tag & 7) === 3) open.push(tag >>> 3);
      else if ((tag & 7) === 4) {
        if (open.pop() !== tag >>> 3) {
          throw new FormatError("BAD_WIRE", `Group ${tag >>> 3} ends at byte ${inner} inside another`, {
            offset: inner,
          });
        }
      } else this.#skipOne(tag & 7, inner, end);
    }
  }

  /** Skip the field with this tag without limits: its message was checked before. */
  pass(tag: number, at: number, end: number): void {
    this.skip(tag & 7, tag >>> 3, at, end, Infinity, UNLIMITED);
  }

  #skipOne(kind: number, at: number, end: number): void {
    if (kind === 0) this.varint(at, end);
    else if (kind === 2) {
      const length = this.length(at, end);
      this.pos += length;
    } else this.advance(kind === 1 ? 8 : 4, at, end);
  }

  /** Ranges of the contents of length-delimited field `number` in the message at `[start, end)`. Does not move the position. */
  payloadsOf(number: number, start: number, end: number): [number, number][] {
    const here = this.pos;
    const found: [number, number][] = [];
    this.pos = start;
    while (this.pos < end) {
      const at = this.pos;
      const tag = this.tag(end);
      if (tag >>> 3 === number && (tag & 7) === 2) {
        const length = this.length(at, end);
        found.push([this.pos, this.pos + length]);
        this.pos += length;
      } else this.pass(tag, at, end);
    }
    this.pos = here;
    return found;
  }

  /** The wanted fields, tags included, of the checked message at `[start, end)`, concatenated. */
  fields(isWanted: (number: number) => boolean, start: number, end: number): Uint8Array {
    const parts: Uint8Array[] = [];
    this.pos = start;
    while (this.pos < end) {
      const at = this.pos;
      const tag = this.tag(end);
      this.pass(tag, at, end);
      if (isWanted(tag >>> 3)) parts.push(this.bytes.subarray(at, this.pos));
    }
    return joinBytes(parts);
  }
}

const UNLIMITED = new Budget(DEFAULT_LIMITS);

function cut(at: number): FormatError {
  return new FormatError("TRUNCATED", `The field at byte ${at} is truncated`, { offset: at });
}

function badVarint(at: number): FormatError {
  return new FormatError("BAD_VARINT", `The number at byte ${at} has more than 64 bits`, { offset: at });
}
