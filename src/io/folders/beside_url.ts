/**
 * The files whose URLs begin like one that the caller gave, as those of a prefix do.
 *
 * @module
 */
import { percentDecoded, strayEncoded } from "../../words/percent_decoded.ts";
import { type Folder, type GetOptions, readOnly } from "../folder.ts";
import { HttpFiles } from "../http/http_files.ts";
import type { HttpSourceOptions } from "../http/http_options.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { encodedName, notListed } from "./http_folder.ts";

/**
 * The folder of a URL, in which the last part of its path is `name`. Names that begin with it begin with that part as the caller encoded it:
 * an encoded slash or backslash in it, or bytes that are not UTF-8, cannot be decoded and encoded again, so `name` has them encoded.
 */
export class BesideUrl implements Folder {
  /** The last part of the path as a name in this folder. */
  readonly name: string;
  /** The same as it is in the URL. */
  readonly #last: string;
  readonly #base: URL;
  readonly #files: HttpFiles;

  /** The folder of `url`, whose query all files get. */
  constructor(url: URL, options: HttpSourceOptions) {
    const slash = url.pathname.lastIndexOf("/") + 1;
    const last = url.pathname.slice(slash), decoded = percentDecoded(last);
    this.name = /[/\\]/.test(decoded) ? last : decoded;
    this.#last = strayEncoded(last);
    this.#base = new URL(url);
    this.#base.pathname = url.pathname.slice(0, slash);
    this.#base.hash = "";
    this.#files = new HttpFiles(options);
  }

  /** The file `name`. */
  async get(name: string, options?: GetOptions): Promise<Source | null> {
    const url = new URL(this.#base), encoded = encodedName(name), beginning = encodeURIComponent(this.name);
    url.pathname += encoded.startsWith(beginning) ? this.#last + encoded.slice(beginning.length) : encoded;
    return await this.#files.open(url, options);
  }

  /** A server is read-only. */
  put(name: string): Promise<Sink> {
    return Promise.reject(readOnly("A server", name));
  }

  /** Servers do not list their files. */
  list(): Promise<string[]> {
    return Promise.reject(notListed(this.#base));
  }

  /** A server is read-only. */
  delete(name: string): Promise<void> {
    return Promise.reject(readOnly("A server", name));
  }
}
