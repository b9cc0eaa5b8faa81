/**
 * Writing to browser file handles, and what their errors mean.
 *
 * @module
 */
import { PaddleError, PathError, SaveError, SourceError } from "../errors.ts";
import type { FileHandle, WritableFile } from "./file_handle.ts";
import { sinkFailed } from "./sink_failed.ts";
import { sleep, within } from "./waiting/within.ts";

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
    // Waits for as long as the user is asked for permission.
    const opening = (async () => await handle.createWritable({ keepExistingData, mode: "exclusive" }))();
    try {
      return await within(opening, Infinity, signal);
    } catch (error) {
      if (signal?.aborted) {
        opening.then((late) => late.abort()).catch(() => {});
        throw signal.reason;
      }
      const isTaken = error instanceof DOMException && error.name === "NoModificationAllowedError";
      if (!isTaken || performance.now() > end) throw writeError(error, handle.name);
    }
    await sleep(25, signal);
  }
}

/** The error to throw for a handle's rejection on opening it for writing. */
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

/** The error to throw for a handle's rejection. */
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
