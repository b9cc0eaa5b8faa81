/**
 * The bytes of an array that are still in a file.
 *
 * @module
 */
import { Span } from "../../codec/cursor.ts";
import { decodePayload, Latin1Text, sizeOfText } from "../../codec/payload.ts";
import { layoutOf, type PickledArray } from "../../codec/pickle/pickled.ts";
import { FormatError, SourceError } from "../../errors.ts";
import { partLazily, PIECE } from "../../words/joined_bytes.ts";
import { type Layout, RowMajor, rowMajor } from "../../kernel.ts";
import type { LazyBytes, PieceOptions } from "../../ndarray.ts";
import { allocate } from "../../words/allocate.ts";
import { withPath } from "../drive/drive_from.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";
import { streamedBytes } from "./streamed_bytes.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";
import { elementCount } from "../../words/element_count.ts";

/** Options of one read. */
export interface ReadOptions {
  /** Aborts the read; the rejection is `signal.reason`. */
  signal?: AbortSignal;
}

/** Bytes of an encoded string that are read and decoded at a time. */
const TEXT_PIECE = 2 ** 20;
/** Size of the widest element in bytes. */
const WIDEST = 16;

/** Where the bytes are, what turns them into the array's bytes (except for the axis order), and the array they belong to. */
export type SpanParts = [span: Span, finish: (bytes: Uint8Array) => Uint8Array, from?: PickledArray | null];

/** The bytes of an array that are still in the file. */
export class SpanBytes implements LazyBytes {
  readonly span: Span;
  /** The file. */
  readonly source: Source;
  readonly #finish: (bytes: Uint8Array) => Uint8Array;
  readonly #from: PickledArray | null;
  /** Number of times that the bytes were written in place. */
  edits = 0;
  /** Bytes that are stored as they are. */
  static at(source: Source, offset: number, length: number): SpanBytes {
    return new SpanBytes(source, new Span(offset, length, "raw", offset), (bytes) => bytes);
  }

  constructor(source: Source, ...[span, finish, from = null]: SpanParts) {
    this.source = source;
    this.span = span;
    this.#finish = finish;
    this.#from = from;
  }

  /** A synchronous read, if the source supports it. */
  get readSync(): (() => Uint8Array) | undefined {
    return this.source.readSync ? () => this.#readNow() : undefined;
  }

