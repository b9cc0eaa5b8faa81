/**
 * A file whose server sends all of it for any request: read into memory, once (RULES.md HTTP-2).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import { joinInTurns } from "../streams/join_in_turns.ts";
import { within } from "../waiting/within.ts";
import type { HttpAsker } from "./http_asker.ts";
import { cutOff, type HttpPart, tooMuch, truncated } from "./http_part.ts";

/** The bytes of such a file. */
export class WholeFile {
  /** All bytes, once they were read. */
  bytes: Uint8Array | null = null;
  readonly #asker: HttpAsker;
  readonly #max: number;
  #reading: Promise<Uint8Array> | null = null;

  /** Of at most `max` bytes. */
  constructor(asker: HttpAsker, max: number) {
    this.#asker = asker;
    this.#max = max;
  }

  /** Read all of it from the response `part`, unless that has begun already. */
  async read(part: HttpPart, signal?: AbortSignal): Promise<Uint8Array> {
    if (this.#reading) part.body.cancel();
    else {
      this.#reading = this.#readAll(part).then((bytes) => this.bytes = bytes);
      this.#reading.catch(() => this.#reading = null);
    }
    return await within(this.#reading, Infinity, signal);
  }

  async #readAll(first: HttpPart): Promise<Uint8Array> {
    if (first.end !== undefined && first.end > this.#max) {
      first.body.cancel();
      throw this.#tooLong(first.end);
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.#chunks(first, () => (chunks.length = length = 0))) {
      length += chunk.length;
      if (length > this.#max) throw this.#tooLong(undefined);
      chunks.push(chunk);
    }
    const { version } = this.#asker, { total } = version;
    if (total !== undefined && length !== total) {
      throw version.changed("the whole file does not have the announced length", { expected: total, actual: length });
    }
    return await joinInTurns(chunks, this.#asker.closed);
  }

  /** The bytes as they arrive; after a failure the server has to send the file from the start, which `restart` announces. */
  async *#chunks(first: HttpPart, restart: () => void): AsyncGenerator<Uint8Array> {
    const asker = this.#asker, retries = asker.retries(), signal = asker.closed;
    for (let part = first;; part = await asker.ask(null, signal, retries)) {
      let at = 0;
      try {
        for (let chunk; (chunk = await part.body.next(signal)) !== null;) {
          if (part.end !== undefined && at + chunk.length > part.end) throw tooMuch(part);
          at += chunk.length;
          yield chunk;
        }
        if (part.end === undefined || at === part.end) return;
        throw truncated(part, at);
      } catch (error) {
        await retries.wait(cutOff(error, part, at), signal);
        restart();
      } finally {
        part.body.cancel();
      }
    }
  }

  #tooLong(actual: number | undefined): HttpError {
    const { shown } = this.#asker, max = this.#max;
    const message = `${shown} does not support ranges, and the whole file is more than ${max} bytes`;
    const hint = "download the file first, or raise http.maxFallbackBytes";
    return new HttpError("HTTP_RANGE_IGNORED", message, { path: shown, expected: max, actual, hint });
  }
}
