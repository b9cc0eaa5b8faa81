/**
 * A file on a server, read with Range requests.
 *
 * @module
 */
import { BytesSource } from "../sources/bytes_source.ts";
import { CoalescedSource } from "../sources/coalesced_source.ts";
import { eitherSignal } from "../waiting/either_signal.ts";
import { HttpFile } from "./http_file.ts";
import { httpSettings, type HttpSourceOptions, withoutUserInfo } from "./http_options.ts";
import { strongEtag } from "./http_version.ts";
import { Slots } from "../waiting/slots.ts";
import type { Source } from "../source.ts";
import { streamOf } from "../streams/stream_of.ts";

/** Bytes of the first range: it reveals the size and version, and contains what most readers look at first. */
const PROBE = 65_536;

/** A file on a server that supports ranges. Made by {@linkcode openHttp}. */
class HttpSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly costly = true;
  readonly version?: string;
  readonly #file: HttpFile;
  readonly #head: Uint8Array;
  readonly #closing = new AbortController();

  constructor(file: HttpFile, size: number, head: Uint8Array) {
    this.#file = file;
    this.size = size;
    this.name = file.shown;
    this.#head = head;
    this.version = versionOf(file);
  }

  async read(offset: number, into: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<number> {
    this.#file.verify();
    if (offset < this.#head.length) {
      const part = this.#head.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    }
    const { signal, release } = eitherSignal(this.#closing.signal, options.signal);
    try {
      let filled = 0;
      for await (const chunk of this.#file.bytes(offset, Math.min(this.size, offset + into.length), signal)) {
        into.set(chunk, filled);
        filled += chunk.length;
      }
      return filled;
    } finally {
      release();
    }
  }

  verify(): Promise<void> {
    return new Promise((resolve) => {
      this.#file.verify();
      resolve();
    });
  }

  readAll(): ReadableStream<Uint8Array> {
    return streamOf((signal) => this.#all(signal));
  }

  async *#all(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#head.length > 0) yield this.#head;
    for await (const chunk of this.#file.bytes(this.#head.length, this.size, signal)) yield chunk.slice();
  }

  close(): Promise<void> {
    this.#closing.abort(new TypeError(`${this.name} was closed`));
    this.#file.close();
    return Promise.resolve();
  }
}

/**
 * Open a file on a server: the first response fixes its size and version, and every later one must match them. From a server that
 * does not support ranges, the whole file is fetched once, up to `maxFallbackBytes`. Concurrent reads are limited by `slots`,
 * which several files may share.
 *
 * @throws {HttpError} depending on what the server does; see ERROR_CODES
 */
export async function openHttp(url: URL, options: HttpSourceOptions = {}, slots?: Slots): Promise<Source> {
  const { signal } = options;
  const file = httpFile(url, options);
  try {
    const part = await file.ask(PROBE, signal);
    if (part.whole) {
      const bytes = await file.adopt(part, signal);
      return new BytesSource(bytes, file.shown, { version: versionOf(file) });
    }
    const head = new Uint8Array(part.end!);
    let filled = 0;
    for await (const chunk of file.bytes(0, head.length, signal, part)) {
      head.set(chunk, filled);
      filled += chunk.length;
    }
    return new CoalescedSource(new HttpSource(file, file.version!.total!, head), slots ?? new Slots(file.concurrency));
  } catch (error) {
    file.close();
    throw error;
  }
}

/** A file on a server, as one download that is resumed after an interruption. */
export async function streamHttp(
  url: URL,
  options: HttpSourceOptions = {},
): Promise<{ stream: ReadableStream<Uint8Array>; size?: number; name: string }> {
  const file = httpFile(url, options);
  const part = await file.ask(null, options.signal);
  return { stream: streamOf((signal) => file.download(part, signal)), size: part.end, name: file.shown };
}

function httpFile(url: URL, options: HttpSourceOptions): HttpFile {
  const plain = withoutUserInfo(url, options);
  return new HttpFile(plain.url, httpSettings(plain.options));
}

/** The version of a file, if it can be told from others. */
function versionOf(file: HttpFile): string | undefined {
  const etag = strongEtag(file.version);
  return etag === null ? undefined : `etag:${etag}`;
}
