/** If-Match, If-None-Match and If-Range (RFC 9110, section 13). There is no Last-Modified here, so conditions on dates never hold. */
import { isStronglyEqual, isWeaklyEqual, tagsOf } from "./entity_tag.ts";

/** The status to answer with instead of 200 or 206; null if the preconditions hold. `etag` is null if there is none. */
export function failedPrecondition(headers: Headers, etag: string | null): 304 | 412 | null {
  const match = headers.get("if-match"), noneMatch = headers.get("if-none-match");
  if (match !== null && !holds(match, etag, isStronglyEqual)) return 412;
  if (noneMatch !== null && holds(noneMatch, etag, isWeaklyEqual)) return 304;
  return null;
}

/** Whether to honor the Range header: if there is no If-Range, or if it names exactly this version. */
export function rangeCounts(headers: Headers, etag: string | null): boolean {
  const condition = headers.get("if-range");
  return condition === null || (etag !== null && isStronglyEqual(condition.trim(), etag));
}

function holds(header: string, etag: string | null, equal: (one: string, other: string) => boolean): boolean {
  const tags = tagsOf(header);
  return tags === null || (etag !== null && tags.some((tag) => equal(tag, etag)));
}
