/**
 * Runs a decoder over a source with positional reads. Payloads are read straight into their final buffers, two reads in flight; structure
 * is read through a small window.
 *
 * @module
 */
import { type Answer, type Ask, type BlobAsk, Cursor, type Decoder, Span } from "../../codec/cursor.ts";
import { PaddleError, SourceError } from "../../errors.ts";
import { Latin1Text, sizeOfText } from "../../codec/payload.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";
import { allocate } from "../../words/allocate.ts";
import { RequestLengths } from "../sources/request_lengths.ts";
import { Turns } from "../waiting/turns.ts";

/** How {@linkcode driveSource} answers the decoder's requests. */
export interface DriveSourceOptions {
  /** Leave payloads unread, as spans. @default {false} */
  lazy?: boolean;
  /** Leave deferrable payloads unread, as spans, unless they are in memory. @default {false} */
  deferSome?: boolean;
  /** Copy payloads that are in memory. @default {false} */
  copy?: boolean;
  signal?: AbortSignal;
  /** Bytes read at a time for structure. @default {262144} */
  window?: number;
  /** Called with the number of bytes read so far. */
  onProgress?: (loaded: number) => void;
}

/** Default bytes per read of structure. Small arrays share a copy of it: fewer, larger ones leave the collector less to do. */
const WINDOW = 2 ** 18;
/** Bytes of structure to read first if payloads are left unread: more would be read in vain. */
const FIRST = 65_536;
/** Bytes of structure to read after a payload that was left unread: enough for a name and a shape; more follow if needed. */
const LEAST = 1024;
/** Bytes per read into a tensor's buffer: several shorter reads in flight are faster than one long one. */
const PIECE = 8 * 2 ** 20;
/** Bytes of an encoded string to read at a time, while the piece before is decoded. */
const TEXT_PIECE = 2 ** 20;
const IN_FLIGHT = 2;

/** Run a decoder over `source` to its end. */
export async function driveSource<T>(
  make: (cursor: Cursor) => Decoder<T>,
  source: Source,
  options: DriveSourceOptions = {},
): Promise<T> {
  const driver = new SourceDriver(source, options);
  const decoder = make(driver.cursor);
  let failure: { error: unknown } | null = null;
  let result: T | undefined;
  try {
    let step = decoder.next();
    while (!step.done) {
      const answer = driver.answer(step.value);
      // Nearly every answer is available at once: awaiting each would cost more than decoding.
      if (!(answer instanceof Promise)) step = decoder.next(answer);
      else {
        let given: Answer;
        try {
          given = await answer;
        } catch (error) {
          step = decoder.throw(error);
          continue;
        }
        step = decoder.next(given);
      }
    }
    result = step.value;
  } catch (error) {
    failure = { error };
  }
  // Reads in flight write into our buffers, so wait for them first. Their failure precedes the decoder's in the file.
  const early = await driver.settle();
  if (early) throw early.error;
  // Bytes that make no sense may be those of another file, or of two.
  if (!failure || isContent(failure.error)) await source.verify?.();
  if (failure) throw failure.error;
  return result as T;
}

/** Whether the error is about what the bytes say. */
function isContent(error: unknown): boolean {
  return error instanceof PaddleError && !(error instanceof SourceError);
}

class SourceDriver {
  readonly cursor = new Cursor();
  readonly #source: Source;
  readonly #lazy: boolean;
  readonly #defersSome: boolean;
  readonly #copy: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #window: number;
  readonly #onProgress: ((loaded: number) => void) | undefined;
  readonly #turns: Turns;
  /** How much to read at a time if a read is a network round trip. */
  readonly #lengths: RequestLengths | null;
  readonly #flying = new Set<Promise<void>>();
  #buffer: Uint8Array;
  /** Bytes to read next if payloads are left unread: few after a jump, then more and more. */
  #stretch = FIRST;
  #failure: { error: unknown; offset: number } | null = null;
  #textBuffers: Uint8Array[] | null = null;
  #loaded = 0;

