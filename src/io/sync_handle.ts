/**
 * Synchronous file handles, available in browser workers: the fastest way to access files of the origin.
 *
 * @module
 */
import { SaveError, SourceError } from "../errors.ts";
import type { Sink } from "./sink.ts";
import { sinkFailed } from "./sink_failed.ts";
import type { Source } from "./source.ts";
import type { SinkEnd } from "./sinks/stream_sink.ts";

/** A `FileSystemSyncAccessHandle`. */
export interface SyncHandle {
  /** Read from offset `at` on; returns the number of bytes read. */
  read(into: Uint8Array, options?: { at?: number }): number;
  /** Write from offset `at` on; returns the number of bytes written. */
  write(bytes: Uint8Array, options?: { at?: number }): number;
  /** Size of the file in bytes. */
  getSize(): number;
  /** Shorten or extend the file. */
  truncate(size: number): void;
  /** Flush buffered writes. */
  flush(): void;
  /** Release the file. */
  close(): void;
}

/** Whether `x` is a synchronous handle. */
export function isSyncHandle(x: object): x is SyncHandle {
  return "getSize" in x && typeof x.getSize === "function" && "flush" in x && "read" in x;
}

/** A synchronous handle as a source. The handle belongs to the caller and stays open. */
export class SyncHandleSource implements Source {
  readonly size: number;
  readonly #handle: SyncHandle;

  /** Over `handle`. */
  constructor(handle: SyncHandle) {
    this.#handle = handle;
    this.size = handle.getSize();
  }

  /** Read bytes from `offset` on. */
  // deno-lint-ignore require-await
  async read(offset: number, into: Uint8Array): Promise<number> {
    return this.readSync(offset, into);
  }

  /** Read bytes from `offset` on, synchronously. */
  readSync(offset: number, into: Uint8Array): number {
    let count: number;
    try {
      count = this.#handle.read(into, { at: offset });
    } catch (cause) {
      throw new SourceError("READ_FAILED", `The file handle failed at byte ${offset}`, { offset, cause });
    }
    // A file that ends early became shorter.
    if (count === 0) this.#checkSize();
    return count;
  }

  /** Throws `SOURCE_CHANGED` if the size of the file changed since it was opened. */
  // deno-lint-ignore require-await
  async verify(): Promise<void> {
    this.#checkSize();
  }

  #checkSize(): void {
    const size = this.#handle.getSize();
    if (size !== this.size) {
      throw new SourceError("SOURCE_CHANGED", "The file changed its length while being read", {
        expected: this.size,
        actual: size,
      });
    }
  }
}

/** A synchronous handle as a sink: the file is written from the start and truncated after the last byte. */
export class SyncHandleSink implements Sink {
  /** A chunk is not read after its write. */
  readonly keepsChunks = false;
  readonly #handle: SyncHandle;
  readonly #end: SinkEnd | null;
  #written = 0;
  #open = true;

  /** Over `handle`, which is closed at the end if `end` is given, and otherwise stays the caller's. */
  constructor(handle: SyncHandle, end: SinkEnd | null = null) {
    this.#handle = handle;
    this.#end = end;
  }

  /** Write the whole chunk. */
  write(chunk: Uint8Array): void {
    for (let done = 0; done < chunk.length;) {
      const n = this.#told(() => this.#handle.write(chunk.subarray(done), { at: this.#written }));
      if (!(n > 0)) {
        const committed = this.#committed();
        throw new SaveError("WRITE_FAILED", `No byte was written after ${this.#written}`, { committed });
      }
      done += n;
      this.#written += n;
    }
  }

  /** Truncate, flush, and move the file to its final name. */
  async close(): Promise<void> {
    this.#told(() => this.#handle.truncate(this.#written));
    this.#told(() => this.#handle.flush());
    if (!this.#end) return;
    try {
      this.#shut();
      await this.#end.commit?.();
    } catch (error) {
      // The file gets its final name only once all of this has succeeded.
      throw sinkFailed(error);
    } finally {
      this.#end.over?.();
    }
  }

  /** Undo everything. */
  async abort(): Promise<void> {
    if (!this.#end) return;
    try {
      this.#shut();
      await this.#end.undo?.();
    } finally {
      this.#end.over?.();
    }
  }

  /** A temporary file is not in place yet; the caller's file is written in place. */
  #committed(): "no" | "unknown" {
    return this.#end || this.#written === 0 ? "no" : "unknown";
  }

  #told<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sinkFailed(error, this.#committed());
    }
  }

  #shut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handle.close();
  }
}
