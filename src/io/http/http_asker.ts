/**
 * Requests the bytes of one file, whole or by ranges, and checks every response (RULES.md HTTP-1, HTTP-6, HTTP-7).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import { PartChecker, type Range } from "./part_checker.ts";
import type { HttpBody } from "./http_body.ts";
import { type HttpSettings, shownUrl } from "./http_options.ts";
import type { HttpPart } from "./http_part.ts";
import { httpRequest } from "./http_request.ts";
import { Retries } from "./http_retries.ts";
import { isEncoded, lengthOf, strongEtag } from "./http_version.ts";
import { KnownVersion } from "./known_version.ts";

const ADDS_NO_IDENTITY = "Bun" in globalThis ||
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers";

/** Sends the requests for one file. */
export class HttpAsker {
  /** The URL for messages. */
  readonly shown: string;
  /** The version that all responses must have. */
  readonly version: KnownVersion;
  readonly #url: URL;
  readonly #settings: HttpSettings;
  readonly #checker: PartChecker;
  readonly #closing = new AbortController();
  #lastUrl: URL | null = null;
  /** Whether a browser treats the server as another origin. */
  #isCrossOrigin = false;
  /** Whether requests may have If-Range. */
  #mayConditional = true;

  /** For the file at `url`. */
  constructor(url: URL, settings: HttpSettings) {
    this.#url = url;
    this.#settings = settings;
    this.shown = shownUrl(url);
    this.version = new KnownVersion(this.shown);
    this.#checker = new PartChecker({
      shown: this.shown,
      version: this.version,
      onWarning: settings.onWarning,
      totalByHead: (signal) => this.#totalByHead(signal),
    });
  }

  /** Aborts when the file is closed, which ends work that is shared between callers. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Send no more requests. */
  close(): void {
    this.#closing.abort(new TypeError(`${this.shown} was closed`));
  }

  /** A failure counter for one range. */
  retries(): Retries {
    return new Retries(this.#settings, this.shown);
  }

  /**
   * Request `[start, end)`, or the whole file if there is no range; retried where that may help. The first response fixes the version. If
   * the server does not know the size, `end` may lie past the end of the file.
   */
  async ask(range: Range | null, signal?: AbortSignal, retries = this.retries()): Promise<HttpPart> {
    for (;;) {
      try {
        return await this.#askOnce(range, signal);
      } catch (error) {
        await retries.wait(error, signal);
      }
    }
  }

  /**
   * Request the first bytes of the file, before `end`. In a page, where the request fails for no reason that is told, the whole file is
   * requested instead: Chromium refuses a range that the server compressed, and does not show it.
   */
  async askFirst(end: number, signal?: AbortSignal): Promise<HttpPart> {
    try {
      return await this.ask({ start: 0, end }, signal);
    } catch (error) {
      if (!isNetworkError(error) || !isPage()) throw error;
      return await this.#askOnce(null, signal).catch((later) => {
        throw isNetworkError(later) ? error : later;
      });
    }
  }

  async #askOnce(range: Range | null, signal?: AbortSignal, { plain = false } = {}): Promise<HttpPart> {
    this.version.verify();
    this.closed.throwIfAborted();
    const headers = this.#headersFor(range, plain);
    let body: HttpBody;
    try {
      body = await this.#send(headers, signal);
    } catch (error) {
      if (!this.#failsByPreflight(error, headers)) throw error;
      this.#mayConditional = false;
      return await this.#askOnce(range, signal, { plain });
    }
    if (body.response.type === "cors") this.#isCrossOrigin = true;
    if (this.#mayBeEmpty(range, body.response)) {
      body.cancel();
      return await this.#askOnce(null, signal, { plain });
    }
    try {
      const part = await (range ? this.#checker.ranged(body, range, signal) : this.#checker.whole(body, signal));
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

  /** Every range of an empty file is refused. Some servers do not say then how long the file is, and a browser may hide it. */
  #mayBeEmpty(range: Range | null, { status, headers }: Response): boolean {
    return status === 416 && range?.start === 0 && this.version.value === null && !headers.has("content-range");
  }

  #headersFor(range: Range | null, plain: boolean): [string, string][] {
    const headers: [string, string][] = [];
    // With a range most runtimes ask for identity encoding by themselves; a second header would invalidate a signature.
    if (!plain && (!range || ADDS_NO_IDENTITY)) headers.push(["accept-encoding", "identity"]);
    if (range) {
      headers.push(["range", `bytes=${range.start}-${range.end - 1}`]);
      const etag = strongEtag(this.version.value);
      if (etag !== null && this.#mayConditional) headers.push(["if-range", etag]);
    }
    return headers;
  }

  /**
   * Whether a request may have failed because of its If-Range alone: for another origin it makes browsers send a preflight request first,
   * which many servers do not answer. The ETag of every response is compared anyway.
   */
  #failsByPreflight(error: unknown, headers: readonly [string, string][]): boolean {
    return this.#isCrossOrigin && isNetworkError(error) && headers.some(([name]) => name === "if-range");
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

  /** The size of the file by a HEAD request, or null if that does not tell. */
  async #totalByHead(signal?: AbortSignal): Promise<number | null> {
    // With a Range header, even for all bytes, a browser requests no compression: the length is the file's.
    const head = await this.#send([["range", "bytes=0-"]], signal, "HEAD");
    const { headers, status } = head.response;
    const total = lengthOf(headers.get("content-length")) ?? null;
    head.cancel();
    return (status === 200 || status === 206) && !isEncoded(headers) ? total : null;
  }
}

function isNetworkError(error: unknown): boolean {
  return error instanceof HttpError && error.code === "HTTP_NETWORK";
}

function isPage(): boolean {
  return (globalThis as { location?: unknown }).location !== undefined;
}
