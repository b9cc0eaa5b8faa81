/**
 * One version of a file on a server: its bytes as they arrive, however single requests turn out (RULES.md HTTP-2 to HTTP-11).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import type { HttpBody } from "./http_body.ts";
import { type HttpSettings, shownUrl } from "./http_options.ts";
import { httpRequest } from "./http_request.ts";
import { markRetryable, RETRIED, Retries } from "./http_retries.ts";
import {
  differenceOf,
  type HttpVersion,
  isEncoded,
  isMultipart,
  lengthOf,
  parseContentRange,
  parseUnsatisfied,
  retryAfter,
  strongEtag,
  versionOf,
} from "./http_version.ts";
import { Slots } from "../waiting/slots.ts";
import { within } from "../waiting/within.ts";

/** A response that was checked: its body holds the bytes `[start, end)`. */
export interface HttpPart {
  readonly body: HttpBody;
  readonly start: number;
  /** Undefined if the server does not announce the length. */
  readonly end: number | undefined;
  /** Whether the body is the whole file, requested or not. */
  readonly whole: boolean;
  /** Whether the body is decoded in transit: then its announced length is meaningless. */
  readonly encoded: boolean;
}

const ADDS_NO_IDENTITY = "Bun" in globalThis ||
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers";
/** A response shorter than this, in bytes, counts as a failure, unless it completes the range. */
const FAIR_PART = 65_536;
/** Bytes requested if the size is unknown: more than any file has. */
const UNKNOWN = 2 ** 40;

/** A file on a server. */
export class HttpFile {
  /** The URL for messages. */
  readonly shown: string;
  /** The version, fixed by the first response. */
  version: HttpVersion | null = null;
  /** The whole file, if the server does not support ranges. */
  whole: Uint8Array | null = null;
  readonly #settings: HttpSettings;
  readonly #slots: Slots;
  readonly #url: URL;
  #lastUrl: URL | null = null;
  #failure: HttpError | null = null;
  #adoption: Promise<Uint8Array> | null = null;
  #warned = false;
  /** Whether a browser treats the server as another origin. */
  #isCrossOrigin = false;
  /** Whether requests may have If-Range. */
  #mayConditional = true;
  /** Ends work that is shared between callers. */
  readonly #closing = new AbortController();

  /** The file at `url`. */
  constructor(url: URL, settings: HttpSettings) {
    this.#url = url;
    this.#settings = settings;
    this.#slots = new Slots(settings.concurrency);
    this.shown = shownUrl(url);
  }

  /** Maximum number of concurrent requests. */
  get concurrency(): number {
    return this.#settings.concurrency;
  }

