/**
 * Where bytes go.
 *
 * @module
 */

/** A destination that bytes are written to, from first to last. A sink of your own may be passed wherever `to` is accepted. */
export interface Sink {
  /** Called before the first byte with the total number of bytes; may throw to refuse them. */
  expect?(size: number): void | Promise<void>;
  /** Take the next bytes; the promise is back-pressure. The sink must not modify the chunk: it may be a tensor's own memory. */
  write(chunk: Uint8Array): void | Promise<void>;
  /** All bytes are written: make them final. */
  close(): void | Promise<void>;
  /** Something failed: leave nothing behind. */
  abort(reason: unknown): void | Promise<unknown>;
  /**
   * Whether chunks are still read after their write has resolved. A sink that says `false` saves memory: what is copied from file to file
   * reaches it in reused buffers. @default {true}
   */
  readonly keepsChunks?: boolean | undefined;
}
