/**
 * The version of a file on a server: fixed by the first response, and compared with every later one (RULES.md HTTP-3).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import { differenceOf, type HttpVersion } from "./http_version.ts";

/** What is known of the version of one file. */
export class KnownVersion {
  readonly #shown: string;
  #version: HttpVersion | null = null;
  #failure: HttpError | null = null;

  /** Of the file that messages call `shown`. */
  constructor(shown: string) {
    this.#shown = shown;
  }

  /** The version, or null before the first response. */
  get value(): HttpVersion | null {
    return this.#version;
  }

  /** Size of the whole file in bytes, if known. */
  get total(): number | undefined {
    return this.#version?.total;
  }

  /** Throws if the file has changed: then nothing more is returned, not even what is in memory. */
  verify(): void {
    if (this.#failure) throw this.#failure;
  }

  /** The first response fixes the version; a later one with another version ends everything. */
  compare(later: HttpVersion): void {
    if (!this.#version) {
      this.#version = later;
      return;
    }
    const difference = differenceOf(this.#version, later);
    if (difference) throw this.changed("the file changed while being read", difference);
    // A later response may supply what an earlier one left out.
    this.#version = {
      etag: this.#version.etag ?? later.etag,
      lastModified: this.#version.lastModified ?? later.lastModified,
      total: this.#version.total ?? later.total,
    };
  }

  /** The error for a file that has changed, which ends everything. */
  changed(what: string, fields: { expected?: unknown; actual?: unknown }): HttpError {
    return this.#failure = new HttpError("HTTP_CHANGED", `${this.#shown}: ${what}. Open it again.`, {
      path: this.#shown,
      ...fields,
    });
  }
}
