/**
 * Runs a decoder over a stream: one pass, and a length that the file claims is believed only as bytes arrive (RULES.md LIM-2).
 *
 * @module
 */
import { type Answer, type BlobAsk, Cursor, type Decoder } from "../../codec/cursor.ts";
import { Latin1Text } from "../../codec/payload.ts";
import { FormatError, LimitError, PaddleError, SourceError } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import { allocate } from "./drive_source.ts";
import { type BytesReader, isFilling, readerOf } from "../streams/filling_reader.ts";
import { onAbort } from "../waiting/on_abort.ts";
import { Turns } from "../waiting/turns.ts";

/** How {@linkcode driveStream} reads. */
export interface DriveStreamOptions {
  /** Bytes the stream has, where that is known. */
  size?: number;
  signal?: AbortSignal;
  /** @default {DEFAULT_LIMITS.maxStreamBytes} */
  maxStreamBytes?: number;
  /** Told of bytes that came in. */
  onProgress?: (loaded: number) => void;
}

/** A claim is given its whole buffer when this part of it has arrived. */
const TRUST = 256;
const FIRST = 2 ** 20;
/** Bytes read at a time for structure. */
const SCRATCH = 65_536;

/** Run a decoder over `stream` to its end; the stream is cancelled where something is left of it. */
export async function driveStream<T>(
  make: (cursor: Cursor) => Decoder<T>,
  stream: ReadableStream<Uint8Array>,
  options: DriveStreamOptions = {},
): Promise<T> {
  const { signal } = options;
  const driver = new StreamDriver(readerOf(stream), options);
  const stop = () => driver.cancel(signal!.reason);
  const release = signal ? onAbort(signal, stop) : () => {};
  try {
    const decoder = make(driver.cursor);
    let step = decoder.next();
    while (!step.done) {
      const ask = step.value;
      let answer: Answer = undefined;
      try {
        if (ask.kind === "need") await driver.need(ask.n);
        else if (ask.kind === "reach") answer = await driver.reach(ask.end);
        else if (ask.kind === "pause") await driver.pause();
        else answer = await driver.blob(ask);
      } catch (error) {
        step = decoder.throw(error);
        continue;
      }
      step = decoder.next(answer);
    }
    return step.value;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw error;
  } finally {
    release();
    await driver.cancel("done");
  }
}

class StreamDriver {
  readonly cursor = new Cursor();
  readonly #reader: BytesReader;
  readonly #options: DriveStreamOptions;
  readonly #turns: Turns;
  #buffer = new Uint8Array(SCRATCH);
  /** Where a reader that fills memory puts what belongs to no payload. */
  #scratch = new Uint8Array(0);
  /** What of the last chunk does not fit the window yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #received = 0;
  #ended = false;
  #cancelled = false;

  constructor(reader: BytesReader, options: DriveStreamOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#turns = new Turns(options.signal);
    this.cursor.total = options.size;
  }

  async cancel(reason: unknown): Promise<void> {
    if (this.#cancelled) return;
    this.#cancelled = true;
    // A stream that fails while it is cancelled has nothing more to say.
    await this.#reader.cancel(reason).catch(() => {});
    this.#reader.releaseLock();
  }

  /** Let the event loop turn, if it waited long. */
  async pause(): Promise<void> {
    if (this.#turns.due()) await this.#turns.take();
  }

  /** The next bytes, or null at the end. */
  async #chunk(): Promise<Uint8Array | null> {
    if (this.#rest.length > 0) {
      const chunk = this.#rest;
      this.#rest = new Uint8Array(0);
      return chunk;
    }
    if (this.#ended) return null;
    const reader = this.#reader;
    if (!isFilling(reader)) return await this.#arrival(reader);
    const chunk = await this.#arrival(reader, this.#scratch.length > 0 ? this.#scratch : new Uint8Array(SCRATCH));
    if (chunk) this.#scratch = new Uint8Array(chunk.buffer as ArrayBuffer);
    return chunk;
  }

  /** What comes next, in memory that is given up for it where the reader fills memory; null at the end. */
  async #arrival(reader: BytesReader, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
    this.#options.signal?.throwIfAborted();
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await (isFilling(reader) ? reader.read(into!) : reader.read());
    } catch (error) {
      if (error instanceof PaddleError) throw error;
      throw new SourceError("READ_FAILED", `The stream failed at byte ${this.#received}`, {
        offset: this.#received,
        cause: error,
      });
    }
    this.#options.signal?.throwIfAborted();
    if (step.done) {
      this.#ended = true;
      return null;
    }
    if (!(step.value instanceof Uint8Array)) throw new TypeError("A stream of bytes must give Uint8Array chunks");
    this.#received += step.value.length;
    const max = this.#options.maxStreamBytes ?? DEFAULT_LIMITS.maxStreamBytes;
    if (this.#options.size === undefined && this.#received > max) {
      throw new LimitError("LIMIT", `Limit maxStreamBytes=${max} reached: the stream goes on`, {
        limit: "maxStreamBytes",
        max,
        actual: this.#received,
        offset: max,
      });
    }
    this.#options.onProgress?.(this.#received);
    if (this.#turns.due()) await this.#turns.take();
    return step.value;
  }

