/**
 * The synchronous file handles that workers of a browser have: the fastest way to files of the origin, also read at once.
 *
 * @module
 */
import { SaveError, SourceError } from "../errors.ts";
import type { Sink } from "./sink.ts";
import { sinkFailed } from "./sinks/sink_failed.ts";
import type { Source } from "./source.ts";
import type { SinkEnd } from "./sinks/stream_sink.ts";

/** A `FileSystemSyncAccessHandle`. */
export interface SyncHandle {
  /** Read from `at` on; how many bytes were read. */
  read(into: Uint8Array, options?: { at?: number }): number;
  /** Write from `at` on; how many bytes were written. */
  write(bytes: Uint8Array, options?: { at?: number }): number;
  /** Bytes that the file has. */
  getSize(): number;
  /** Cut or lengthen the file. */
  truncate(size: number): void;
  /** Write what is held back. */
  flush(): void;
  /** Let go of the file. */
  close(): void;
}

/** Whether `x` is a synchronous handle. */
export function isSyncHandle(x: object): x is SyncHandle {
  return "getSize" in x && typeof x.getSize === "function" && "flush" in x && "read" in x;
}

/** A synchronous handle as a source. The caller's handle stays open. */
export class SyncHandleSource implements Source {
  readonly size: number;
  readonly #handle: SyncHandle;

  /** Over `handle`. */
  constructor(handle: SyncHandle) {
    this.#handle = handle;
    this.size = handle.getSize();
  }

  /** Read from `offset` on. */
  // deno-lint-ignore require-await
  async read(offset: number, into: Uint8Array): Promise<number> {
    return this.readSync(offset, into);
  }

  /** Read from `offset` on, at once. */
  readSync(offset: number, into: Uint8Array): number {
    try {
      return this.#handle.read(into, { at: offset });
    } catch (cause) {
      throw new SourceError("READ_FAILED", `The file handle failed at byte ${offset}`, { offset, cause });
    }
  }

  /** `SOURCE_CHANGED` where the file has another length than when it was opened. */
  // deno-lint-ignore require-await
  async verify(): Promise<void> {
    const size = this.#handle.getSize();
    if (size !== this.size) {
      throw new SourceError("SOURCE_CHANGED", "The file changed its length while it was read", {
        expected: this.size,
        actual: size,
      });
    }
  }
}

/** A synchronous handle as a sink: the file is written from its beginning, and cut behind the last byte. */
export class SyncHandleSink implements Sink {
  /** Each chunk is done with when it was written. */
  readonly keepsChunks = false;
  readonly #handle: SyncHandle;
  readonly #end: SinkEnd | null;
  #written = 0;
  #open = true;

  /** Over `handle`, which is closed at the end if there is an `end`, and stays the caller's otherwise. */
  constructor(handle: SyncHandle, end: SinkEnd | null = null) {
    this.#handle = handle;
    this.#end = end;
  }

  /** Write the chunk whole. */
  write(chunk: Uint8Array): void {
    for (let done = 0; done < chunk.length;) {
      const n = this.#told(() => this.#handle.write(chunk.subarray(done), { at: this.#written }));
      if (!(n > 0)) {
        const committed = this.#committed();
        throw new SaveError("WRITE_FAILED", `No byte was taken after ${this.#written}`, { committed });
      }
      done += n;
      this.#written += n;
    }
  }

  /** Cut, flush, and give the file its name. */
  async close(): Promise<void> {
    this.#told(() => this.#handle.truncate(this.#written));
    this.#told(() => this.#handle.flush());
    if (!this.#end) return;
    try {
      this.#shut();
      await this.#end.commit?.();
    } catch (error) {
      // Its bytes have their name when this went well, and not before.
      throw sinkFailed(error);
    }
  }

  /** Take everything back. */
  async abort(): Promise<void> {
    if (!this.#end) return;
    this.#shut();
    await this.#end.undo?.();
  }

  /** A file of its own has no name yet; the caller's is written in place. */
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
