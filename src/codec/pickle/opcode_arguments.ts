/**
 * The arguments of pickle opcodes, by the rules of frames (FORMATS.md 3.2): an argument lies within the current frame, if there is one.
 *
 * @module
 */
import type { FormatError } from "../../errors.ts";
import type { Budget } from "../../limits.ts";
import type { Cursor, Decoder } from "../cursor.ts";
import { type Here, truncated } from "./here.ts";
import { textFromUtf8 } from "../../words/utf8.ts";

/** Frames of up to this many bytes are waited for; a larger claim is only checked if something goes wrong. */
const FRAME_WAIT = 2 ** 20;
/** Bytes in which the end of a line is first looked for. */
const LINE = 64;

/** Reads arguments from the cursor, which is after the opcode. */
export class OpcodeArguments {
  readonly cursor: Cursor;
  /** File offset of the current frame's end, or -1 without a frame. */
  frameEnd = -1;
  /** A frame not yet known to lie entirely in the file. */
  unjudgedFrame: { at: number; end: number } | null = null;
  #frameAt = -1;
  readonly #here: Here;
  readonly #budget: Budget;

  constructor(cursor: Cursor, here: Here, budget: Budget) {
    this.cursor = cursor;
    this.#here = here;
    this.#budget = budget;
  }

  // ---- fixed width

  u8(): number {
    return this.cursor.bytes[this.#fixed(1)];
  }

  u16(): number {
    return this.cursor.view.getUint16(this.#fixed(2), true);
  }

  u32(): number {
    return this.cursor.view.getUint32(this.#fixed(4), true);
  }

  i32(): number {
    return this.cursor.view.getInt32(this.#fixed(4), true);
  }

  /** The one big-endian argument. */
  f64(): number {
    return this.cursor.view.getFloat64(this.#fixed(8));
  }

  /** A u64; beyond 2^53 a nearby double, which exceeds every limit just the same. */
  u64(): number {
    const p = this.#fixed(8);
    const { view } = this.cursor;
    return view.getUint32(p, true) + view.getUint32(p + 4, true) * 2 ** 32;
  }

  /** An eight-byte length, which CPython reads as signed. */
  u64Length(): number {
    const length = this.u64();
    if (length >= 2 ** 63) throw this.#badLength(length);
    return length;
  }

  /** A signed four-byte length. */
  i32Length(): number {
    const length = this.i32();
    if (length < 0) throw this.#badLength(length);
    return length;
  }

  /** Consume `n` bytes that the window must hold. Returns the index of the first. */
  #fixed(n: number): number {
    const cursor = this.cursor;
    const start = cursor.pos;
    this.#checkFrame(cursor.base + start + n);
    if (cursor.end - start < n) throw truncated(this.#here.name, this.#here.at, cursor.total);
    cursor.pos = start + n;
    return start;
  }

  // ---- variable length

  /** Check that an argument of `n` bytes lies within the frame and the file: a length is only a claim (RULES.md LIM-2). */
  claim(n: number): void {
    const cursor = this.cursor;
    this.#checkFrame(cursor.base + cursor.pos + n);
    const { remaining } = cursor;
    if (remaining !== undefined && n > remaining) {
      throw truncated(this.#here.name, this.#here.at, cursor.total, n, remaining);
    }
  }

  /** Consume `n` bytes, which the window then holds. Returns the index of the first. */
  *inline(n: number): Decoder<number> {
    this.claim(n);
    const cursor = this.cursor;
    if (cursor.end - cursor.pos < n) {
      yield cursor.need(n);
      if (cursor.end - cursor.pos < n) {
        throw truncated(this.#here.name, this.#here.at, cursor.total, n, cursor.left);
      }
    }
    const start = cursor.pos;
    cursor.pos = start + n;
    return start;
  }

  /** The bytes up to the next newline, without it. */
  *line(): Decoder<Uint8Array> {
    const cursor = this.cursor;
    const { name, at } = this.#here;
    let searched = 0;
    for (;;) {
      const found = cursor.bytes.subarray(0, cursor.end).indexOf(0x0a, cursor.pos + searched);
      if (found >= 0) {
        const line = cursor.bytes.subarray(cursor.pos, found);
        this.#budget.check("maxStringBytes", line.length, at);
        this.#checkFrame(cursor.base + found + 1);
        cursor.pos = found + 1;
        return line;
      }
      // First, as a part of the file shows it: then the error is the same, however much is seen at a time.
      searched = cursor.left;
      this.#budget.check("maxStringBytes", searched, at);
      if (cursor.ended) throw truncated(name, at, cursor.total);
      yield cursor.need(2 * searched + LINE);
    }
  }

  /** A line that holds the name of a module or of something in it. */
  *nameLine(): Decoder<string> {
    const line = yield* this.line();
    this.#budget.check("maxNameBytes", line.length, this.#here.at);
    const text = textFromUtf8(line, 0, line.length);
    if (text === null) throw this.#here.badText();
    return text;
  }

  // ---- frames

  /** The argument of FRAME, which becomes the current frame. */
  *frame(): Decoder<void> {
    const { cursor } = this;
    const { at } = this.#here;
    const length = this.u64();
    if (this.frameEnd >= 0) throw this.#badFrame("begins a frame inside another");
    const end = cursor.offset + length;
    const { remaining } = cursor;
    if (remaining === undefined && length <= FRAME_WAIT) {
      yield cursor.need(length);
      if (cursor.left < length) throw truncated("FRAME", at, cursor.total);
    } else if (remaining === undefined) this.unjudgedFrame = { at, end };
    else if (length > remaining) throw truncated("FRAME", at, cursor.total);
    this.#frameAt = at;
    this.frameEnd = end;
  }

  /** At STOP: the current frame must end here. */
  checkFrameEnded(): void {
    if (this.frameEnd > this.cursor.offset) throw this.#badFrame("ends before its frame");
  }

  #checkFrame(end: number): void {
    if (this.frameEnd >= 0 && end > this.frameEnd) {
      throw this.#badFrame("has an argument that reaches beyond its frame");
    }
  }

  #badFrame(what: string): FormatError {
    const { at } = this.#here;
    return this.#here.bad("BAD_FRAME", `${what} (the frame at byte ${this.#frameAt < 0 ? at : this.#frameAt})`);
  }

  #badLength(length: number): FormatError {
    return this.#here.bad("BAD_LENGTH", `announces ${length} bytes`);
  }
}
