/**
 * A Blob or File as a source. It is read in slices, because some browsers deliver a whole blob as one chunk.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";
import { systemCode } from "../platform.ts";
import type { Source } from "../source.ts";

/** Maximum bytes per slice. */
const SLICE = 8 * 2 ** 20;
/** A browser takes no longer to read a slice of this many bytes than a slice of one byte. */
const FAIR = 65_536;
/** Maximum bytes of a stretch that is read ahead. */
const MOST = 2 ** 20;
/** Bytes of a buffer that long slices are read through. */
const SCRATCH = 2 ** 18;

/** Keeps pending readers alive: Chromium garbage-collects a stream, and the read with it, if only a pending read refers to it. */
const reading = new Set<ReadableStreamBYOBReader>();

/** Bytes that were read ahead. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
  /** Number of reads it has served. */
  reads: number;
}

/** A Blob or File. */
export class BlobSource implements Source {
  readonly size: number;
  readonly name?: string;
  readonly #blob: Blob;
  #ahead: Stretch | null = null;
  readonly #scratch: Uint8Array<ArrayBuffer>[] = [];

  /** Over `blob`; the name defaults to the blob's own. */
  constructor(blob: Blob, name?: string) {
    this.#blob = blob;
    this.size = blob.size;
    if (name !== undefined) this.name = name;
    else if ("name" in blob && typeof blob.name === "string") this.name = blob.name;
  }

  /**
   * Over `blob`, which may stand for a file that does not exist: Bun's looks empty until it is read.
   *
   * @throws {SourceError} `NOT_FOUND`
   */
  static async open(blob: Blob): Promise<BlobSource> {
    const source = new BlobSource(blob);
    if (blob.size > 0) return source;
    try {
      await blob.slice(0, 0).arrayBuffer();
    } catch (cause) {
      if (!isAbsence(cause)) throw source.#failed(0, false, { cause });
      throw new SourceError("NOT_FOUND", "There is no file behind the blob", { path: source.name, cause });
    }
    return source;
  }

  /** Read a slice. Short reads are served from a longer stretch: the more reads the last stretch served, the longer the next one is. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    const end = Math.min(this.size, offset + Math.min(into.length, SLICE));
    const ahead = this.#ahead;
    const isThere = ahead !== null && ahead.start <= offset && end <= ahead.end;
    if (!isThere && end - offset >= FAIR) return await this.#long(offset, end, into);
    const stretch = isThere ? ahead : this.#ahead = this.#stretch(offset, end);
    stretch.reads++;
    const bytes = await stretch.bytes;
    return fill(into, bytes.subarray(offset - stretch.start, end - stretch.start));
  }

  /** Check that the file behind the blob has not changed; throws `SOURCE_CHANGED` if it has. */
  async check(): Promise<void> {
    await this.#slice(0, Math.min(1, this.size));
  }

  #stretch(start: number, least: number): Stretch {
    const length = Math.min(MOST, FAIR * Math.max(1, this.#ahead?.reads ?? 1));
    const end = Math.min(this.size, Math.max(least, start + length));
    const bytes = this.#slice(start, end);
    const stretch = { start, end, bytes, reads: 0 };
    // After a failure the next read tries again.
    bytes.catch(() => {
      if (this.#ahead === stretch) this.#ahead = null;
    });
    return stretch;
  }

  async #slice(offset: number, end: number): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await this.#blob.slice(offset, end).arrayBuffer());
    } catch (cause) {
      // A Blob whose underlying file changed is "not readable" (File API, snapshot state), or not found while it is being replaced.
      const isChanged = isAbsence(cause) || (cause instanceof Error && cause.name === "NotReadableError");
      throw this.#failed(offset, isChanged, { cause });
    }
    // Firefox returns what is left of a file that shrank.
    if (bytes.length === end - offset) return bytes;
    throw this.#failed(offset, true, { expected: end - offset, actual: bytes.length });
  }

  async #long(offset: number, end: number, into: Uint8Array): Promise<number> {
    // Reading a slice of a changed file reports the change; its stream does not.
    if (await this.#streamed(offset, end, into).catch(() => false)) return end - offset;
    return fill(into, await this.#slice(offset, end));
  }

  /** Read through a reused buffer: that of a whole slice would live long, as browsers see no need to collect it. */
  async #streamed(offset: number, end: number, into: Uint8Array): Promise<boolean> {
    const reader = fillingReader(this.#blob.slice(offset, end));
    if (!reader) return false;
    let scratch = this.#scratch.pop() ?? new Uint8Array(SCRATCH), done = 0;
    reading.add(reader);
    try {
      while (done < end - offset) {
        const step = await reader.read(scratch);
        if (step.done) return false;
        into.set(step.value, done);
        done += step.value.length;
        scratch = new Uint8Array(step.value.buffer);
      }
    } finally {
      reading.delete(reader);
      reader.cancel().catch(() => {});
    }
    this.#scratch.push(scratch);
    return true;
  }

  #failed(offset: number, isChanged: boolean, fields: { expected?: number; actual?: number; cause?: unknown }) {
    return new SourceError(
      isChanged ? "SOURCE_CHANGED" : "READ_FAILED",
      isChanged
        ? `The file behind the blob has changed: it cannot be read at byte ${offset}`
        : `The blob could not be read at byte ${offset}`,
      { ...fields, offset, path: this.name },
    );
  }
}

function isAbsence(cause: unknown): boolean {
  return systemCode(cause) === "ENOENT" || (cause instanceof Error && cause.name === "NotFoundError");
}

function fill(into: Uint8Array, bytes: Uint8Array): number {
  into.set(bytes);
  return bytes.length;
}

/** A reader that fills a buffer of ours, or null: the blobs of Bun and WebKit have none. */
function fillingReader(blob: Blob): ReadableStreamBYOBReader | null {
  try {
    return blob.stream().getReader({ mode: "byob" });
  } catch {
    return null;
  }
}
