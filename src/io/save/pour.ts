/**
 * Writes chunks to a sink.
 *
 * @module
 */
import { type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { ReadAhead } from "./read_ahead.ts";
import { collectGarbage } from "../platform.ts";
import { SourceError } from "../../errors.ts";
import { FileSink } from "../sinks/file_sink.ts";
import type { Sink } from "../sink.ts";
import { BufferPool } from "../streams/buffer_pool.ts";
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
  const { size, signal, onWritten, spare = new BufferPool() } = options;
  const copies = new Copies(), turns = new Turns(signal), ahead = new ReadAhead(chunks, signal, spare);
  const isFile = sink instanceof FileSink, keeps = sink.keepsChunks !== false;
  const room = Math.min(GATHER, size);
  let gathered = spare.take(room), other = isFile ? spare.take(room) : gathered;
  let held = 0, written = 0;
  /** Whether the encoder's own memory is being written: it is valid until the next chunk but one is requested. */
  let isLent = false;
  const count = (bytes: number) => {
    written += bytes;
    onWritten?.(written);
  };
  const write = isFile ? behind(sink, count) : oneByOne(sink, signal, count);
  const done = async () => {
    await write.done();
    isLent = false;
  };
  const pass = async (chunk: Uint8Array) => {
    signal?.throwIfAborted();
    await write.next(chunk);
  };
  const flush = async () => {
    if (held === 0) return;
    const chunk = keeps ? gathered.slice(0, held) : gathered.subarray(0, held);
    [gathered, other] = [other, gathered];
    held = 0;
    isLent = false;
    await pass(chunk);
  };
  const add = async (chunk: Uint8Array) => {
    if (held + chunk.length > room) await flush();
    if (chunk.length > GATHER / 4) {
      await flush();
      for (let at = 0; at < chunk.length; at += LONGEST) await pass(chunk.subarray(at, at + LONGEST));
      isLent = true;
    } else {
      if (chunk.length > room) throw changed(size, written + chunk.length);
      gathered.set(chunk, held);
      held += chunk.length;
      if (isLent) await done();
    }
  };
  try {
    for (let next = ahead.next(); next !== null; next = ahead.next()) {
      if (turns.due()) await turns.take();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk instanceof UnreadBytes) {
        for await (const piece of ahead.pieces(chunk)) {
          await add(keeps ? copies.of(piece) : piece);
          // The next piece may reuse the same memory.
          await done();
        }
      } else await add(chunk);
    }
    await flush();
    await done();
    if (written !== size) throw changed(size, written);
    await ahead.verify();
    ahead.release();
    spare.give(gathered, isFile ? other : null);
  } finally {
    await write.done().catch(() => {});
  }
}

/** Bytes copied between two requests for garbage collection. */
const COLLECT_AFTER = 64 * 2 ** 20;

/** Makes copies for a sink that may keep them. */
class Copies {
  #bytes = 0;

  /** A copy of `piece`, unless it is so small that it is gathered anyway. */
  of(piece: Uint8Array): Uint8Array {
    if (piece.length <= GATHER / 4) return piece;
    this.#bytes += piece.length;
    if (this.#bytes > COLLECT_AFTER) {
      this.#bytes = 0;
      collectGarbage();
    }
    return piece.slice();
  }
}

function changed(expected: number, actual: number): SourceError {
  return new SourceError(
    "SOURCE_CHANGED",
    `The value changed while being saved: it gave ${actual} bytes, not ${expected}`,
    {
      expected,
      actual,
    },
  );
}

/** How chunks are passed to their sink. */
interface Writer {
  next(chunk: Uint8Array): Promise<void>;
  /** Settles once everything passed before has been written, or has failed. */
  done(): Promise<void>;
}

/** Writes to a file in the background: meanwhile the next chunk is made, but no more than that. */
function behind(sink: FileSink, count: (bytes: number) => void): Writer {
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
