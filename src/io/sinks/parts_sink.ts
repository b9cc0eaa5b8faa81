/**
 * A file that is sent in parts of one length, as buckets want them.
 *
 * @module
 */
import { PaddleError, SaveError } from "../../errors.ts";
import { Gathered } from "./gathered.ts";
import type { Sink } from "../sink.ts";
import { toldBy } from "../told_by.ts";

/** Where the parts go. */
export interface PartsTarget {
  /** Put a small file whole. */
  put(bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
  /** Begin a large one. */
  begin(): Promise<PartsUpload>;
}

/** A large file under way. */
export interface PartsUpload {
  /** Send part `number`, counted from 1. */
  part(number: number, bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
  /** Make the file of its parts. */
  complete(): Promise<unknown>;
  /** Forget the parts. */
  abort(): Promise<unknown>;
}

/** Most parts that buckets take. */
const MAX_PARTS = 10_000;

/** Sends parts; a file of less than one part is sent whole. */
export class PartsSink implements Sink {
  /** Each chunk is done with when it was written. */
  readonly keepsChunks = false;
  readonly #target: PartsTarget;
  readonly #name: string;
  readonly #gathered: Gathered;
  #upload: PartsUpload | null = null;
  #parts = 0;

  /** To `target`, in parts of `partSize` bytes. */
  constructor(target: PartsTarget, name: string, partSize: number) {
    this.#target = target;
    this.#name = name;
    this.#gathered = new Gathered(partSize);
  }

  /** Keep the chunk, and send what fills a part. */
  async write(chunk: Uint8Array): Promise<void> {
    for (const part of this.#gathered.add(chunk)) await this.#send(part);
  }

  /** Send the rest; the file exists from here on. */
  async close(): Promise<void> {
    const rest = this.#gathered.rest();
    if (this.#upload && rest.length > 0) await this.#send(rest);
    try {
      await (this.#upload ? this.#upload.complete() : this.#target.put(rest));
    } catch (error) {
      // The last answer was lost: the file may be there.
      throw sendError(error, this.#name, "unknown");
    }
  }

  /** Forget what was sent. */
  async abort(): Promise<void> {
    await this.#upload?.abort();
  }

  async #send(part: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      if (this.#parts === MAX_PARTS) {
        throw new SaveError("WRITE_FAILED", `A file of more than ${MAX_PARTS} parts cannot be put: raise partSize`, {
          path: this.#name,
          committed: "no",
        });
      }
      this.#upload ??= await this.#target.begin();
      await this.#upload.part(++this.#parts, part);
    } catch (error) {
      throw sendError(error, this.#name, "no");
    }
  }
}

function sendError(cause: unknown, path: string, committed: "no" | "unknown"): unknown {
  if (cause instanceof PaddleError && cause.name === "SaveError") return cause;
  const what = toldBy(cause);
  return new SaveError("SINK_FAILED", `Cannot put ${JSON.stringify(path)}: ${what}`, { path, committed, cause });
}
