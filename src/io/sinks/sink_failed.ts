/**
 * What the failure of a sink becomes that is not ours.
 *
 * @module
 */
import { SaveError } from "../../errors.ts";
import { toldBy } from "../told_by.ts";

/** The error of a sink that is not ours. */
export function sinkFailed(cause: unknown, committed: "no" | "unknown" = "no"): SaveError {
  return new SaveError(
    isFull(cause) ? "DISK_FULL" : "SINK_FAILED",
    `The sink failed: ${toldBy(cause)}`,
    { committed, cause },
  );
}

/** That of one that had all bytes: what it made of them only it knows, unless it had no room for them. */
export function closeFailed(cause: unknown): SaveError {
  return sinkFailed(cause, isFull(cause) ? "no" : "unknown");
}

function isFull(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "QuotaExceededError";
}
