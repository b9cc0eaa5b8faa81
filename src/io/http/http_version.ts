/**
 * Which version of a file a server's answers speak of (RULES.md HTTP-3), and what their headers say about bytes.
 *
 * @module
 */

/** What an answer says about the file's version. */
export interface HttpVersion {
  /** The `ETag`, weak ones with their `W/`. */
  readonly etag: string | null;
  /** `Last-Modified`. */
  readonly lastModified: string | null;
  /** Bytes of the whole file. */
  readonly total: number | undefined;
}

/** A parsed `Content-Range: bytes a-b/total`. */
export interface ContentRange {
  /** First byte. */
  readonly start: number;
  /** Byte behind the last one. */
  readonly end: number;
  /** Bytes of the whole; undefined for `*`. */
  readonly total: number | undefined;
}

/** The version of an answer whose file has `total` bytes. */
export function versionOf(headers: Headers, total: number | undefined): HttpVersion {
  return { etag: headers.get("etag"), lastModified: headers.get("last-modified"), total };
}

/** The ETag if it may stand in `If-Range`: weak ones may not (RFC 9110, 13.1.5). */
export function strongEtag(version: HttpVersion | null): string | null {
  const etag = version?.etag ?? null;
  return etag !== null && etag.startsWith('"') ? etag : null;
}

/**
 * What tells `later` from `first`; null where they may be the same version. An ETag that was there and is no more may be another's: every
 * answer with bytes has to have it (RFC 9110, 15.3.7).
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

/** A whole number of a header; undefined where there is none, null where it is nonsense. */
export function lengthOf(text: string | null): number | undefined | null {
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** `bytes a-b/total` or `bytes a-b/*`; null for anything else, several ones in one header included. */
export function parseContentRange(text: string): ContentRange | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(text);
  if (!match) return null;
  const start = Number(match[1]), end = Number(match[2]) + 1;
  const total = match[3] === "*" ? undefined : Number(match[3]);
  return start < end && (total === undefined || end <= total) ? { start, end, total } : null;
}

/** The N of `bytes *`+`/N`, which comes with 416. */
export function parseUnsatisfied(text: string | null): number | null {
  const match = text === null ? null : /^bytes \*\/(\d{1,15})$/.exec(text);
  return match ? Number(match[1]) : null;
}

/** Whether the body is something else than the file's bytes. */
export function isEncoded(headers: Headers): boolean {
  const coding = headers.get("content-encoding");
  return coding !== null && coding !== "" && coding.toLowerCase() !== "identity";
}

/** Whether the body has ranges with heads of their own between them, which nobody asked for. */
export function isMultipart(headers: Headers): boolean {
  return (headers.get("content-type") ?? "").toLowerCase().startsWith("multipart/");
}

/** Milliseconds that `Retry-After` asks for; null where it says nothing. */
export function retryAfter(headers: Headers, now: number): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
