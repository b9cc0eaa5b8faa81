/**
 * What the failure of a sink becomes that is not ours.
 *
 * @module
 */
import { SaveError } from "../errors.ts";
import { toldBy } from "./told_by.ts";

/** The error of a sink that is not ours. */
export function sinkFailed(cause: unknown): SaveError {
  const isFull = cause instanceof Error && cause.name === "QuotaExceededError";
  return new SaveError(
    isFull ? "DISK_FULL" : "SINK_FAILED",
    `The sink failed: ${toldBy(cause)}`,
    { committed: "no", cause },
  );
}
