/**
 * What a server's responses say about the version of a file (RULES.md HTTP-3), and about its bytes.
 *
 * @module
 */

/** What a response says about the version of the file. */
export interface HttpVersion {
  /** The `ETag`, including the `W/` of a weak one. */
  readonly etag: string | null;
  /** `Last-Modified`. */
  readonly lastModified: string | null;
  /** Size of the whole file, in bytes. */
  readonly total: number | undefined;
}

/** A parsed `Content-Range: bytes a-b/total`. */
export interface ContentRange {
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset past the last byte. */
  readonly end: number;
  /** Size of the whole file in bytes; undefined for `*`. */
  readonly total: number | undefined;
}

/** The version in a response about a file of `total` bytes. */
export function versionOf(headers: Headers, total: number | undefined): HttpVersion {
  return { etag: fieldOf(headers, "etag"), lastModified: fieldOf(headers, "last-modified"), total };
}

/** A header, or null: Node leaves white space around it. */
export function fieldOf(headers: Headers, name: string): string | null {
  return headers.get(name)?.trim() ?? null;
}

/** The ETag, if it may be used in `If-Range`: weak ones may not (RFC 9110, 13.1.5), nor what several headers were joined into. */
export function strongEtag(version: HttpVersion | null): string | null {
  const etag = version?.etag ?? null;
  return etag !== null && /^"[^"]*"$/.test(etag) ? etag : null;
}

/**
 * How `later` differs from `first`; null if they may be the same version. A missing ETag counts as a difference if there was one before:
 * every response with bytes must have it (RFC 9110, 15.3.7).
 */
export function differenceOf(first: HttpVersion, later: HttpVersion): { expected: unknown; actual: unknown } | null {
  if (first.total !== undefined && later.total !== undefined && first.total !== later.total) {
    return { expected: first.total, actual: later.total };
  }
  if (first.etag !== null) {
    return first.etag === later.etag ? null : { expected: first.etag, actual: later.etag };
  }
  if (first.lastModified !== null && later.lastModified !== null && first.lastModified !== later.lastModified) {
    return { expected: first.lastModified, actual: later.lastModified };
  }
  return null;
}

/** The integer in a header; undefined if there is no header, null if it is invalid. */
export function lengthOf(text: string | null): number | undefined | null {
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Parses `bytes a-b/total` or `bytes a-b/*`; null for anything else, including several values in one header. */
export function parseContentRange(text: string): ContentRange | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(text);
  if (!match) return null;
  const start = Number(match[1]), end = Number(match[2]) + 1;
  const total = match[3] === "*" ? undefined : Number(match[3]);
  return start < end && (total === undefined || end <= total) ? { start, end, total } : null;
}

/** The N of `bytes *`+`/N`, which comes with status 416. */
export function parseUnsatisfied(text: string | null): number | null {
  const match = text === null ? null : /^bytes \*\/(\d{1,15})$/i.exec(text);
  return match ? Number(match[1]) : null;
}

/** Whether the body is encoded, and so not the file's own bytes. */
export function isEncoded(headers: Headers): boolean {
  const coding = fieldOf(headers, "content-encoding");
  return coding !== null && coding !== "" && coding.toLowerCase() !== "identity";
}

/** Whether the body is multipart: ranges with headers between them, which were not requested. */
export function isMultipart(headers: Headers): boolean {
  return (headers.get("content-type") ?? "").toLowerCase().startsWith("multipart/");
}

/** The delay that `Retry-After` requests, in milliseconds; null if there is none. */
export function retryAfter(headers: Headers, now: number): number | null {
  const text = fieldOf(headers, "retry-after");
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
