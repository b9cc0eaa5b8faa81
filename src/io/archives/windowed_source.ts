/**
 * An archive on a server: its headers, which are short and often close together, take few requests (RULES.md HTTP-11).
 *
 * @module
 */
import { RequestLengths } from "../sources/request_lengths.ts";
import { PartSource } from "../sources/part_source.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";

/** Reads of more bytes than this go straight into the caller's buffer. */
const SHORT = 2 ** 17;
/** Bytes to request when a read starts before the last window: those up to the end of the read. */
const BACK = 65_536;

/** A range of the archive that one request reads. */
interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

/** If each read of `source` costs a round trip, a source that serves short reads from a larger window; otherwise `source` itself. */
export function windowed(source: Source): Source {
  return source.costly ? new WindowedSource(source) : source;
}

class WindowedSource extends PartSource {
  readonly #source: Source;
  #lengths: RequestLengths;
  #window: Window | null = null;
  #isClosed = false;

  constructor(source: Source) {
    super(source, 0, source.size, source.name as string);
    this.#source = source;
    this.#lengths = new RequestLengths(source.size);
  }

  override async read(offset: number, into: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<number> {
    if (this.#isClosed) throw new TypeError(`${JSON.stringify(this.name)} was closed`);
    const length = Math.min(into.length, this.size - offset);
    if (length <= 0) return 0;
    if (length > SHORT) return await super.read(offset, into, options);
    for (;;) {
      const last = this.#window, isThere = last !== null && last.start <= offset && offset < last.end;
      const window = isThere ? last : this.#window = this.#request(offset, length, options.signal);
      try {
        const part = (await window.bytes).subarray(offset - window.start, offset - window.start + length);
        into.set(part);
        return part.length;
      } catch (error) {
        if (this.#window === window) this.#window = null;
        // If another call made the request, that call may have been aborted: try again.
        if (!isThere) throw error;
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#window = null;
    await this.#source.close?.();
  }

  #request(offset: number, least: number, signal: AbortSignal | undefined): Window {
    let start = offset;
    if (this.#window && offset < this.#window.start) {
      this.#lengths = new RequestLengths(this.size);
      start = Math.max(0, offset + least - BACK);
    }
    const end = Math.min(this.size, start + this.#lengths.next(start, offset + least - start));
    return { start, end, bytes: readFully(this.#source, start, new Uint8Array(end - start), signal) };
  }
}
