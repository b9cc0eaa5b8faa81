/**
 * Several files on one server.
 *
 * @module
 */
import { HttpError, type Warning } from "../../errors.ts";
import type { GetOptions } from "../folder.ts";
import { httpSettings, type HttpSourceOptions } from "./http_options.ts";
import { openHttp } from "./http_source.ts";
import { Slots } from "../waiting/slots.ts";
import type { Source } from "../source.ts";

/** Opens files that share their options, and the limit of concurrent requests. */
export class HttpFiles {
  readonly #options: HttpSourceOptions;
  readonly #slots: Slots;
  #warned = false;

  /** A wrong option throws a TypeError that names it. */
  constructor(options: HttpSourceOptions) {
    this.#options = options;
    this.#slots = new Slots(httpSettings(options).concurrency);
  }

  /** The file at `url`; null if there is none. */
  async open(url: URL, { signal, onWarning }: GetOptions = {}): Promise<Source | null> {
    const once = (warning: Warning) => {
      // The other files are served the same way: report it once.
      if (!this.#warned) this.#options.onWarning?.(warning);
      this.#warned = true;
      onWarning?.(warning);
    };
    try {
      return await openHttp(url, { ...this.#options, signal, onWarning: once }, this.#slots);
    } catch (error) {
      const isMissing = error instanceof HttpError && error.code === "HTTP_STATUS" &&
        (error.status === 404 || error.status === 410);
      if (isMissing) return null;
      throw error;
    }
  }
}
