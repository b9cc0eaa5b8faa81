/**
 * A browser file handle as a source.
 *
 * @module
 */
import { takeHandleTurn } from "../waiting/handle_turns.ts";
import type { FileHandle } from "../file_handle.ts";
import { isPaddleError, type PaddleError, SaveError } from "../../errors.ts";
import { BlobSource } from "./blob_source.ts";
import type { Source } from "../source.ts";
import { handleError, writableOf } from "../writable_handle.ts";

/** Maximum bytes of a single write: browsers take no more than 2 GiB, and an abort takes effect between two. */
const LONGEST = 16 * 2 ** 20;

/** A file handle: reads the file as it was when it was opened. */
export class HandleSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly #handle: FileHandle;
  #file: BlobSource;
  #closed = false;

  private constructor(handle: FileHandle, file: File, name: string) {
    this.#handle = handle;
    this.#file = new BlobSource(file, name);
    this.size = file.size;
    this.name = name;
  }

  /**
   * Open the file behind `handle`.
   *
   * @throws {SourceError} `NOT_FOUND`, `PERMISSION`, `READ_FAILED`
   */
  static async open(handle: FileHandle, name: string = handle.name): Promise<HandleSource> {
    try {
      return new HandleSource(handle, await handle.getFile(), name);
    } catch (error) {
      throw handleError(error, name);
    }
  }

  /** Read a slice. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    if (this.#closed) throw new TypeError(`${JSON.stringify(this.name)} was closed`);
    return await this.#file.read(offset, into);
  }

  /** Replace bytes in place: the browser writes to a copy of the file and swaps it in once it is complete. */
  async edit(offset: number, bytes: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const leave = await takeHandleTurn({ handle: this.#handle }, signal);
    try {
      await this.#edit(offset, bytes, signal);
    } finally {
      leave();
    }
  }

  async #edit(offset: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const stream = await writableOf(this.#handle, { keepExistingData: true, signal });
    try {
      // What others wrote meanwhile must not be mixed with what is written now.
      await this.#file.check();
      for (let at = 0; at < bytes.length; at += LONGEST) {
        signal?.throwIfAborted();
        const data = bytes.subarray(at, at + LONGEST) as Uint8Array<ArrayBuffer>;
        await stream.write({ type: "write", position: offset + at, data });
      }
    } catch (error) {
      await stream.abort(error).catch(() => {});
      if (signal?.aborted) throw signal.reason;
      throw editError(error, this.name);
    }
    try {
      await stream.close();
    } catch (error) {
      throw editError(error, this.name);
    }
    // The file that was opened is gone: the handle now leads to the new one.
    try {
      this.#file = new BlobSource(await this.#handle.getFile(), this.name);
    } catch {
      // The bytes are written. The next read reports that the file changed.
    }
  }

  /** There is nothing to release; later reads fail. */
  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

function editError(cause: unknown, path: string): PaddleError {
  if (isPaddleError(cause)) return cause;
  const isFull = cause instanceof DOMException && cause.name === "QuotaExceededError";
  return new SaveError(isFull ? "DISK_FULL" : "WRITE_FAILED", `Cannot change ${JSON.stringify(path)}`, {
    path,
    committed: "no",
    cause,
  });
}
