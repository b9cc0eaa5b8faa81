/**
 * Checks a response against the request: which bytes of which version its body holds (RULES.md HTTP-1 to HTTP-4, HTTP-9).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import type { HttpBody } from "./http_body.ts";
import type { HttpSettings } from "./http_options.ts";
import { type HttpPart, tooMuch } from "./http_part.ts";
import { markRetryable, RETRIED } from "./http_retries.ts";
import {
  fieldOf,
  isEncoded,
  isMultipart,
  lengthOf,
  parseContentRange,
  parseUnsatisfied,
  retryAfter,
  versionOf,
} from "./http_version.ts";
import type { KnownVersion } from "./known_version.ts";

/** The bytes `[start, end)`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Checks the responses about one file. */
export class PartChecker {
  readonly #shown: string;
  readonly #version: KnownVersion;
  readonly #onWarning: HttpSettings["onWarning"];
  /** The size of the file by a HEAD request, or null if that does not tell. */
  readonly #totalByHead: (signal?: AbortSignal) => Promise<number | null>;
  #warned = false;

  constructor(parts: {
    shown: string;
    version: KnownVersion;
    onWarning: HttpSettings["onWarning"];
    totalByHead: (signal?: AbortSignal) => Promise<number | null>;
  }) {
    this.#shown = parts.shown;
    this.#version = parts.version;
    this.#onWarning = parts.onWarning;
    this.#totalByHead = parts.totalByHead;
  }

  /** The response to a request for the whole file. */
  async whole(body: HttpBody, signal?: AbortSignal): Promise<HttpPart> {
    if (body.response.status !== 200) throw await this.#status(body, signal);
    return this.#wholePart(body);
  }

  #wholePart(body: HttpBody): HttpPart {
    const { headers, type } = body.response;
    const encoded = isEncoded(headers);
    const length = lengthOf(headers.get("content-length"));
    // A browser may hide from other origins that the body is encoded, in which case its length is meaningless, too.
    const total = encoded || type === "cors" || length === null ? undefined : length;
    this.#version.compare(versionOf(headers, total));
    return { body, shown: this.#shown, start: 0, end: total, whole: true, encoded };
  }

  /** The response to a request for a range. */
  async ranged(body: HttpBody, range: Range, signal?: AbortSignal): Promise<HttpPart> {
    const { response } = body, { status, headers, type } = response;
    if (status === 200) return this.#wholePart(body);
    if (status === 416) return await this.#unsatisfied(body, range, signal);
    if (status !== 206) throw await this.#status(body, signal);
    if (isEncoded(headers)) throw this.#encoded(headers.get("content-encoding"));
    const text = isMultipart(headers) ? null : fieldOf(headers, "content-range");
    if (text === null && !isMultipart(headers) && type === "cors") return await this.#hiddenRange(body, range, signal);
    const got = text === null ? null : parseContentRange(text);
    const known = this.#version.total;
    // A server may leave the total out of a range, but not out of the response to HEAD.
    const total = got?.total ?? known ?? (got && await this.#totalByHead(signal)) ?? undefined;
    if (got && total !== undefined && known !== undefined && total !== known) {
      this.#version.compare(versionOf(headers, total));
    }
    if (!got || total === undefined || got.start !== range.start || got.end > range.end || got.end > total) {
      throw new HttpError("HTTP_BAD_RANGE", `${this.#shown} does not answer with the requested range`, {
        path: this.#shown,
        status,
        expected: `bytes ${range.start}-${range.end - 1}`,
        actual: text ?? headers.get("content-type"),
      });
    }
    this.#version.compare(versionOf(headers, total));
    const part = this.#part(body, got.start, got.end);
    // Some runtimes never reach the end of such a body, others do not check it.
    if ((lengthOf(headers.get("content-length")) ?? 0) > got.end - got.start) throw tooMuch(part);
    return part;
  }

  /** Handles browsers hiding `Content-Range` of another origin that does not expose it (RULES.md HTTP-4). */
  async #hiddenRange(body: HttpBody, range: Range, signal?: AbortSignal): Promise<HttpPart> {
    const total = this.#version.total ?? await this.#totalByHead(signal);
    if (total === null) throw this.#hidden();
    if (!this.#warned) {
      this.#warned = true;
      const { code, message, hint } = this.#hidden();
      this.#onWarning?.({ code, message: `${message}: ${hint}` });
    }
    const { headers } = body.response;
    this.#version.compare(versionOf(headers, total));
    const end = Math.min(range.end, total), length = lengthOf(headers.get("content-length"));
    if (range.start >= end || (typeof length === "number" && length !== end - range.start)) {
      throw this.#hidden();
    }
    return this.#part(body, range.start, end);
  }

  async #unsatisfied(body: HttpBody, range: Range, signal?: AbortSignal): Promise<HttpPart> {
    const total = parseUnsatisfied(fieldOf(body.response.headers, "content-range")), { value } = this.#version;
    if (value && value.total === undefined && total === range.start) {
      // A download of unknown length broke off right after its last byte.
      this.#version.compare({ ...value, total });
      body.cancel();
      return this.#part(body, total, total);
    }
    if (value) {
      const fields = { expected: value.total, actual: total ?? undefined };
      throw this.#version.changed("the file is shorter than before", fields);
    }
    if (total !== 0 || range.start !== 0) throw await this.#status(body, signal);
    // An empty file has no valid range.
    this.#version.compare(versionOf(body.response.headers, 0));
    body.cancel();
    return this.#part(body, 0, 0);
  }

  #part(body: HttpBody, start: number, end: number): HttpPart {
    return { body, shown: this.#shown, start, end, whole: false, encoded: false };
  }

  // ---- errors

  #encoded(coding: string | null): HttpError {
    return new HttpError("HTTP_ENCODED", `${this.#shown} answers a range with ${coding} bytes`, {
      path: this.#shown,
      actual: coding,
      hint: "the server or a proxy must not compress this file",
    });
  }

  #hidden(): HttpError {
    return new HttpError(
      "HTTP_BAD_RANGE",
      `${this.#shown} does not expose to other origins which bytes it sends and whether the file changed`,
      { path: this.#shown, hint: "the server must send Access-Control-Expose-Headers: Content-Range, ETag" },
    );
  }

  async #status(body: HttpBody, signal: AbortSignal | undefined): Promise<HttpError> {
    const { status, statusText, headers } = body.response, code = await codeIn(body, signal);
    const answer = `${status} ${statusText}`.trim() + (code && ` (${code})`);
    const error = new HttpError("HTTP_STATUS", `${this.#shown}: the server answered ${answer}`, {
      path: this.#shown,
      status,
    });
    if (RETRIED.has(status)) markRetryable(error, retryAfter(headers, Date.now()));
    return error;
  }
}

/** Maximum characters of an error response that are searched for a code. */
const MAX_REASON = 4096;

/** The code in an S3 error, which says more than the status: a link may have expired, or the clock may be wrong. Empty if there is none. */
async function codeIn(body: HttpBody, signal: AbortSignal | undefined): Promise<string> {
  if (!/\bxml\b/i.test(body.response.headers.get("content-type") ?? "")) return "";
  let text = "";
  try {
    for (let chunk; text.length < MAX_REASON && (chunk = await body.next(signal)) !== null;) {
      text += new TextDecoder().decode(chunk.subarray(0, MAX_REASON));
    }
  } catch {
    // The status remains.
  }
  return /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1] ?? "";
}
