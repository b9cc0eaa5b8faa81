/**
 * Files below a URL as a folder.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { HttpError, PathError, UnsupportedError } from "../../errors.ts";
import { type Folder, readOnly } from "../folder.ts";
import { type Fetch, type HttpOptions, httpSettings, shownUrl } from "../http/http_options.ts";
import { openHttp } from "../http/http_source.ts";
import { safeParts } from "./safe_name.ts";
import type { Sink } from "../sink.ts";
import { Slots } from "../waiting/slots.ts";
import type { Source } from "../source.ts";

/** How an HttpFolder reads. */
export interface HttpFolderOptions extends HttpOptions {
  /** Fetches in place of the global function. */
  fetch?: Fetch;
  /** The names that there are: servers do not list them. Needed where a folder is read as a whole. */
  names?: Iterable<string>;
}

/**
 * Files below a URL. A name can never lead to another server or out of the base (RULES.md PATH-7). Nothing can be put there.
 *
 * @example A prefix of two files on a server
 * ```ts
 * import { HttpFolder, isPaddleError, load } from "@oarlock/paddle";
 * const folder = new HttpFolder("https://example.com/models/", {
 *   fetch: () => Promise.resolve(new Response(null, { status: 404 })),
 * });
 * const error = await load("resnet.pdparams", { folder }).catch((error) => error);
 * if (!isPaddleError(error) || error.code !== "NOT_FOUND") throw error;
 * ```
 */
export class HttpFolder implements Folder {
  readonly #base: URL;
  readonly #options: HttpFolderOptions;
  readonly #names: readonly string[] | null;
  /** Of all its files together. */
  #slots: Slots | null = null;

  /** Files below `base`; a last slash is added where it has none. */
  constructor(base: string | URL, options: HttpFolderOptions = {}) {
    const url = new URL(base);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new TypeError(`The base of an HttpFolder must be an http: or https: URL: got ${url.protocol}`);
    }
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    url.hash = "";
    this.#base = url;
    this.#names = options.names ? [...options.names].sort(byCodePoint) : null;
    const { names: _, ...http } = options;
    httpSettings(http);
    this.#options = options;
  }

  /** The file `name`, opened as `open` opens a URL; the base's query goes along. */
  async get(name: string, { signal }: { signal?: AbortSignal } = {}): Promise<Source | null> {
    const url = this.#urlOf(name);
    const { names: _, ...options } = this.#options;
    try {
      this.#slots ??= new Slots(httpSettings(options).concurrency);
      return await openHttp(url, { ...options, signal }, this.#slots);
    } catch (error) {
      const isMissing = error instanceof HttpError && error.code === "HTTP_STATUS" &&
        (error.status === 404 || error.status === 410);
      if (isMissing) return null;
      throw error;
    }
  }

  /**
   * Nothing can be changed here.
   *
   * @throws {SaveError} `READ_ONLY`: always
   */
  // deno-lint-ignore require-await
  async put(name: string): Promise<Sink> {
    throw readOnly("A base URL", name);
  }

  /**
   * The names given to the constructor that start with `prefix`, by code point.
   *
   * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: none were given
   */
  // deno-lint-ignore require-await
  async list(prefix = ""): Promise<string[]> {
    if (!this.#names) {
      throw new UnsupportedError("UNSUPPORTED_FEATURE", `${shownUrl(this.#base)} cannot tell which files it has`, {
        path: shownUrl(this.#base),
        hint: "new HttpFolder(base, { names }) tells them",
      });
    }
    return this.#names.filter((name) => name.startsWith(prefix));
  }

  /**
   * Nothing can be changed here.
   *
   * @throws {SaveError} `READ_ONLY`: always
   */
  // deno-lint-ignore require-await
  async delete(name: string): Promise<void> {
    throw readOnly("A base URL", name);
  }

  #urlOf(name: string): URL {
    const url = new URL(this.#base);
    url.pathname += encodedName(name);
    // Whatever a URL parser makes of the name, it stays below the base.
    if (url.origin !== this.#base.origin || !url.pathname.startsWith(this.#base.pathname)) {
      throw new PathError("UNSAFE_PATH", `The name ${JSON.stringify(name)} leads out of the base URL`, { path: name });
    }
    return url;
  }
}

/** A name as the end of a URL's path: every part percent-encoded, so that `%2e%2e`, `?` and `#` are letters like others. */
export function encodedName(name: string): string {
  return safeParts(name).map((part) => {
    if (/[\ud800-\udfff]/u.test(part)) {
      throw new PathError("UNSAFE_PATH", `The name ${JSON.stringify(name)} has half a character`, { path: name });
    }
    return encodeURIComponent(part);
  }).join("/");
}
