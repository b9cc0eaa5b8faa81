/**
 * Collects bytes in memory.
 *
 * @module
 */
import type { Sink } from "../sink.ts";

/** Collects what is written and passes all of it to `done` on closing. */
export class MemorySink implements Sink {
  /** A chunk is not read after its write. */
  readonly keepsChunks = false;
  readonly #done: (bytes: Uint8Array<ArrayBuffer>) => void;
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** A sink that passes its bytes to `done`. */
  constructor(done: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#done = done;
  }

  /** Keep a copy of the chunk. */
  write(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
    this.#length += chunk.length;
  }

  /** Join the chunks. */
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

  /** Drop the chunks. */
  abort(): void {
    this.#chunks = [];
  }
}