  async read({ signal }: ReadOptions = {}): Promise<Uint8Array> {
    const { length, encoding } = this.span;
    const room = encoding === "raw" ? length : sizeOfText(length, this.#size());
    const bytes = await this.#readInto(allocate(room), signal);
    await this.verify({ signal });
    return bytes;
  }

  async readInto(into: Uint8Array, { signal }: ReadOptions = {}): Promise<void> {
    const bytes = await this.#readInto(into, signal);
    await this.verify({ signal });
    if (bytes.buffer !== into.buffer) into.set(bytes);
  }

  /** The array's bytes: in `into`, unless they come from a string whose length differs from the array's. */
  async #readInto(into: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    const { offset, length, encoding, at } = this.span;
    const layout = this.#layout();
    // A string whose length differs from the array's is refused below.
    if (layout && into.length === this.#size()) return await this.#turn(layout, into, { signal });
    try {
      if (encoding === "raw") return this.#checked(await readFully(this.source, offset, into, signal));
      const text = new Latin1Text(at, into), turns = new Turns(signal);
      const piece = new Uint8Array(Math.min(TEXT_PIECE, length));
      for (let done = 0; done < length; done += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, length - done));
        text.push(await readFully(this.source, offset + done, part, signal));
        if (turns.due()) await turns.take();
      }
      return this.#checked(text.finish());
    } catch (error) {
      throw withPath(error, this.source.name);
    }
  }

  /** Verify that the bytes are the array's. There is nothing to check if a decoder found them. */
  async prove(_options: ReadOptions = {}): Promise<void> {}

  /** Check that the file is still the one that was opened; throws `SOURCE_CHANGED` if it is not. */
  async verify({ signal }: ReadOptions = {}): Promise<void> {
    const verifying = this.source.verify?.();
    // Do not wait for a source that ignores the signal.
    await (signal && verifying ? within(verifying, Infinity, signal) : verifying);
  }

  /** Offset of the bytes if they are stored as they are; null if they have to be reordered or decoded. */
  get plainOffset(): number | null {
    const isPlain = this.span.encoding === "raw" && !this.#from?.fortran && !this.#from?.dtype?.bigEndian;
    return isPlain ? this.span.offset : null;
  }

  /** Length in bytes of the string that encodes them in protocol 2, if the file has them as one; null if it would have to be counted. */
  get textLength(): number | null {
    return this.span.encoding === "raw" ? null : this.span.length;
  }

  /** The bytes `[from, to)` of the decoded array. */
  async readRange(from: number, to: number, { signal }: ReadOptions = {}): Promise<Uint8Array> {
    const layout = this.#layout();
    if (layout && from < to) {
      const bytes = await this.#rowsAround(layout, from, to, { signal });
      await this.verify({ signal });
      return bytes;
    }
    if (this.plainOffset === null) return await partLazily(this, from, to).read({ signal });
    const bytes = await this.fill(from, allocate(to - from), { signal });
    await this.verify({ signal });
    return bytes;
  }

  /** Fill `into` with bytes that are stored as they are, from byte `from` of the array on. */
  async fill(from: number, into: Uint8Array, { signal }: ReadOptions = {}): Promise<Uint8Array> {
    try {
      return await readFully(this.source, this.span.offset + from, into, signal);
    } catch (error) {
      throw withPath(error, this.source.name);
    }
  }

  /** Read synchronously into `into`, which has exactly the right size, by way of `scratch`; returns whether that was possible. */
  readNowInto(into: Uint8Array, scratch: Uint8Array): boolean {
    const { offset, length, encoding, at } = this.span;
    const isTurned = this.#from?.fortran || this.#from?.dtype?.bigEndian;
    if (isTurned || !this.source.readSync || length > scratch.length) return false;
    try {
      if (encoding === "raw" && length !== into.length) return false;
      const stored = fillNow(this.source, offset, encoding === "raw" ? into : scratch.subarray(0, length));
      this.#checkSize(decodePayload(stored, encoding, at, undefined, into).length);
    } catch (error) {
      throw withPath(error, this.source.name);
    }
    return true;
  }

  /**
   * The bytes `[from, to)` of the decoded array in pieces. A string is read from its beginning, as its characters take one or two bytes; an
   * array that is not in C order is read whole, and the requested rows are held in memory.
   */
  async *pieces(from: number, to: number, options: PieceOptions = {}): AsyncGenerator<Uint8Array> {
    if (from >= to) return;
    const layout = this.#layout(), { edits } = this;
    if (layout) {
      const bytes = await this.#rowsAround(layout, from, to, options);
      for (let at = 0; at < bytes.length; at += PIECE) yield bytes.slice(at, at + PIECE);
    } else yield* this.#stretches(from, to, options);
    await this.verify(options);
    // The source takes what was written through it for its own bytes, but here they are mixed with the old ones.
    if (edits === this.edits) return;
    throw new SourceError("SOURCE_CHANGED", "The array was written in place while being read", {
      path: this.source.name,
    });
  }

  /** Bytes `[from, to)` in the file's order. */
  #stretches(from: number, to: number, options: PieceOptions): AsyncGenerator<Uint8Array> {
    return this.span.encoding === "raw" ? this.#rawPieces(from, to, options) : this.#textPieces(from, to, options);
  }

  /** The memory layout of an array that is not in row-major order, else null. */
  #layout(): Layout | null {
    return this.#from && layoutOf(this.#from);
  }

  /** Bytes `[from, to)`, in row-major order, of an array stored in another order. */
  async #rowsAround(layout: Layout, from: number, to: number, options: PieceOptions): Promise<Uint8Array> {
    const row = this.#size()! / layout.shape[0];
    const first = Math.floor(from / row), last = Math.ceil(to / row);
    const into = await this.#turn(layout, allocate((last - first) * row), options, [first, last]);
    return into.subarray(from - first * row, to - first * row);
  }

  /** Read rows of an array stored in another order into `into`, with only a few pieces of the file in memory (RULES.md VAL-10). */
  async #turn(
    layout: Layout,
    into: Uint8Array,
    { signal }: PieceOptions,
    rows?: readonly [number, number],
  ): Promise<Uint8Array> {
    const turned = new RowMajor(into, layout, rows);
    for await (const piece of this.#stretches(0, this.#size()!, { signal, scratch: [] })) turned.push(piece);
    return into;
  }

  async *#rawPieces(from: number, to: number, options: PieceOptions): AsyncGenerator<Uint8Array> {
    const isTurned = this.#from?.dtype?.bigEndian ?? false;
    // If bytes are swapped, pieces begin and end at element boundaries.
    let at = isTurned ? from - from % WIDEST : from;
    const end = isTurned ? Math.min(this.span.length, Math.ceil(to / WIDEST) * WIDEST) : to;
    try {
      for await (const stored of this.stored(at, end, options)) {
        const piece = isTurned ? this.#finish(stored) : stored, start = at;
        // The caller may transfer the piece, which then has no length.
        at += stored.length;
        yield piece.subarray(Math.max(0, from - start), Math.min(piece.length, to - start));
      }
    } catch (error) {
      throw withPath(error, this.source.name);
    }
  }

  /** The stored bytes `[from, to)`, in pieces of {@linkcode PIECE} bytes: each is read while the one before is being used. */
  protected async *stored(from: number, to: number, { signal, scratch }: PieceOptions): AsyncGenerator<Uint8Array> {
    if (this.source.streamRange && to - from > PIECE) {
      await this.prove({ signal });
      return yield* streamedBytes(this.source, this.span.offset + from, this.span.offset + to, signal);
    }
    const read = (at: number) => {
      if (at >= to) return null;
      const into = scratchOf(scratch, (at - from) / PIECE % 2, Math.min(PIECE, to - at));
      const piece = this.fill(at, into, { signal });
      // A caller that stops early never awaits it.
      piece.catch(() => {});
      return piece;
    };
    const turns = new Turns(signal);
    let next = read(from);
    for (let at = from; next !== null; at += PIECE) {
      const piece: Uint8Array = await next;
      next = read(at + PIECE);
      yield piece;
      if (turns.due()) await turns.take();
    }
  }

  async *#textPieces(from: number, to: number, { signal, scratch }: PieceOptions): AsyncGenerator<Uint8Array> {
    const { offset, length, encoding, at } = this.span;
    const unit = this.#from?.dtype?.bigEndian || this.#from?.fortran ? WIDEST : 1;
    const buffer = scratchOf(scratch, 0, Math.min(TEXT_PIECE, length));
    // The rest of an incomplete element goes before what is decoded next.
    const room = () => scratchOf(scratch, 1, WIDEST + buffer.length);
    let decoded = room(), rest = 0, start = 0;
    const turns = new Turns(signal);
    try {
      // The string's decoded length shows only at its end: a request that reaches the end of the array decodes all of it.
      for (let done = 0; done < length && (start < to || to === this.#size());) {
        let stored = buffer.subarray(0, Math.min(buffer.length, length - done));
        await readFully(this.source, offset + done, stored, signal);
        if (turns.due()) await turns.take();
        const isLast = done + stored.length === length;
        // A character whose second byte is missing comes with the next piece.
        const isCut = !isLast && (stored[stored.length - 1] === 0xc2 || stored[stored.length - 1] === 0xc3);
        if (isCut) stored = stored.subarray(0, -1);
        done += stored.length;
        const known = rest + decodePayload(stored, encoding, at, undefined, decoded.subarray(rest)).length;
        const whole = isLast ? known : known - known % unit;
        const piece = this.#finish(decoded.subarray(0, whole));
        if (isLast) this.#checkSize(start + piece.length);
        const left = decoded.slice(whole, known), before = start;
        // As above.
        start += piece.length;
        if (before < to && start > from) {
          yield piece.subarray(Math.max(0, from - before), Math.min(piece.length, to - before));
        }
        decoded = room();
        decoded.set(left);
        rest = left.length;
      }
    } catch (error) {
      throw withPath(error, this.source.name);
    }
  }

  /** Check the size, which for a string is known only now, and finish the bytes. */
  #checked(bytes: Uint8Array): Uint8Array {
    this.#checkSize(bytes.length);
    return this.#finish(bytes);
  }

  #checkSize(actual: number): void {
    const expected = this.#size();
    if (expected !== undefined && actual !== expected) {
      const { offset } = this.#from!;
      throw new FormatError(
        "SIZE_MISMATCH",
        `The array at byte ${offset} has ${expected} bytes, the file has ${actual}`,
        {
          offset,
          expected,
          actual,
        },
      );
    }
  }

  #size(): number | undefined {
    const info = this.#from?.dtype?.info;
    return info ? elementCount(this.#from!.shape) * info.itemsize : undefined;
  }

  #readNow(): Uint8Array {
    const { offset, length, encoding, at } = this.span;
    const stored = fillNow(this.source, offset, allocate(length));
    this.source.verifySync?.();
    const bytes = this.#checked(decodePayload(stored, encoding, at, this.#size()));
    const layout = this.#layout();
    return layout ? rowMajor(bytes, layout) : bytes;
  }
}

/** The first `length` bytes of scratch buffer `k`, which grows as needed; of a new buffer if there is no scratch. */
export function scratchOf(scratch: Uint8Array[] | undefined, k: number, length: number): Uint8Array {
  if (!scratch) return new Uint8Array(length);
  if (!scratch[k] || scratch[k].length < length) scratch[k] = new Uint8Array(length);
  return scratch[k].subarray(0, length);
}

/** Fill `into` synchronously from `offset` on. */
export function fillNow(source: Source, offset: number, into: Uint8Array): Uint8Array {
  for (let done = 0; done < into.length;) {
    const n = source.readSync!(offset + done, into.subarray(done));
    if (n === 0) {
      throw new SourceError("SHORT_READ", `The file ends at byte ${offset + done}`, {
        offset: offset + done,
        path: source.name,
      });
    }
    done += n;
  }
  return into;
}