  async need(n: number): Promise<void> {
    const { cursor } = this;
    if (cursor.left >= n) return;
    const start = cursor.offset;
    let filled = cursor.left;
    this.#buffer.copyWithin(0, cursor.pos, cursor.end);
    while (filled < n) {
      const chunk = await this.#chunk();
      if (!chunk) break;
      if (filled === this.#buffer.length) {
        const larger = allocate(2 * this.#buffer.length);
        larger.set(this.#buffer);
        this.#buffer = larger;
      }
      const taken = Math.min(chunk.length, this.#buffer.length - filled);
      this.#buffer.set(chunk.subarray(0, taken), filled);
      this.#rest = chunk.subarray(taken);
      filled += taken;
    }
    cursor.window(this.#buffer, 0, filled, start);
    cursor.ended = this.#ended && this.#rest.length === 0;
  }

  /** Asked when something is wrong already: what is read on the way is not needed any more. */
  async reach(end: number): Promise<boolean> {
    while (this.#received < end && !this.#ended) {
      this.#rest = new Uint8Array(0);
      if (!(await this.#chunk())) break;
    }
    return this.#received >= end;
  }

  async blob(ask: BlobAsk): Promise<Uint8Array> {
    const { cursor } = this;
    const start = cursor.offset;
    // What lies behind the payload stays in `#rest`, as what the window has of it was.
    const here = cursor.bytes.slice(cursor.pos, cursor.end);
    if (here.length > 0) this.#rest = this.#rest.length > 0 ? concat(here, this.#rest) : here;
    const payload = ask.encoding === "latin1" ? await this.#text(ask) : await this.#raw(ask);
    cursor.window(this.#buffer, 0, 0, start + ask.length);
    cursor.ended = this.#ended && this.#rest.length === 0;
    return payload;
  }

  async #text(ask: BlobAsk): Promise<Uint8Array> {
    const text = new Latin1Text(ask.at, allocate(Math.min(FIRST, ask.length)));
    const end = this.cursor.offset + ask.length;
    for (let done = 0; done < ask.length;) {
      const piece = await this.#piece(ask, done);
      done += piece.length;
      try {
        text.push(piece);
      } catch (error) {
        // A length that the stream does not have is the first thing wrong with it.
        if (!(await this.reach(end))) throw truncated(ask, ask.length - (end - this.#received));
        throw error;
      }
    }
    return text.finish();
  }

  async #raw(ask: BlobAsk): Promise<Uint8Array> {
    let into = allocate(0);
    for (let filled = 0; filled < ask.length;) {
      if (this.#rest.length === 0 && filled < into.length && isFilling(this.#reader)) {
        // Straight to where it stays; the reader gives the buffer back as another object.
        const part = await this.#arrival(this.#reader, into.subarray(filled));
        if (!part) throw truncated(ask, filled);
        into = new Uint8Array(part.buffer as ArrayBuffer);
        filled += part.length;
        continue;
      }
      const piece = await this.#piece(ask, filled);
      const end = filled + piece.length;
      if (end > into.length) {
        const isTrusted = end * TRUST >= ask.length;
        const larger = allocate(isTrusted ? ask.length : Math.min(ask.length, Math.max(2 * into.length, end)));
        larger.set(into.subarray(0, filled));
        into = larger;
      }
      into.set(piece, filled);
      filled = end;
    }
    return into;
  }

  /** More of a payload of which `done` bytes are there. */
  async #piece(ask: BlobAsk, done: number): Promise<Uint8Array> {
    const chunk = await this.#chunk();
    if (!chunk) throw truncated(ask, done);
    const taken = Math.min(ask.length - done, chunk.length);
    this.#rest = chunk.subarray(taken);
    return chunk.subarray(0, taken);
  }
}

function truncated(ask: BlobAsk, found: number): FormatError {
  return new FormatError(
    "TRUNCATED",
    `Truncated file: byte ${ask.at} announces ${ask.length} bytes, ${found} are left. The download is probably incomplete: compare the size with the publisher's.`,
    { offset: ask.at, expected: ask.length, actual: found },
  );
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
