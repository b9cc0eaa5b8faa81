/**
 * Paginated listings of buckets.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";

/** Whether a listed name can be a file's: the consoles of buckets create empty objects that stand for folders. */
export function isFileName(name: string): boolean {
  return name !== "" && !name.endsWith("/");
}

/**
 * `next`, the cursor of the page after the one at `at`, once checked; undefined if there is none.
 *
 * @throws {SourceError} `READ_FAILED` if both are the same: the listing would never end; or if there is another page without a cursor
 */
export function nextPage(
  at: string | undefined,
  next: string | undefined,
  isTruncated: boolean,
  path: string,
): string | undefined {
  if (!isTruncated) return undefined;
  if (next === undefined) {
    throw new SourceError("READ_FAILED", "The bucket has more names, but does not say where they begin", { path });
  }
  if (next !== at) return next;
  throw new SourceError("READ_FAILED", "The bucket returns the same page of its listing again and again", { path });
}