  /** Throws if the file has changed: then nothing more is returned, not even what is in memory. */
  verify(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Abort everything in progress. */
  close(): void {
    this.#closing.abort(new TypeError(`${this.shown} was closed`));
  }

  /**
   * Request `[start, end)`, or the whole file if there is no range; retried where that may help. The first response fixes the version. If
   * the server does not know the size, `end` may lie past the end of the file.
   */
  async ask(
    range: { start: number; end: number } | null,
    signal?: AbortSignal,
    retries = this.retries(),
  ): Promise<HttpPart> {
    for (;;) {
      try {
        return await this.#askOnce(range, signal);
      } catch (error) {
        await retries.wait(error, signal);
      }
    }
  }

  /** The bytes `[start, end)` as they arrive, each chunk valid until the next one; `first` is a response that was already requested. */
  async *bytes(start: number, end: number, signal?: AbortSignal, first?: HttpPart): AsyncGenerator<Uint8Array> {
    const retries = this.retries();
    let at = start, given = first, release = () => {};
    try {
      release = await this.#slots.take(signal);
      while (at < end || given) {
        if (this.whole) {
          yield this.whole.subarray(at, end);
          return;
        }
        const part = given ?? await this.ask({ start: at, end }, signal, retries);
        given = undefined;
        if (part.whole) {
          yield (await this.adopt(part, signal)).subarray(at, end);
          return;
        }
        try {
          const before = at;
          for (let chunk; (chunk = await part.body.nextBrief(signal)) !== null;) {
            if (at + chunk.length > part.end!) throw this.#tooMuch(part);
            at += chunk.length;
            retries.progress(chunk.length);
            yield chunk;
          }
          if (at < part.end!) throw this.#truncated(part, at);
          if (at < end && at - before < FAIR_PART) retries.count(this.#truncated(part, at));
        } catch (error) {
          await retries.wait(this.#cut(error, part, at), signal);
        } finally {
          part.body.cancel();
        }
      }
    } finally {
      given?.body.cancel();
      release();
    }
  }

  /** The whole file as one download, as it arrives. An interrupted download is resumed, if the server supports ranges. */
  async *download(part: HttpPart, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const retries = this.retries(), goesOn = this.#goesOn(part);
    let at = 0, release = () => {};
    try {
      release = await this.#slots.take(signal);
      for (;;) {
        const before = at;
        let failure: unknown = null;
        try {
          for (let chunk; (chunk = await part.body.next(signal)) !== null;) {
            if (part.end !== undefined && at + chunk.length > part.end) throw this.#tooMuch(part);
            at += chunk.length;
            retries.progress(chunk.length);
            yield chunk;
          }
          if (part.end !== undefined && at < part.end) throw this.#truncated(part, at);
          if (part.whole || at === this.version!.total) return;
          // A server may send less than was requested, but not forever.
          if (at - before < FAIR_PART) retries.count(this.#truncated(part, at));
        } catch (error) {
          failure = this.#cut(error, part, at);
          if (at > 0 && !goesOn) throw failure;
          await retries.wait(failure, signal);
        }
        part.body.cancel();
        const range = at === 0 ? null : { start: at, end: this.version!.total ?? at + UNKNOWN };
        part = await this.ask(range, signal, retries);
        // A server without ranges would start over, but bytes that were passed on cannot be taken back.
        if (at > 0 && part.whole) throw failure ?? this.#truncated(part, at);
      }
    } finally {
      part.body.cancel();
      release();
    }
  }

  /**
   * Whether an interrupted download can be resumed: its bytes must have known offsets in the file, and the
   * rest must be of the same version.
   */
  #goesOn({ end, encoded, body }: HttpPart): boolean {
    if (encoded) return false;
    // If the length is hidden or unknown, only the validator ties the two parts together.
    return end !== undefined || body.response.type !== "cors" && strongEtag(this.version) !== null;
  }

  /** Read the whole file into memory, once, because the server sends all of it for any request (RULES.md HTTP-2). */
  async adopt(part: HttpPart, signal?: AbortSignal): Promise<Uint8Array> {
    if (this.#adoption) part.body.cancel();
    else {
      this.#adoption = this.#readWhole(part).then((bytes) => this.whole = bytes);
      this.#adoption.catch(() => this.#adoption = null);
    }
    return await within(this.#adoption, Infinity, signal);
  }

  /** A failure counter for one range. */
  retries(): Retries {
    return new Retries(this.#settings, this.shown);
  }

  // ---- one request

  async #askOnce(
    range: { start: number; end: number } | null,
    signal?: AbortSignal,
    { plain = false } = {},
  ): Promise<HttpPart> {
    if (this.#failure) throw this.#failure;
    this.#closing.signal.throwIfAborted();
    const headers: [string, string][] = [];
    // With a range most runtimes ask for identity encoding by themselves; a second header would invalidate a signature.
    if (!plain && (!range || ADDS_NO_IDENTITY)) headers.push(["accept-encoding", "identity"]);
    if (range) {
      headers.push(["range", `bytes=${range.start}-${range.end - 1}`]);
      const etag = strongEtag(this.version);
      if (etag !== null && this.#mayConditional) headers.push(["if-range", etag]);
    }
    let body: HttpBody;
    try {
      body = await this.#send(headers, signal);
    } catch (error) {
      if (!this.#failsByPreflight(error, headers)) throw error;
      this.#mayConditional = false;
      return await this.#askOnce(range, signal, { plain });
    }
    if (body.response.type === "cors") this.#isCrossOrigin = true;
    try {
      const part = range ? await this.#ranged(body, range, signal) : this.#unranged(body);
      if (part.encoded && !plain) {
        // Without the request for identity encoding every runtime decodes by itself; with it, some do not.
        body.cancel();
        return await this.#askOnce(null, signal, { plain: true });
      }
      return part;
    } catch (error) {
      body.cancel();
      throw error;
    }
  }

  /**
   * Whether a request may have failed because of its If-Range alone: for another origin it makes browsers send a preflight request first,
   * which many servers do not answer. The ETag of every response is compared anyway.
   */
  #failsByPreflight(error: unknown, headers: readonly [string, string][]): boolean {
    return this.#isCrossOrigin && error instanceof HttpError && error.code === "HTTP_NETWORK" &&
      headers.some(([name]) => name === "if-range");
  }

  async #send(headers: [string, string][], signal?: AbortSignal, method?: string): Promise<HttpBody> {
    const call = { origin: this.#url.origin, headers, settings: this.#settings, signal, method };
    if (this.#lastUrl) {
      const { body } = await httpRequest(this.#lastUrl, call);
      if (![400, 401, 403, 404, 410].includes(body.response.status)) return body;
      // The redirect's target is gone: start again from the original URL.
      body.cancel();
      this.#lastUrl = null;
    }
    const { body, lasting } = await httpRequest(this.#url, call);
    if (lasting && body.response.ok && body.url.href !== this.#url.href) this.#lastUrl = body.url;
    return body;
  }

  #unranged(body: HttpBody): HttpPart {
    const { response } = body;
    if (response.status !== 200) throw this.#status(response);
    return this.#wholePart(body);
  }

  #wholePart(body: HttpBody): HttpPart {
    const { headers, type } = body.response;
    const encoded = isEncoded(headers);
    const length = lengthOf(headers.get("content-length"));
    // A browser may hide from other origins that the body is encoded, in which case its length is meaningless, too.
    const total = encoded || type === "cors" || length === null ? undefined : length;
    this.#sameVersion(versionOf(headers, total));
    return { body, start: 0, end: total, whole: true, encoded };
  }

  async #ranged(body: HttpBody, range: { start: number; end: number }, signal?: AbortSignal): Promise<HttpPart> {
    const { response } = body, { status, headers, type } = response;
    if (status === 200) return this.#wholePart(body);
    if (status === 416) return this.#unsatisfied(body, range);
    if (status !== 206) throw this.#status(response);
    if (isEncoded(headers)) {
      throw new HttpError(
        "HTTP_ENCODED",
        `${this.shown} answers a range with ${headers.get("content-encoding")} bytes`,
        {
          path: this.shown,
          actual: headers.get("content-encoding"),
          hint: "the server or a proxy must not compress this file",
        },
      );
    }
    const text = isMultipart(headers) ? null : headers.get("content-range");
    if (text === null && !isMultipart(headers) && type === "cors") return await this.#hiddenRange(body, range, signal);
    const got = text === null ? null : parseContentRange(text);
    const known = this.version?.total;
    // A server may leave the total out of a range, but not out of the response to HEAD.
    const total = got?.total ?? known ?? (got && await this.#totalByHead(signal)) ?? undefined;
    if (got && total !== undefined && known !== undefined && total !== known) {
      this.#sameVersion(versionOf(headers, total));
    }
    if (!got || total === undefined || got.start !== range.start || got.end > range.end || got.end > total) {
      throw new HttpError("HTTP_BAD_RANGE", `${this.shown} does not answer with the requested range`, {
        path: this.shown,
        status,
        expected: `bytes ${range.start}-${range.end - 1}`,
        actual: text ?? headers.get("content-type"),
      });
    }
    this.#sameVersion(versionOf(headers, total));
    const part = { body, start: got.start, end: got.end, whole: false, encoded: false };
    // Some runtimes never reach the end of such a body, others do not check it.
    if ((lengthOf(headers.get("content-length")) ?? 0) > got.end - got.start) throw this.#tooMuch(part);
    return part;
  }

  /** Handles browsers hiding `Content-Range` of another origin that does not expose it (RULES.md HTTP-4). */
  async #hiddenRange(body: HttpBody, range: { start: number; end: number }, signal?: AbortSignal): Promise<HttpPart> {
    const total = this.version?.total ?? await this.#totalByHead(signal);
    if (total === null) throw this.#hidden();
    if (!this.#warned) {
      this.#warned = true;
      const { code, message, hint } = this.#hidden();
      this.#settings.onWarning?.({ code, message: `${message}: ${hint}` });
    }
    const { headers } = body.response;
    this.#sameVersion(versionOf(headers, total));
    const end = Math.min(range.end, total), length = lengthOf(headers.get("content-length"));
    if (range.start >= end || (typeof length === "number" && length !== end - range.start)) {
      throw this.#hidden();
    }
    return { body, start: range.start, end, whole: false, encoded: false };
  }

  /** The size of the file by a HEAD request, or null if that does not tell. */
  async #totalByHead(signal?: AbortSignal): Promise<number | null> {
    // With a Range header, even for all bytes, a browser requests no compression: the length is the file's.
    const head = await this.#send([["range", "bytes=0-"]], signal, "HEAD");
    const { headers, status } = head.response;
    const total = lengthOf(headers.get("content-length")) ?? null;
    head.cancel();
    return (status === 200 || status === 206) && !isEncoded(headers) ? total : null;
  }

  #hidden(): HttpError {
    return new HttpError(
      "HTTP_BAD_RANGE",
      `${this.shown} does not expose to other origins which bytes it sends and whether the file changed`,
      { path: this.shown, hint: "the server must send Access-Control-Expose-Headers: Content-Range, ETag" },
    );
  }

  #unsatisfied(body: HttpBody, range: { start: number; end: number }): HttpPart {
    const total = parseUnsatisfied(body.response.headers.get("content-range"));
    if (this.version && this.version.total === undefined && total === range.start) {
      // A download of unknown length broke off right after its last byte.
      this.#sameVersion({ ...this.version, total });
      body.cancel();
      return { body, start: total, end: total, whole: false, encoded: false };
    }
    if (this.version) {
      throw this.#fail("the file is shorter than before", { expected: this.version.total, actual: total ?? undefined });
    }
    if (total !== 0 || range.start !== 0) throw this.#status(body.response);
    // An empty file has no valid range.
    this.#sameVersion(versionOf(body.response.headers, 0));
    body.cancel();
    return { body, start: 0, end: 0, whole: false, encoded: false };
  }

  /** The first response fixes the version; a later one with another version ends everything. */
  #sameVersion(later: HttpVersion): void {
    if (!this.version) {
      this.version = later;
      return;
    }
    const difference = differenceOf(this.version, later);
    if (difference) throw this.#fail("the file changed while being read", difference);
    // A later response may supply what an earlier one left out.
    this.version = {
      etag: this.version.etag ?? later.etag,
      lastModified: this.version.lastModified ?? later.lastModified,
      total: this.version.total ?? later.total,
    };
  }

  #fail(what: string, fields: { expected?: unknown; actual?: unknown }): HttpError {
    return this.#failure = new HttpError("HTTP_CHANGED", `${this.shown}: ${what}. Open it again.`, {
      path: this.shown,
      ...fields,
    });
  }

