/**
 * Runs a decoder over a stream, in one pass; a length that the file claims is trusted only as bytes arrive (RULES.md LIM-2).
 *
 * @module
 */
import { type Answer, type BlobAsk, Cursor, type Decoder } from "../../codec/cursor.ts";
import { Latin1Text, sizeOfText } from "../../codec/payload.ts";
import { FormatError, PaddleError, SourceError } from "../../errors.ts";
import { DEFAULT_LIMITS, limitError } from "../../limits.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { allocate } from "../../words/allocate.ts";
import { checkedChunk } from "../streams/checked_chunk.ts";
import { type BytesReader, type FillBytes, fillsOf, isFilling, readerOf } from "../streams/filling_reader.ts";
import { onAbort } from "../waiting/on_abort.ts";
import { Turns } from "../waiting/turns.ts";

/** How {@linkcode driveStream} reads. */
export interface DriveStreamOptions {
  /** Length of the stream in bytes, if known. */
  size?: number;
  signal?: AbortSignal;
  /** @default {DEFAULT_LIMITS.maxStreamBytes} */
  maxStreamBytes?: number;
  /** Called with the number of bytes received so far. */
  onProgress?: (loaded: number) => void;
}

/** A claimed length is allocated in full once 1/256 of it has arrived. */
const TRUST = 256;
/** Maximum bytes allocated for a string before any of it has arrived. */
const FIRST = 2 ** 20;
/** Bytes read at a time for structure. */
const SCRATCH = 65_536;

/** Run a decoder over `stream` to its end; what is left of the stream is cancelled. */
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
    driver.cancel("done");
  }
}

class StreamDriver {
  readonly cursor = new Cursor();
  readonly #reader: BytesReader;
  /** Reads the next bytes; a filling reader puts them into the given buffer. */
  readonly #read: FillBytes;
  readonly #isFilling: boolean;
  readonly #options: DriveStreamOptions;
  readonly #turns: Turns;
  #buffer = new Uint8Array(SCRATCH);
  /** The buffer for a filling reader's bytes that belong to no payload. */
  #scratch = new Uint8Array(0);
  /** The part of the last chunk that does not fit into the window yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #received = 0;
  #ended = false;
  #cancelled = false;

  constructor(reader: BytesReader, options: DriveStreamOptions) {
    this.#reader = reader;
    this.#isFilling = isFilling(reader);
    this.#read = isFilling(reader) ? fillsOf(reader) : () => reader.read();
    this.#options = options;
    this.#turns = new Turns(options.signal);
    this.cursor.total = options.size;
  }

  cancel(reason: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    // Do not wait for a cancelled stream, which may never answer, and ignore its errors.
    this.#reader.cancel(reason).catch(() => {});
    this.#reader.releaseLock();
  }

  /** Let the event loop turn, if it has waited long enough. */
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
    if (!this.#isFilling) return await this.#arrival();
    const chunk = await this.#arrival(this.#scratch.length > 0 ? this.#scratch : new Uint8Array(SCRATCH));
    if (chunk) this.#scratch = new Uint8Array(chunk.buffer as ArrayBuffer);
    return chunk;
  }

  /** The next bytes, or null at the end. A filling reader takes over `into` and returns the bytes in it. */
  async #arrival(into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
    this.#options.signal?.throwIfAborted();
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await this.#read(into!);
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
    const chunk = checkedChunk(step.value);
    this.#received += chunk.length;
    const { size, maxStreamBytes: max = DEFAULT_LIMITS.maxStreamBytes } = this.#options;
    if (size !== undefined && this.#received > size) {
      throw new SourceError("READ_FAILED", `The stream has more than the ${size} bytes that were announced`, {
        offset: size,
        expected: size,
      });
    }
    if (size === undefined && this.#received > max) {
      throw limitError("maxStreamBytes", max, this.#received, ": the stream has more bytes", { offset: max });
    }
    this.#options.onProgress?.(this.#received);
    if (this.#turns.due()) await this.#turns.take();
    return chunk;
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

  /** Whether the stream has `end` bytes. Only requested after an error: what is read on the way is no longer needed. */
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
    // The window's bytes are copied to the front of `#rest`, so that those past the payload survive.
    const here = cursor.bytes.slice(cursor.pos, cursor.end);
    if (here.length > 0) this.#rest = this.#rest.length > 0 ? joinBytes([here, this.#rest]) : here;
    const payload = ask.encoding === "latin1" ? await this.#text(ask) : await this.#raw(ask);
    cursor.window(this.#buffer, 0, 0, start + ask.length);
    cursor.ended = this.#ended && this.#rest.length === 0;
    return payload;
  }

  async #text(ask: BlobAsk): Promise<Uint8Array> {
    let room = Math.min(FIRST, ask.length);
    const text = new Latin1Text(ask.at, allocate(room));
    const size = sizeOfText(ask.length, ask.size);
    const end = this.cursor.offset + ask.length;
    for (let done = 0; done < ask.length;) {
      const piece = await this.#piece(ask, done);
      done += piece.length;
      try {
        text.push(piece);
      } catch (error) {
        // If the stream is shorter than the claimed length, that is the first error.
        if (!(await this.reach(end))) throw truncated(ask, ask.length - (end - this.#received));
        throw error;
      }
      if (room < size && done * TRUST >= ask.length) text.moveTo(allocate(room = size));
    }
    return text.finish();
  }

  async #raw(ask: BlobAsk): Promise<Uint8Array> {
    let into = allocate(0);
    for (let filled = 0; filled < ask.length;) {
      if (this.#rest.length === 0 && filled < into.length && this.#isFilling) {
        // Read straight into the final buffer; the reader returns it as a new object.
        const part = await this.#arrival(into.subarray(filled));
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

  /** More bytes of a payload, of which `done` bytes have arrived. */
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
    `Truncated file: byte ${ask.at} announces ${ask.length} bytes, ${found} are there. The download is probably incomplete: compare the size with the publisher's.`,
    { offset: ask.at, expected: ask.length, actual: found },
  );
}
