/**
 * Collects bytes in memory.
 *
 * @module
 */
import { joinBytes } from "../../words/joined_bytes.ts";
import type { Sink } from "../sink.ts";

/** Collects what is written and passes all of it to `done` on closing. */
export class MemorySink implements Sink {
  /** A chunk is not read after its write. */
  readonly keepsChunks = false;
  readonly #done: (bytes: Uint8Array<ArrayBuffer>) => void;
  #chunks: Uint8Array[] | null = [];

  /** A sink that passes its bytes to `done`. */
  constructor(done: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#done = done;
  }

  /** Keep a copy of the chunk. */
  write(chunk: Uint8Array): void {
    this.#chunks?.push(chunk.slice());
  }

  /** Join the chunks, once. */
  close(): void {
    if (!this.#chunks) return;
    const bytes = joinBytes(this.#chunks);
    this.#chunks = null;
    this.#done(bytes);
  }

  /** Drop the chunks. */
  abort(): void {
    this.#chunks = null;
  }
}