  #status(response: Response): HttpError {
    const error = new HttpError(
      "HTTP_STATUS",
      `${this.shown}: the server answered ${response.status} ${response.statusText}`.trim(),
      { path: this.shown, status: response.status },
    );
    if (RETRIED.has(response.status)) markRetryable(error, retryAfter(response.headers, Date.now()));
    return error;
  }

  // ---- whole files

  async #readWhole(first: HttpPart): Promise<Uint8Array> {
    const { maxFallbackBytes: max } = this.#settings;
    const ignored = (actual: number | undefined) =>
      new HttpError(
        "HTTP_RANGE_IGNORED",
        `${this.shown} does not support ranges, and the whole file is more than ${max} bytes`,
        { path: this.shown, expected: max, actual, hint: "download the file first, or raise http.maxFallbackBytes" },
      );
    if (first.end !== undefined && first.end > max) {
      first.body.cancel();
      throw ignored(first.end);
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.#wholeAgain(first, () => (chunks.length = length = 0))) {
      length += chunk.length;
      if (length > max) throw ignored(undefined);
      chunks.push(chunk);
    }
    const total = this.version?.total;
    if (total !== undefined && length !== total) {
      throw this.#fail("the whole file does not have the announced length", { expected: total, actual: length });
    }
    return joinBytes(chunks);
  }

  /** After a failure, a server without ranges has to send the file from the start. */
  async *#wholeAgain(first: HttpPart, restart: () => void): AsyncGenerator<Uint8Array> {
    const retries = this.retries(), { signal } = this.#closing;
    for (let part = first;; part = await this.ask(null, signal, retries)) {
      let at = 0;
      try {
        for (let chunk; (chunk = await part.body.next(signal)) !== null;) {
          if (part.end !== undefined && at + chunk.length > part.end) throw this.#tooMuch(part);
          at += chunk.length;
          yield chunk;
        }
        if (part.end === undefined || at === part.end) return;
        throw this.#truncated(part, at);
      } catch (error) {
        await retries.wait(this.#cut(error, part, at), signal);
        restart();
      } finally {
        part.body.cancel();
      }
    }
  }

  // ---- failures of a body

  #tooMuch(part: HttpPart): HttpError {
    return new HttpError("HTTP_BAD_RANGE", `${this.shown} sends more bytes than it announced`, {
      path: this.shown,
      expected: part.end! - part.start,
    });
  }

  #truncated(part: HttpPart, at: number, cause?: unknown): HttpError {
    const error = new HttpError("HTTP_TRUNCATED", `${this.shown} sends fewer bytes than it announced`, {
      path: this.shown,
      offset: at,
      expected: part.end! - part.start,
      actual: at - part.start,
      cause,
    });
    markRetryable(error);
    return error;
  }

  /** A connection that breaks within a body of known length has truncated it. */
  #cut(error: unknown, part: HttpPart, at: number): unknown {
    const broke = error instanceof HttpError && error.code === "HTTP_NETWORK";
    return broke && part.end !== undefined ? this.#truncated(part, at, error.cause) : error;
  }
}
