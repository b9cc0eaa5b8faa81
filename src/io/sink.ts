/**
 * Where bytes go.
 *
 * @module
 */

/** A place that bytes are poured into, from first to last. The user's own may be passed wherever `to` is taken. */
export interface Sink {
  /** Take the next bytes; the promise is back-pressure. The chunk is the sink's to read, never to change: it may be a tensor's own memory. */
  write(chunk: Uint8Array): void | Promise<void>;
  /** All bytes are there: make them final. */
  close(): void | Promise<void>;
  /** Something failed: leave nothing behind. */
  abort(reason: unknown): void | Promise<unknown>;
  /**
   * Whether chunks are still read after their write is done. A sink that says `false` gets what is copied from file to file in memory that is
   * used again, so that it takes little. @default {true}
   */
  readonly keepsChunks?: boolean;
}
