/**
 * Turns failures of a caller's sink into SaveErrors.
 *
 * @module
 */
import { SaveError } from "../errors.ts";
import { messageOf } from "./message_of.ts";

/** The error for a failed sink. */
export function sinkFailed(cause: unknown, committed: "no" | "unknown" = "no"): SaveError {
  return new SaveError(
    isFull(cause) ? "DISK_FULL" : "SINK_FAILED",
    `The sink failed: ${messageOf(cause)}`,
    { committed, cause },
  );
}

/** The error for a sink that failed to close: only it knows what became of the bytes, unless there was no room for them. */
export function closeFailed(cause: unknown): SaveError {
  return sinkFailed(cause, isFull(cause) ? "no" : "unknown");
}

function isFull(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "QuotaExceededError";
}
