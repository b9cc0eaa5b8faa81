/**
 * A browser file handle as a source.
 *
 * @module
 */
import { takeHandleTurn } from "../waiting/handle_turns.ts";
import type { FileHandle, WritableFile } from "../file_handle.ts";
import { PaddleError, PathError, SaveError, SourceError } from "../../errors.ts";
import { BlobSource } from "./blob_source.ts";
import { sinkFailed } from "../sinks/sink_failed.ts";
import type { Source } from "../source.ts";
import { sleep } from "../waiting/within.ts";

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
      await stream.write({ type: "write", position: offset, data: bytes as Uint8Array<ArrayBuffer> });
    } catch (error) {
      await stream.abort(error).catch(() => {});
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

function editError(cause: unknown, path: string): SaveError {
  const isFull = cause instanceof DOMException && cause.name === "QuotaExceededError";
  return new SaveError(isFull ? "DISK_FULL" : "WRITE_FAILED", `Cannot change ${JSON.stringify(path)}`, {
    path,
    committed: "no",
    cause,
  });
}

/** Milliseconds to wait for another writer of the same file. */
const PATIENCE = 2000;

/**
 * Open a writable stream with exclusive access to the file, where the browser supports that; elsewhere the last writer to close wins.
 *
 * @throws {SaveError} `CONFLICT`: another writer has it open; `READ_ONLY`
 */
export async function writableOf(
  handle: FileHandle,
  { keepExistingData = false, signal }: { keepExistingData?: boolean; signal?: AbortSignal } = {},
): Promise<WritableFile> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await handle.createWritable({ keepExistingData, mode: "exclusive" });
    } catch (error) {
      const isTaken = error instanceof DOMException && error.name === "NoModificationAllowedError";
      if (!isTaken || performance.now() > end) throw writeError(error, handle.name);
    }
    await sleep(25, signal);
  }
}

/** The error to throw for what a handle rejects with when it is opened for writing. */
export function writeError(cause: unknown, path: string): unknown {
  const error = handleError(cause, path);
  if (error instanceof SourceError) {
    return new SaveError(error.code === "PERMISSION" ? "READ_ONLY" : "WRITE_FAILED", error.message, {
      path,
      committed: "no",
      cause,
    });
  }
  return error instanceof PaddleError ? error : sinkFailed(cause);
}

/** The error to throw for what a handle rejects with. */
export function handleError(cause: unknown, path: string): unknown {
  if (cause instanceof PaddleError || !(cause instanceof DOMException)) return cause;
  const shown = JSON.stringify(path);
  switch (cause.name) {
    case "NotFoundError":
      return new SourceError("NOT_FOUND", `There is no file ${shown}`, { path, cause });
    case "TypeMismatchError":
      return new PathError("NOT_A_FILE", `${shown} is a directory, or its path leads through a file`, { path });
    case "NotAllowedError":
    case "SecurityError":
      return new SourceError("PERMISSION", `This page has no permission to use ${shown}`, { path, cause });
    case "QuotaExceededError":
      return new SaveError("DISK_FULL", `There is no room for ${shown}`, { path, committed: "no", cause });
    case "NoModificationAllowedError":
    case "InvalidStateError":
      return new SaveError("CONFLICT", `${shown} is in use`, { path, committed: "no", cause });
    default:
      return new SourceError("READ_FAILED", `Cannot use ${shown}: ${cause.message}`, { path, cause });
  }
}
