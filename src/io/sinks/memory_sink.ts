/**
 * Bytes that stay in memory.
 *
 * @module
 */
import type { Sink } from "../sink.ts";

/** Collects what is written; `done` gets the whole when it is closed. */
export class MemorySink implements Sink {
  /** Each chunk is done with when it was written. */
  readonly keepsChunks = false;
  readonly #done: (bytes: Uint8Array<ArrayBuffer>) => void;
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** A sink that gives its bytes to `done`. */
  constructor(done: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#done = done;
  }

  /** Keep a copy of the chunk. */
  write(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
    this.#length += chunk.length;
  }

  /** Put the chunks together. */
  close(): void {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [];
    this.#done(bytes);
  }

  /** Forget the chunks. */
  abort(): void {
    this.#chunks = [];
  }
}
