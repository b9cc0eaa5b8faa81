/** If-Match, If-None-Match and If-Range (RFC 9110, section 13). There is no Last-Modified here: what asks for dates is never true. */
import { isStronglyEqual, isWeaklyEqual, tagsOf } from "./entity_tag.ts";

/** The status that the request's conditions lead to, in place of 200 or 206; null where they hold. `etag` is null where there is none. */
export function failedPrecondition(headers: Headers, etag: string | null): 304 | 412 | null {
  const match = headers.get("if-match"), noneMatch = headers.get("if-none-match");
  if (match !== null && !holds(match, etag, isStronglyEqual)) return 412;
  if (noneMatch !== null && holds(noneMatch, etag, isWeaklyEqual)) return 304;
  return null;
}

/** Whether the Range header counts: without If-Range, or where that names exactly this version. */
export function rangeCounts(headers: Headers, etag: string | null): boolean {
  const condition = headers.get("if-range");
  return condition === null || (etag !== null && isStronglyEqual(condition.trim(), etag));
}

function holds(header: string, etag: string | null, equal: (one: string, other: string) => boolean): boolean {
  const tags = tagsOf(header);
  return tags === null || (etag !== null && tags.some((tag) => equal(tag, etag)));
}
