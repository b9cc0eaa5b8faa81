/**
 * Holds a caller's source to its contract: whatever it does, it yields a plausible byte count or one of our errors.
 *
 * @module
 */
import { isPaddleError, SaveError, type SourceCode, SourceError } from "../../errors.ts";
import type { Source } from "../source.ts";
import { CoalescedSource } from "./coalesced_source.ts";
import { FileSource } from "./file_source.ts";
import { within } from "../waiting/within.ts";

class GuardedSource implements Source {
  readonly size: number;
  readonly name?: string;
  readonly costly?: boolean;
  declare readSync?: (offset: number, into: Uint8Array) => number;
  declare view?: (offset: number, length: number) => Uint8Array;
  declare readAll?: () => ReadableStream<Uint8Array>;
  declare streamRange?: Source["streamRange"];
  declare edit?: Source["edit"];
  declare verify?: () => Promise<void>;
  declare verifySync?: () => void;
  readonly #source: Source;
  readonly #signal: AbortSignal | undefined;
  #isClosed = false;

  constructor(source: Source, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
    // Each property may be a getter that throws.
    const { size, name, costly, readSync, view, readAll, streamRange, edit, verify, verifySync } = this.#try(() =>
      known(source)
    );
    this.size = size;
    this.name = typeof name === "string" ? name : undefined;
    this.costly = costly;
    if (!Number.isSafeInteger(size) || size < 0) {
      throw this.#failed("READ_FAILED", `The source claims to have ${String(size)} bytes`);
    }
    if (readSync) this.readSync = (offset, into) => this.#readSync(offset, into);
    if (view) this.view = (offset, length) => this.#view(offset, length);
    if (readAll) this.readAll = () => this.#streamOf(() => source.readAll!());
    if (streamRange) this.streamRange = (start, end) => this.#streamOf(() => source.streamRange!(start, end));
    if (edit) this.edit = (offset, bytes, options) => this.#edit(offset, bytes, options);
    if (verify) this.verify = () => this.#verify();
    if (verifySync) this.verifySync = () => this.#verifySync();
  }

  get version(): string | undefined {
    const version = this.#try(() => this.#source.version);
    return typeof version === "string" ? version : undefined;
  }

  async read(offset: number, into: Uint8Array, options?: { signal?: AbortSignal }): Promise<number> {
    let count: number;
    try {
      count = await this.#source.read(offset, into, options);
    } catch (cause) {
      if (options?.signal?.aborted) throw options.signal.reason;
      throw this.#wrapped(cause, offset);
    }
    return this.#checked(count, offset, into.length);
  }

  /** Close the source, once. Errors are ignored: what was read is valid in any case. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const closing = (async () => await this.#source.close?.())();
    await within(closing, Infinity, this.#signal).catch(() => {});
  }

  #readSync(offset: number, into: Uint8Array): number {
    return this.#checked(this.#try(() => this.#source.readSync!(offset, into), offset), offset, into.length);
  }

  #view(offset: number, length: number): Uint8Array {
    const bytes = this.#try(() => this.#source.view!(offset, length), offset);
    if (bytes instanceof Uint8Array && bytes.length === length) return bytes;
    throw this.#failed("READ_FAILED", `The source's view of ${length} bytes is something other`, { offset });
  }

  #streamOf(make: () => ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const stream = this.#try(make);
    if (stream instanceof ReadableStream && !stream.locked) return stream;
    throw this.#failed("READ_FAILED", "The source gives no stream that can be read");
  }

  /** Does not wait for a source that ignores the signal. */
  async #edit(offset: number, bytes: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<void> {
    const editing = (async () => await this.#source.edit!(offset, bytes, options))();
    try {
      await within(editing, Infinity, options.signal);
    } catch (cause) {
      if (options.signal?.aborted || isPaddleError(cause)) throw cause;
      throw new SaveError("WRITE_FAILED", "The source could not be changed", {
        offset,
        path: this.name,
        committed: "unknown",
        cause,
      });
    }
  }

  async #verify(): Promise<void> {
    try {
      await within((async () => await this.#source.verify!())(), Infinity, this.#signal);
    } catch (cause) {
      if (this.#signal?.aborted) throw this.#signal.reason;
      throw this.#changed(cause);
    }
  }

  #verifySync(): void {
    try {
      this.#source.verifySync!();
    } catch (cause) {
      throw this.#changed(cause);
    }
  }

  #changed(cause: unknown): unknown {
    if (this.#isClosed) return this.#wrapped(cause);
    return isPaddleError(cause) ? cause : this.#failed("SOURCE_CHANGED", "The source has changed", { cause });
  }

  #checked(count: number, offset: number, room: number): number {
    const isEarly = count === 0 && room > 0 && offset < this.size;
    if (Number.isInteger(count) && count >= 0 && count <= room && !isEarly) return count;
    if (isEarly) throw this.#failed("SHORT_READ", `The source ends at byte ${offset}, not ${this.size}`, { offset });
    throw this.#failed("READ_FAILED", `The source gave ${String(count)} bytes where there was room for ${room}`, {
      offset,
    });
  }

  #try<T>(work: () => T, offset?: number): T {
    try {
      return work();
    } catch (cause) {
      throw this.#wrapped(cause, offset);
    }
  }

  #wrapped(cause: unknown, offset?: number): unknown {
    // The caller that reads on is at fault, not the source.
    if (this.#isClosed) return new TypeError(`${JSON.stringify(this.name ?? "The source")} was closed`);
    return isPaddleError(cause) ? cause : this.#failed("READ_FAILED", "The source failed", { offset, cause });
  }

  #failed(code: SourceCode, message: string, fields: { offset?: number; cause?: unknown } = {}): SourceError {
    return new SourceError(code, message, { ...fields, path: this.name });
  }
}

function known({ size, name, costly, readSync, view, readAll, streamRange, edit, verify, verifySync }: Source) {
  return { size, name, costly, readSync, view, readAll, streamRange, edit, verify, verifySync };
}

/** Whether a caller's network source would get any number of reads at once. */
function isUnbounded(source: Source, { costly, readSync, view, edit }: GuardedSource): boolean {
  return costly === true && !readSync && !view && !edit && !(source instanceof CoalescedSource);
}

/** `source`, wrapped for one call: once `signal` aborts, its `close` is no longer waited for. */
export function guardedSource(source: Source, signal?: AbortSignal): Source {
  // A file at a path is no caller's, and needs to be known as one when it is changed.
  if (source instanceof GuardedSource || source instanceof FileSource) return source;
  try {
    const guarded = new GuardedSource(source, signal);
    return isUnbounded(source, guarded) ? new CoalescedSource(guarded) : guarded;
  } catch (error) {
    (async () => await source.close?.())().catch(() => {});
    throw error;
  }
}
