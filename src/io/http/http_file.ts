/**
 * One version of a file on a server: any of its bytes as they arrive, however single requests turn out (RULES.md HTTP-2, HTTP-11).
 *
 * @module
 */
import { HttpAsker } from "./http_asker.ts";
import { download } from "./http_download.ts";
import type { HttpSettings } from "./http_options.ts";
import { cutOff, type HttpPart, tooMuch, truncated } from "./http_part.ts";
import { FAIR_PART } from "./http_retries.ts";
import type { HttpVersion } from "./http_version.ts";
import { Slots } from "../waiting/slots.ts";
import { WholeFile } from "./whole_file.ts";

/** A file on a server. */
export class HttpFile {
  /** The URL for messages. */
  readonly shown: string;
  /** Maximum number of concurrent requests. */
  readonly concurrency: number;
  readonly #asker: HttpAsker;
  readonly #whole: WholeFile;
  readonly #slots: Slots;

  /** The file at `url`. */
  constructor(url: URL, settings: HttpSettings) {
    this.#asker = new HttpAsker(url, settings);
    this.#whole = new WholeFile(this.#asker, settings.maxFallbackBytes);
    this.#slots = new Slots(settings.concurrency);
    this.shown = this.#asker.shown;
    this.concurrency = settings.concurrency;
  }

  /** The version, fixed by the first response; null before it. */
  get version(): HttpVersion | null {
    return this.#asker.version.value;
  }

  /** Throws if the file has changed: then nothing more is returned, not even what is in memory. */
  verify(): void {
    this.#asker.version.verify();
  }

  /** Abort everything in progress. */
  close(): void {
    this.#asker.close();
  }

  /** Request the first bytes, before `end`, or the whole file if that is null. */
  ask(end: number | null, signal?: AbortSignal): Promise<HttpPart> {
    return end === null ? this.#asker.ask(null, signal) : this.#asker.askFirst(end, signal);
  }

  /** All bytes, from a response of a server that does not support ranges. */
  adopt(part: HttpPart, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#whole.read(part, signal);
  }

  /** The bytes `[start, end)` as they arrive, each chunk valid until the next one; `first` is a response that was already requested. */
  async *bytes(start: number, end: number, signal?: AbortSignal, first?: HttpPart): AsyncGenerator<Uint8Array> {
    const retries = this.#asker.retries();
    let at = start, given = first, release = () => {};
    try {
      release = await this.#slots.take(signal);
      while (at < end || given) {
        if (this.#whole.bytes) {
          yield this.#whole.bytes.subarray(at, end);
          return;
        }
        const part = given ?? await this.#asker.ask({ start: at, end }, signal, retries);
        given = undefined;
        if (part.whole) {
          yield (await this.adopt(part, signal)).subarray(at, end);
          return;
        }
        try {
          const before = at;
          for (let chunk; (chunk = await part.body.nextBrief(signal)) !== null;) {
            if (at + chunk.length > part.end!) throw tooMuch(part);
            at += chunk.length;
            retries.progress(chunk.length);
            yield chunk;
          }
          if (at < part.end!) throw truncated(part, at);
          if (at < end && at - before < FAIR_PART) retries.count(truncated(part, at));
        } catch (error) {
          await retries.wait(cutOff(error, part, at), signal);
        } finally {
          part.body.cancel();
        }
      }
    } finally {
      given?.body.cancel();
      release();
    }
  }

  /** The whole file as one download: see {@linkcode download}. */
  async *download(part: HttpPart, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let release = () => {};
    try {
      release = await this.#slots.take(signal);
      yield* download(this.#asker, part, signal);
    } finally {
      part.body.cancel();
      release();
    }
  }
}
