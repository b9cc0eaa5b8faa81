/**
 * Runs a decoder over a stream: one pass, and a length that the file claims is believed only as bytes arrive (hardening H-LIM-2).
 *
 * @module
 */
import { type Answer, type BlobAsk, Cursor, type Decoder } from "../codec/cursor.ts";
import { Latin1Text } from "../codec/payload.ts";
import { FormatError, LimitError, PaddleError, SourceError } from "../errors.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { allocate } from "./drive_source.ts";
import { Turns } from "./turns.ts";

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

/** Run a decoder over `stream` to its end; the stream is cancelled where something is left of it. */
export async function driveStream<T>(
  make: (cursor: Cursor) => Decoder<T>,
  stream: ReadableStream<Uint8Array>,
  options: DriveStreamOptions = {},
): Promise<T> {
  const { signal } = options;
  const driver = new StreamDriver(stream.getReader(), options);
  const stop = () => driver.cancel(signal!.reason);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const decoder = make(driver.cursor);
    let step = decoder.next();
    while (!step.done) {
      const ask = step.value;
      let answer: Answer = undefined;
      try {
        if (ask.kind === "need") await driver.need(ask.n);
        else if (ask.kind === "reach") answer = await driver.reach(ask.end);
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
    signal?.removeEventListener("abort", stop);
    await driver.cancel("done");
  }
}

class StreamDriver {
  readonly cursor = new Cursor();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #options: DriveStreamOptions;
  readonly #turns: Turns;
  #buffer = new Uint8Array(65_536);
  /** What of the last chunk does not fit the window yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #received = 0;
  #ended = false;
  #cancelled = false;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, options: DriveStreamOptions) {
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

  /** The next bytes, or null at the end. */
  async #chunk(): Promise<Uint8Array | null> {
    if (this.#rest.length > 0) {
      const chunk = this.#rest;
      this.#rest = new Uint8Array(0);
      return chunk;
    }
    if (this.#ended) return null;
    this.#options.signal?.throwIfAborted();
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await this.#reader.read();
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
    const take = this.#pieces(ask);
    if (ask.encoding === "latin1") {
      const text = new Latin1Text(ask.at, allocate(Math.min(FIRST, ask.length)));
      for await (const piece of take) text.push(piece);
      cursor.window(this.#buffer, 0, 0, start + ask.length);
      cursor.ended = this.#ended && this.#rest.length === 0;
      return text.finish();
    }
    let into = allocate(Math.min(ask.length, FIRST));
    let filled = 0;
    for await (const piece of take) {
      while (filled + piece.length > into.length) {
        const trusted = (filled + piece.length) * TRUST >= ask.length;
        const larger = allocate(trusted ? ask.length : Math.min(ask.length, 2 * into.length));
        larger.set(into.subarray(0, filled));
        into = larger;
      }
      into.set(piece, filled);
      filled += piece.length;
    }
    cursor.window(this.#buffer, 0, 0, start + ask.length);
    cursor.ended = this.#ended && this.#rest.length === 0;
    return into;
  }

  /** The payload's bytes as they come: first what the window has. What lies behind it stays in `#rest`. */
  async *#pieces(ask: BlobAsk): AsyncGenerator<Uint8Array> {
    const { cursor } = this;
    let missing = ask.length;
    const here = cursor.bytes.slice(cursor.pos, cursor.end);
    if (here.length > 0) this.#rest = this.#rest.length > 0 ? concat(here, this.#rest) : here;
    while (missing > 0) {
      const chunk = await this.#chunk();
      if (!chunk) {
        throw new FormatError(
          "TRUNCATED",
          `Truncated file: byte ${ask.at} announces ${ask.length} bytes, ${
            ask.length - missing
          } are left. The download is probably incomplete: compare the size with the publisher's.`,
          { offset: ask.at, expected: ask.length, actual: ask.length - missing },
        );
      }
      const taken = Math.min(missing, chunk.length);
      this.#rest = chunk.subarray(taken);
      missing -= taken;
      yield chunk.subarray(0, taken);
    }
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
