/**
 * The output of the pickle writer: gathers opcodes into protocol 4 frames just as CPython's C pickler does, and passes large payloads on
 * uncopied (FORMATS.md 3.5).
 *
 * @module
 */
import { SourceError } from "../../../errors.ts";
import { utf8FromLatin1, utf8Length } from "../../../kernel.ts";
import type { Chunk, UnreadBytes } from "../../../words/unread_bytes.ts";
import { FRAME } from "../opcodes.ts";

/** A frame of at least this many bytes is closed where the next value begins; payloads of this size or more are outside frames. */
const FRAME_TARGET = 65_536;
const FRAME_MIN = 4;
const FRAME_HEADER = 9;
/** The longest string, in bytes, that is written without a TextEncoder. */
const MAX_ASCII = 64;
/** Bytes of a payload that are encoded as text at a time. */
const TEXT_PIECE = 2 ** 20;

/** Turns what is written into chunks, or only counts the bytes. */
export class PickleOutput {
  /** Bytes passed on so far. */
  size = 0;
  /** Chunks that are ready. */
  readonly ready: Chunk[] = [];
  readonly #framed: boolean;
  readonly #counting: boolean;
  /** Two buffers in which pieces of text are encoded alternately, if chunks may reuse memory; the first is free. */
  readonly #scratch: [Uint8Array, Uint8Array] | null;
  #buffer = new Uint8Array(FRAME_HEADER + 2 * FRAME_TARGET);
  #view = new DataView(this.#buffer.buffer);
  /** End of the gathered bytes in the buffer, which belong to the open frame (if there are frames). Unread bytes are not among them. */
  #pos = FRAME_HEADER;
  /** Bytes of the open frame that are still in files, and the buffer index where they belong. */
  #holes: { at: number; chunk: UnreadBytes }[] = [];
  /** Total length of the holes in bytes. */
  #unread = 0;

  /** With `reuse`, a chunk is valid until the one after the next is requested. */
  constructor(framed: boolean, counting: boolean, reuse = false) {
    this.#framed = framed;
    this.#counting = counting;
    this.#scratch = reuse ? [new Uint8Array(2 * TEXT_PIECE), new Uint8Array(2 * TEXT_PIECE)] : null;
  }

  /** One byte. */
  byte(value: number): void {
    if (this.#pos === this.#buffer.length) this.#room(1);
    this.#buffer[this.#pos++] = value;
  }

  /** A number below 2^53 as `bytes` little-endian bytes. */
  number(value: number, bytes: number): void {
    for (let i = 0; i < bytes; i++) {
      this.byte(value % 256);
      value = Math.floor(value / 256);
    }
  }

  /** Short bytes, copied. */
  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#pos);
    this.#pos += bytes.length;
  }

  /** An opcode and a big-endian float64. */
  float64(opcode: number, value: number): void {
    this.#room(9);
    this.#buffer[this.#pos] = opcode;
    this.#view.setFloat64(this.#pos + 1, value);
    this.#pos += 9;
  }

  /**
   * An opcode, a length of `lengthSize` bytes and a string, if the string is short and ASCII, as names are; otherwise returns false and
   * writes nothing. A call of TextEncoder takes longer than such a string.
   */
  ascii(opcode: number, lengthSize: 1 | 4, text: string): boolean {
    const { length } = text;
    if (length > MAX_ASCII) return false;
    this.#room(1 + lengthSize + length);
    const buffer = this.#buffer, start = this.#pos + 1 + lengthSize;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      buffer[start + i] = unit;
    }
    buffer[this.#pos] = opcode;
    buffer[this.#pos + 1] = length;
    for (let i = this.#pos + 2; i < start; i++) buffer[i] = 0;
    this.#pos = start + length;
    return true;
  }

  /** A value begins here: close the frame if it is full. */
  boundary(): void {
    if (this.#pos - FRAME_HEADER + this.#unread >= FRAME_TARGET) this.#flush();
  }

  /** A header (opcode and length) and a value's bytes, which are not copied if they are many. */
  payload(header: number[], bytes: Chunk): void {
    if (bytes.length < FRAME_TARGET) {
      for (const b of header) this.byte(b);
      if (bytes instanceof Uint8Array) this.bytes(bytes);
      else this.#hole(bytes);
      return;
    }
    this.#flush();
    this.#pass(Uint8Array.from(header));
    this.#pass(bytes);
  }

  /** A protocol 2 string that encodes bytes which are still in a file. */
  unreadText(header: number[], text: UnreadBytes): void {
    for (const b of header) this.byte(b);
    if (text.length >= FRAME_TARGET) {
      this.#flush();
      this.#pass(text);
    } else this.#hole(text);
  }

  /** `bytes` as a protocol 2 string of `length` UTF-8 bytes; yields whenever pieces are ready. */
  *text(header: number[], bytes: Uint8Array, length: number): Generator<void> {
    for (const b of header) this.byte(b);
    if (this.#counting) {
      this.size += length;
      return;
    }
    let written = 0;
    for (let at = 0; at < bytes.length; at += TEXT_PIECE) {
      const piece = bytes.subarray(at, at + TEXT_PIECE);
      const text = this.#scratch?.[0] ?? new Uint8Array(utf8Length(piece));
      const n = utf8FromLatin1(piece, text);
      written += n;
      if (n < FRAME_TARGET) this.bytes(text.subarray(0, n));
      else {
        this.#flush();
        this.#pass(text.subarray(0, n));
        // The other buffer is free now: the chunk passed from it is the one before this.
        this.#scratch?.reverse();
        yield;
      }
    }
    if (written !== length) {
      throw new SourceError(
        "SOURCE_CHANGED",
        `Bytes changed while they were being written: expected ${length} bytes of text, got ${written}`,
        { expected: length, actual: written },
      );
    }
  }

  /** Flush what was gathered, closing the frame. */
  end(): void {
    this.#flush();
  }

  /** Reserve a place in the open frame for bytes that are read later. */
  #hole(chunk: UnreadBytes): void {
    this.#holes.push({ at: this.#pos, chunk });
    this.#unread += chunk.length;
  }

  #flush(): void {
    const length = this.#pos - FRAME_HEADER + this.#unread;
    if (length === 0) return;
    const hasFrame = this.#framed && length >= FRAME_MIN;
    let start = hasFrame ? 0 : FRAME_HEADER;
    if (hasFrame) {
      this.#view.setUint8(0, FRAME);
      this.#view.setBigUint64(1, BigInt(length), true);
    }
    for (const { at, chunk } of this.#holes) {
      this.#passPart(start, at);
      this.#pass(chunk);
      start = at;
    }
    this.#passPart(start, this.#pos);
    this.#pos = FRAME_HEADER;
    this.#holes = [];
    this.#unread = 0;
  }

  #passPart(start: number, end: number): void {
    if (start === end) return;
    this.#pass(this.#counting ? this.#buffer.subarray(start, end) : this.#buffer.slice(start, end));
  }

  #pass(chunk: Chunk): void {
    this.size += chunk.length;
    if (!this.#counting) this.ready.push(chunk);
  }

  #room(more: number): void {
    if (this.#pos + more <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#pos + more, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#pos));
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}
