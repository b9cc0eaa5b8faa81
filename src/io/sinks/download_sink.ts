/**
 * A file that a page gives to be kept: the browser's download.
 *
 * @module
 */
import { SaveError, UnsupportedError } from "../../errors.ts";
import type { Sink } from "../sink.ts";

/** Most bytes of a download: the whole is in the browser's memory first. */
const MOST = 256 * 2 ** 20;

/**
 * A download by a link that is clicked: what `save` writes is offered under `name` when it is whole. Up to 256 MiB; beyond that a handle of
 * `showSaveFilePicker()` is the way, where the browser has one.
 */
export class DownloadSink implements Sink {
  /** Each chunk is done with when it was written. */
  readonly keepsChunks = false;
  readonly #name: string;
  #parts: Blob[] = [];
  #size = 0;

  /**
   * A download called `name`.
   *
   * @throws {UnsupportedError} `UNSUPPORTED_RUNTIME`: there is no page here
   */
  constructor(name: string) {
    if (typeof document !== "object") {
      throw new UnsupportedError("UNSUPPORTED_RUNTIME", "There is no page here that could offer a download");
    }
    this.#name = name;
  }

  /** Keep the chunk, where the browser likes: blobs may lie on its disk. */
  write(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > MOST) {
      throw new SaveError("DISK_FULL", `A download of more than ${MOST} bytes would be in memory whole`, {
        committed: "no",
        hint: "save to a handle of showSaveFilePicker()",
      });
    }
    this.#parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
  }

  /** Offer it. */
  close(): void {
    const url = URL.createObjectURL(new Blob(this.#parts, { type: "application/octet-stream" }));
    this.#parts = [];
    const link = document.createElement("a");
    link.href = url;
    link.download = this.#name;
    link.click();
    // The download has begun when the click has been worked off; a minute is plenty for slow ones.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  /** Forget it. */
  abort(): void {
    this.#parts = [];
  }
}
