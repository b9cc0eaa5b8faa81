/**
 * Files below a URL, as a folder.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { checkedList } from "../argument_errors.ts";
import { PathError, UnsupportedError, type Warning } from "../../errors.ts";
import { type Folder, type GetOptions, readOnly } from "../folder.ts";
import { HttpFiles } from "../http/http_files.ts";
import { type Fetch, type HttpOptions, refuseSignal, shownUrl } from "../http/http_options.ts";
import { safeParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";

/** How an HttpFolder reads. */
export interface HttpFolderOptions extends HttpOptions {
  /** Used in place of the global `fetch`. */
  fetch?: Fetch | undefined;
  /** The names of the files, as servers do not list them. Needed to read a whole folder. */
  names?: Iterable<string> | undefined;
  /** Called with the server's first anomaly that does not stop reading. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/**
 * Files below a URL. A name can never lead to another server or out of the base URL (RULES.md PATH-7). The folder is read-only.
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
  readonly #files: HttpFiles;
  readonly #names: readonly string[] | null;

  /** Files below `base`; a trailing slash is added if it is missing. */
  constructor(base: string | URL, options: HttpFolderOptions = {}) {
    const url = new URL(base);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new TypeError(`The base of an HttpFolder must be an http: or https: URL: got ${url.protocol}`);
    }
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    url.hash = "";
    this.#base = url;
    this.#names = options.names ? [...checkedList(options.names, "a list of names")].sort(byCodePoint) : null;
    const { names: _, ...http } = options;
    refuseSignal(options);
    this.#files = new HttpFiles(http);
  }

  /** The file `name`, opened the way `open` opens a URL; the query of the base URL is kept. */
  async get(name: string, options?: GetOptions): Promise<Source | null> {
    return await this.#files.open(this.#urlOf(name), options);
  }

  /**
   * The folder is read-only.
   *
   * @throws {SaveError} `READ_ONLY`: always
   */
  // deno-lint-ignore require-await
  async put(name: string): Promise<Sink> {
    throw readOnly("A base URL", name);
  }

  /**
   * The names given to the constructor that start with `prefix`, in code point order.
   *
   * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: none were given
   */
  // deno-lint-ignore require-await
  async list(prefix = ""): Promise<string[]> {
    if (!this.#names) throw notListed(this.#base);
    return this.#names.filter((name) => name.startsWith(prefix));
  }

  /**
   * The folder is read-only.
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
    // Whatever the URL parser makes of the name, it must stay below the base URL.
    if (url.origin !== this.#base.origin || !url.pathname.startsWith(this.#base.pathname)) {
      throw new PathError("UNSAFE_PATH", `The name ${JSON.stringify(name)} leads out of the base URL`, { path: name });
    }
    return url;
  }
}

/** The error for a list of the files below `base`, as servers give none. */
export function notListed(base: URL): UnsupportedError {
  const path = shownUrl(base), hint = "pass them as new HttpFolder(base, { names })";
  return new UnsupportedError("UNSUPPORTED_FEATURE", `${path} cannot list its files`, { path, hint });
}

/** A name as the end of a URL path, with every part percent-encoded, so that `%2e%2e`, `?` and `#` have no special meaning. */
export function encodedName(name: string): string {
  return safeParts(name).map((part) => {
    if (/[\ud800-\udfff]/u.test(part)) {
      throw new PathError("UNSAFE_PATH", `The name ${JSON.stringify(name)} has a lone surrogate`, { path: name });
    }
    return encodeURIComponent(part);
  }).join("/");
}