  constructor(source: Source, options: DriveSourceOptions) {
    this.#source = source;
    this.#lazy = options.lazy ?? false;
    this.#defersSome = (options.deferSome ?? false) && source.view === undefined;
    this.#copy = options.copy ?? false;
    this.#signal = options.signal;
    this.#window = options.window ?? (source.costly ? TEXT_PIECE : WINDOW);
    this.#onProgress = options.onProgress;
    this.#turns = new Turns(options.signal);
    this.#lengths = source.costly && this.#lazy ? new RequestLengths(source.size, options.window) : null;
    this.#buffer = new Uint8Array(source.view ? 0 : Math.min(this.#window + 16, source.size));
    this.cursor.total = source.size;
    this.cursor.stable = source.view !== undefined && !this.#copy;
    this.cursor.ended = source.size === 0;
  }

  answer(ask: Ask): Answer | Promise<Answer> {
    if (this.#failure) throw this.#failure.error;
    if (ask.kind === "reach") return ask.end <= this.#source.size;
    if (ask.kind === "blob") return this.#blob(ask);
    if (ask.kind === "pause") return this.#turns.due() ? this.#turns.take() : undefined;
    return this.#need(ask.n);
  }

  /** Wait for the reads in flight; returns the failure of the one that comes first in the file, if any. */
  async settle(): Promise<{ error: unknown } | null> {
    while (this.#flying.size > 0) await Promise.all(this.#flying);
    return this.#failure;
  }

  // ---- structure

  #need(n: number): void | Promise<void> {
    const { cursor } = this;
    const start = cursor.offset;
    const kept = cursor.left;
    // What is in the window costs nothing; #lengths decides how much to request beyond it.
    const window = this.#lengths ? kept + this.#lengths.next(start + kept, n - kept) : this.#nextWindow();
    const wanted = Math.min(Math.max(n, window), this.#source.size - start);
    const turn = this.#turns.due();
    if (this.#source.view) {
      this.#seeMemory(start, wanted);
      return turn ? this.#turns.take() : undefined;
    }
    if (wanted <= kept) {
      cursor.ended = start + kept >= this.#source.size;
      return turn ? this.#turns.take() : undefined;
    }
    this.#room(wanted, kept);
    if (this.#source.readSync && !turn && wanted - kept <= WINDOW) return this.#fillSync(start, kept, wanted);
    return this.#fill(start, kept, wanted, turn);
  }

  #nextWindow(): number {
    if (!this.#lazy) return this.#window;
    const window = Math.min(this.#window, this.#stretch);
    this.#stretch = window * 4;
    return window;
  }

  /** Memory needs no reading: the window is a part of it. */
  #seeMemory(start: number, wanted: number): void {
    const bytes = this.#source.view!(0, this.#source.size);
    this.cursor.window(bytes, start, start + wanted, 0);
    this.cursor.ended = start + wanted >= this.#source.size;
  }

  /** Move what is left to the front of a buffer of at least `wanted` bytes. */
  #room(wanted: number, kept: number): void {
    const { cursor } = this;
    const rest = cursor.bytes.subarray(cursor.pos, cursor.end);
    if (wanted > this.#buffer.length) {
      const larger = allocate(Math.min(this.#source.size, Math.max(wanted, 2 * this.#buffer.length)));
      larger.set(rest);
      this.#buffer = larger;
    } else if (kept > 0) this.#buffer.set(rest);
  }

  #fillSync(start: number, kept: number, wanted: number): void {
    let filled = kept;
    while (filled < wanted) {
      const n = this.#source.readSync!(start + filled, this.#buffer.subarray(filled, wanted));
      if (n <= 0) break;
      filled += n;
    }
    this.#show(start, filled);
  }

  async #fill(start: number, kept: number, wanted: number, turn: boolean): Promise<void> {
    if (turn) await this.#turns.take();
    await readFully(this.#source, start + kept, this.#buffer.subarray(kept, wanted), this.#signal);
    this.#show(start, wanted);
  }

  #show(start: number, filled: number): void {
    this.cursor.window(this.#buffer, 0, filled, start);
    this.cursor.ended = start + filled >= this.#source.size;
    this.#progress(0, start + filled);
  }

  // ---- payloads

  #blob(ask: BlobAsk): Answer | Promise<Answer> {
    const { cursor } = this;
    const start = cursor.offset;
    if ((this.#lazy && !ask.eager) || (this.#defersSome && ask.deferrable)) {
      this.#skip(start + ask.length);
      if (ask.lookahead) this.#lookAhead(ask.lookahead);
      return new Span(start, ask.length, ask.encoding, ask.at);
    }
    if (ask.encoding === "latin1") return this.#text(ask, start);
    if (this.#source.view) {
      const bytes = this.#source.view(start, ask.length);
      this.#skip(start + ask.length);
      return this.#copy ? bytes.slice() : bytes;
    }
    const into = allocate(ask.length);
    const here = Math.min(cursor.left, ask.length);
    into.set(cursor.bytes.subarray(cursor.pos, cursor.pos + here));
    this.#skip(start + ask.length);
    return this.#fly(into, here, start);
  }

  /** Read what follows a payload, if that can be done synchronously: the decoder then need not request it. */
  #lookAhead(n: number): void {
    const { cursor } = this;
    const start = cursor.offset, kept = cursor.left;
    const { view, readSync, size } = this.#source;
    if (view || !readSync || kept >= n || cursor.ended || this.#turns.due()) return;
    const wanted = Math.min(Math.max(n, this.#nextWindow()), size - start);
    this.#room(wanted, kept);
    this.#fillSync(start, kept, wanted);
  }

  /** Start reading the rest of `into`; wait only while too many reads are in flight. */
  #fly(into: Uint8Array, from: number, start: number): Answer | Promise<Answer> {
    const wait: { more: number } = { more: from };
    const launch = () => {
      while (wait.more < into.length && this.#flying.size < IN_FLIGHT) {
        const end = Math.min(into.length, wait.more + PIECE);
        this.#launch(start + wait.more, into.subarray(wait.more, end));
        wait.more = end;
      }
      return wait.more >= into.length;
    };
    if (launch()) return into;
    return (async () => {
      while (!launch()) {
        await Promise.race(this.#flying);
        if (this.#turns.due()) await this.#turns.take();
        this.#signal?.throwIfAborted();
        if (this.#failure) throw this.#failure.error;
      }
      return into;
    })();
  }

  #launch(offset: number, into: Uint8Array): void {
    const flight: Promise<void> = readFully(this.#source, offset, into, this.#signal).then(
      () => this.#progress(into.length, 0),
    ).catch((error) => {
      if (!this.#failure || offset < this.#failure.offset) this.#failure = { error, offset };
    }).finally(() => this.#flying.delete(flight));
    this.#flying.add(flight);
  }

  /**
   * Decode a string that encodes bytes: one piece is read while the one before is decoded; the whole string is
   * never in memory beside the bytes.
   */
  async #text(ask: BlobAsk, start: number): Promise<Uint8Array> {
    const text = new Latin1Text(ask.at, allocate(sizeOfText(ask.length, ask.size)));
    // Shared by all strings: dropped buffers would stay in memory until a collection.
    const buffers = this.#textBuffers ??= [0, 1].map(() => new Uint8Array(Math.min(TEXT_PIECE, this.#source.size)));
    const read = (at: number, k: number): Promise<Uint8Array> | null => {
      if (at >= ask.length) return null;
      const into = buffers[k].subarray(0, Math.min(TEXT_PIECE, ask.length - at));
      const reading = readFully(this.#source, start + at, into, this.#signal);
      // A call that ends early never awaits it.
      reading.catch(() => {});
      return reading;
    };
    let next = read(0, 0);
    for (let at = 0, k = 0; next; at += TEXT_PIECE, k ^= 1) {
      const piece: Uint8Array = await next;
      next = read(at + TEXT_PIECE, k ^ 1);
      try {
        text.push(piece);
      } catch (error) {
        await next?.catch(() => {});
        throw error;
      }
      this.#progress(piece.length, 0);
      if (this.#turns.due()) await this.#turns.take();
    }
    this.#skip(start + ask.length);
    return text.finish();
  }

  /** Move the cursor to `offset`, keeping the part of the window after it. */
  #skip(offset: number): void {
    const { cursor } = this;
    const ahead = offset - cursor.base;
    if (ahead <= cursor.end) cursor.pos = ahead;
    else {
      cursor.window(cursor.bytes, 0, 0, offset);
      this.#stretch = LEAST;
    }
    cursor.ended = cursor.base + cursor.end >= this.#source.size;
  }

  #progress(more: number, atLeast: number): void {
    if (!this.#onProgress) return;
    this.#loaded = Math.max(this.#loaded + more, atLeast);
    this.#onProgress(Math.min(this.#loaded, this.#source.size));
  }
}
