/**
 * A file uploaded in parts of equal size, as buckets require.
 *
 * @module
 */
import { PaddleError, SaveError } from "../../errors.ts";
import { Rechunker } from "../streams/rechunker.ts";
import type { Sink } from "../sink.ts";
import { collectGarbage } from "../platform.ts";
import { messageOf } from "../message_of.ts";

/** Where the parts go. */
export interface PartsTarget {
  /** Upload a small file whole. */
  put(bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
  /** Begin a multipart upload. */
  begin(): Promise<PartsUpload>;
}

/** A multipart upload in progress. */
export interface PartsUpload {
  /** Upload part `number`, counted from 1. */
  part(number: number, bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
  /** Assemble the file from its parts. */
  complete(): Promise<unknown>;
  /** Discard the parts. */
  abort(): Promise<unknown>;
}

/** Maximum number of parts that buckets accept. */
const MAX_PARTS = 10_000;
/** Parts between two garbage collections. */
const COLLECT_EVERY = 4;

/**
 * The size of parts in bytes, as the caller gave it.
 *
 * @throws {TypeError} it is less than buckets accept
 */
export function partSizeOf(given: number = 8 * 2 ** 20): number {
  if (Number.isSafeInteger(given) && given >= 5 * 2 ** 20) return given;
  throw new TypeError(`Option partSize must be at least 5 MiB: got ${given}`);
}

/** Uploads parts; a file smaller than one part is uploaded whole. */
export class PartsSink implements Sink {
  /** A chunk is not read after its write. */
  readonly keepsChunks = false;
  readonly #target: PartsTarget;
  readonly #name: string;
  readonly #gathered: Rechunker;
  #upload: PartsUpload | null = null;
  /** The upload, from the request that begins it. */
  #beginning: Promise<PartsUpload> | null = null;
  #isOver = false;
  #closing: Promise<void> | null = null;
  #parts = 0;

  /** To `target`, in parts of `partSize` bytes. */
  constructor(target: PartsTarget, name: string, partSize: number) {
    this.#target = target;
    this.#name = name;
    this.#gathered = new Rechunker(partSize);
  }

  /** Buffer the chunk, and upload each part that it completes. */
  async write(chunk: Uint8Array): Promise<void> {
    for (const part of this.#gathered.add(chunk)) await this.#send(part);
  }

  /** Upload the rest and complete the file, once. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const rest = this.#gathered.rest();
    if (this.#upload && rest.length > 0) await this.#send(rest);
    try {
      await (this.#upload ? this.#upload.complete() : this.#target.put(rest));
    } catch (error) {
      // The final response was lost: the file may exist.
      throw sendError(error, this.#name, "unknown");
    }
  }

  /** Discard the upload; if it is still being begun, wait for that first. */
  async abort(): Promise<void> {
    this.#isOver = true;
    const upload = this.#upload ?? await this.#beginning?.catch(() => null);
    await upload?.abort();
  }

  async #send(part: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      if (this.#parts === MAX_PARTS) {
        throw new SaveError("WRITE_FAILED", `A file of more than ${MAX_PARTS} parts cannot be put: raise partSize`, {
          path: this.#name,
          committed: "no",
        });
      }
      this.#upload ??= await (this.#beginning = this.#target.begin());
      if (this.#isOver) return;
      await this.#upload.part(++this.#parts, part);
      // The target may keep the part, so its memory cannot be reused, and some runtimes free it only if asked to.
      if (this.#parts % COLLECT_EVERY === 0) collectGarbage();
    } catch (error) {
      throw sendError(error, this.#name, "no");
    }
  }
}

function sendError(cause: unknown, path: string, committed: "no" | "unknown"): unknown {
  if (cause instanceof PaddleError && cause.name === "SaveError") return cause;
  const what = messageOf(cause);
  return new SaveError("SINK_FAILED", `Cannot put ${JSON.stringify(path)}: ${what}`, { path, committed, cause });
}
