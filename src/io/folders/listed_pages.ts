/**
 * Listings that come page by page.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";

/**
 * The cursor of the next page, after the page at cursor `at`.
 *
 * @throws {SourceError} `READ_FAILED` if the next page is the same page, and so would be every later one
 */
export function nextPage(at: string | undefined, next: string | undefined, prefix: string): string | undefined {
  if (next === undefined || next !== at) return next;
  throw new SourceError("READ_FAILED", "The bucket returns the same page of its listing again and again", {
    path: prefix,
  });
}
