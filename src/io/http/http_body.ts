/**
 * The body of one HTTP response, read with a time limit (RULES.md HTTP-8) and released in any case (HTTP-10).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import { checkedChunk } from "../streams/checked_chunk.ts";
import { type BytesReader, type ReadBytes, readerOf, readsOf } from "../streams/filling_reader.ts";
import type { HttpSettings } from "./http_options.ts";
import { markRetryable } from "./http_retries.ts";
import { Turns } from "../waiting/turns.ts";
import { TimedOut, within } from "../waiting/within.ts";

/** Bytes read at a time. */
const SCRATCH = 65_536;

/** A response and its body. */
export class HttpBody {
  /** Status and headers. */
  readonly response: Response;
  /** The URL that it came from, after redirects. */
  readonly url: URL;
  readonly #shown: string;
  readonly #settings: HttpSettings;
  readonly #controller: AbortController;
  #reader: BytesReader | null = null;
  #read: ReadBytes | null = null;
  #over = false;
  readonly #turns = new Turns();
  // Milliseconds spent waiting for the server: a slow caller must not make the server look slow.
  #waited = 0;
  #received = 0;

  /** Over `response`; `controller` aborts its request. */
  constructor(response: Response, url: URL, shown: string, settings: HttpSettings, controller: AbortController) {
    this.response = response;
    this.url = url;
    this.#shown = shown;
    this.#settings = settings;
    this.#controller = controller;
  }

  /** The next bytes, or null at the end. A network failure is an HttpError; an abort of `signal` ends the wait with its reason. */
  next(signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.#next((body) => body.getReader(), signal);
  }

  /** The same, but the bytes are valid only until the next call, and no garbage is left behind where the runtime supports that. */
  nextBrief(signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.#next(readerOf, signal);
  }

  async #next(
    makeReader: (body: ReadableStream<Uint8Array>) => BytesReader,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | null> {
    if (this.#over || !this.response.body) return null;
    const { idleTimeout, minBytesPerSecond } = this.#settings;
    const before = performance.now();
    let chunk: Uint8Array;
    try {
      this.#reader ??= makeReader(this.response.body);
      this.#read ??= readsOf(this.#reader, this.#scratchSize());
      const step = await within(this.#read(), idleTimeout, signal);
      if (step.done) {
        this.#over = true;
        return null;
      }
      // A caller's fetch may give anything.
      chunk = checkedChunk(step.value);
    } catch (error) {
      this.cancel();
      if (signal?.aborted) throw signal.reason;
      if (error instanceof TimedOut) {
        // The rest may arrive through another connection. A server that is slow all along is not asked again.
        throw markRetryable(this.#timeout(`no byte arrived for ${idleTimeout} ms`));
      }
      throw new HttpError("HTTP_NETWORK", `The connection to ${this.#shown} broke`, {
        path: this.#shown,
        cause: error,
      });
    }
    this.#waited += performance.now() - before;
    // Everything may be at hand already, or a caller's fetch may make it up: others must have their turn, too.
    if (this.#turns.due()) await this.#turns.take();
    this.#received += chunk.length;
    if (this.#waited > 2 * idleTimeout) {
      if (this.#received * 1000 < minBytesPerSecond * this.#waited) {
        this.cancel();
        throw this.#timeout(`fewer than ${minBytesPerSecond} bytes per second arrived`);
      }
      this.#waited = this.#received = 0;
    }
    return chunk;
  }

  #scratchSize(): number {
    const announced = Number(this.response.headers.get("content-length"));
    return announced > 0 ? Math.min(announced, SCRATCH) : SCRATCH;
  }

  /** Release the body: what was not read is not sent. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    const cancelled = this.#reader ? this.#reader.cancel() : this.response.body?.cancel();
    // Errors of a cancelled body do not matter.
    cancelled?.catch(() => {});
    this.#controller.abort();
  }

  #timeout(what: string): HttpError {
    return new HttpError("HTTP_TIMEOUT", `${this.#shown} is too slow: ${what}`, {
      path: this.#shown,
      hint: "see http.idleTimeout and http.minBytesPerSecond",
    });
  }
}
