/**
 * Writes chunks to a sink.
 *
 * @module
 */
import { type Chunk, UnreadBytes, valueChanged } from "../../words/unread_bytes.ts";
import { ReadAhead } from "./read_ahead.ts";
import { FileSink } from "../sinks/file_sink.ts";
import type { Sink } from "../sink.ts";
import { BufferPool } from "../streams/buffer_pool.ts";
import { Copies } from "../streams/copies.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";

/** Small chunks are gathered into writes of up to this many bytes. */
const GATHER = 2 ** 20;
/** Maximum bytes of a single write: an abort takes effect between two. */
const LONGEST = 16 * 2 ** 20;

/** Options of {@linkcode pour}. */
export interface PourOptions {
  /** Bytes of all chunks together. */
  size: number;
  signal: AbortSignal | undefined;
  /** Receives the number of bytes written so far. */
  onWritten: ((loaded: number) => void) | undefined;
  /** Where buffers come from. */
  spare?: BufferPool;
}

/**
 * Write chunks: small ones gathered, large ones as they are, and those that are in files read when their turn comes.
 *
 * @throws {SourceError} `SOURCE_CHANGED`: there were not `size` bytes, because the value, or a file that was read, changed meanwhile
 */
export async function pour(chunks: Iterable<Chunk>, sink: Sink, options: PourOptions): Promise<void> {
  const { signal, spare = new BufferPool() } = options;
  const turns = new Turns(signal), ahead = new ReadAhead(chunks, signal, spare);
  const gatherer = new Gatherer(sink, turns, { ...options, spare });
  try {
    for (let next = ahead.next(); next !== null; next = ahead.next()) {
      if (turns.due()) await turns.take();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk instanceof UnreadBytes) {
        for await (const piece of ahead.pieces(chunk)) await gatherer.addPiece(piece);
      } else await gatherer.add(chunk);
    }
    await gatherer.end();
    await ahead.verify();
    ahead.release();
    gatherer.release();
  } finally {
    await gatherer.settle();
  }
}

/** Gathers small chunks into larger ones, and passes all on to a sink. */
class Gatherer {
  readonly #size: number;
  readonly #turns: Turns;
  readonly #signal: AbortSignal | undefined;
  readonly #spare: BufferPool;
  readonly #writer: Writer;
  /** Whether the sink may read a chunk after its write. */
  readonly #keeps: boolean;
  readonly #copies = new Copies();
  /** The buffer that is filled, and the one whose bytes may still be being written. */
  #buffer: Uint8Array;
  #other: Uint8Array;
  #held = 0;
  #written = 0;
  /** Whether the encoder's own memory is being written: it is valid until the next chunk but one is requested. */
  #isLent = false;

  constructor(sink: Sink, turns: Turns, { size, signal, onWritten, spare }: PourOptions & { spare: BufferPool }) {
    const isFile = sink instanceof FileSink, room = Math.min(GATHER, size);
    const count = (bytes: number) => {
      this.#written += bytes;
      onWritten?.(this.#written);
    };
    this.#size = size;
    this.#turns = turns;
    this.#signal = signal;
    this.#spare = spare;
    this.#keeps = sink.keepsChunks !== false;
    this.#writer = isFile ? inBackground(sink, count) : oneByOne(sink, signal, count);
    this.#buffer = spare.take(room);
    this.#other = isFile ? spare.take(room) : this.#buffer;
  }

  /** Add a chunk of the encoder. */
  async add(chunk: Uint8Array): Promise<void> {
    const room = this.#buffer.length;
    if (this.#held + chunk.length > room) await this.#flush();
    if (chunk.length > GATHER / 4) {
      await this.#flush();
      for (let at = 0; at < chunk.length; at += LONGEST) await this.#pass(chunk.subarray(at, at + LONGEST));
      this.#isLent = true;
      return;
    }
    if (chunk.length > room) throw valueChanged(this.#size, this.#written + chunk.length);
    this.#buffer.set(chunk, this.#held);
    this.#held += chunk.length;
    if (this.#isLent) await this.#done();
  }

  /** Add a piece of a large array. The next piece may reuse the same memory, so it is written before this returns. */
  async addPiece(piece: Uint8Array): Promise<void> {
    // A small one is copied as it is gathered.
    await this.add(this.#keeps && piece.length > GATHER / 4 ? this.#copies.of(piece) : piece);
    await this.#done();
  }

  /** Write what is left. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#done();
    if (this.#written !== this.#size) throw valueChanged(this.#size, this.#written);
  }

  /** Return the buffers. */
  release(): void {
    this.#spare.give(this.#buffer, this.#other === this.#buffer ? null : this.#other);
  }

  /** Wait for a write under way, whether it succeeds or fails. */
  async settle(): Promise<void> {
    await this.#writer.done().catch(() => {});
  }

  async #flush(): Promise<void> {
    if (this.#held === 0) return;
    const chunk = this.#keeps ? this.#buffer.slice(0, this.#held) : this.#buffer.subarray(0, this.#held);
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
    this.#held = 0;
    this.#isLent = false;
    await this.#pass(chunk);
  }

  async #pass(chunk: Uint8Array): Promise<void> {
    this.#signal?.throwIfAborted();
    await this.#writer.next(chunk);
    // A sink may take everything at once.
    if (this.#turns.due()) await this.#turns.take();
  }

  async #done(): Promise<void> {
    await this.#writer.done();
    this.#isLent = false;
  }
}

/** How chunks are passed to their sink. */
interface Writer {
  next(chunk: Uint8Array): Promise<void>;
  /** Settles once everything passed before has been written, or has failed. */
  done(): Promise<void>;
}

/** Writes to a file in the background: meanwhile the next chunk is made, but no more than that. */
function inBackground(sink: FileSink, count: (bytes: number) => void): Writer {
  let pending: Promise<void> = Promise.resolve();
  return {
    async next(chunk) {
      await pending;
      pending = sink.write(chunk).then(() => count(chunk.length));
      // Reported where it is awaited.
      pending.catch(() => {});
    },
    done: () => pending,
  };
}

/** Does not wait for a sink that ignores the signal. */
function oneByOne(sink: Sink, signal: AbortSignal | undefined, count: (bytes: number) => void): Writer {
  return {
    async next(chunk) {
      if (signal) await within(Promise.resolve(sink.write(chunk)), Infinity, signal);
      else await sink.write(chunk);
      count(chunk.length);
    },
    done: () => Promise.resolve(),
  };
}
