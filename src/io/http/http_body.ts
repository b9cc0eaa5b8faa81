/**
 * The body of one HTTP response, read with a time limit (RULES.md HTTP-8) and released in any case (HTTP-10).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import { type BytesReader, isFilling, readerOf } from "../streams/filling_reader.ts";
import type { HttpSettings } from "./http_options.ts";
import { markRetryable } from "./http_retries.ts";
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
  /** The buffer for bytes that are valid until the next read. */
  #scratch: Uint8Array<ArrayBuffer> | null = null;
  #over = false;
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

  /**
   * The next bytes, or null at the end. A network failure is an HttpError; an abort of `signal` ends the wait with its reason. If `brief`,
   * the bytes are valid only until the next call, and no garbage is left behind where the runtime supports that.
   */
  async next(signal?: AbortSignal, brief = false): Promise<Uint8Array | null> {
    if (this.#over || !this.response.body) return null;
    this.#reader ??= brief ? readerOf(this.response.body) : this.response.body.getReader();
    const { idleTimeout, minBytesPerSecond } = this.#settings;
    const before = performance.now();
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await within(this.#read(this.#reader), idleTimeout, signal);
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
    if (step.done) {
      this.#over = true;
      return null;
    }
    this.#waited += performance.now() - before;
    this.#received += step.value.length;
    if (this.#waited > 2 * idleTimeout) {
      if (this.#received * 1000 < minBytesPerSecond * this.#waited) {
        this.cancel();
        throw this.#timeout(`fewer than ${minBytesPerSecond} bytes per second arrived`);
      }
      this.#waited = this.#received = 0;
    }
    return step.value;
  }

  async #read(reader: BytesReader): Promise<ReadableStreamReadResult<Uint8Array>> {
    if (!isFilling(reader)) return await reader.read();
    const announced = Number(this.response.headers.get("content-length")) || SCRATCH;
    const scratch = this.#scratch ?? new Uint8Array(Math.min(announced, SCRATCH));
    this.#scratch = null;
    const step = await reader.read(scratch);
    if (step.done) return { done: true, value: undefined };
    this.#scratch = new Uint8Array(step.value.buffer);
    return step;
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
