/**
 * A file that a page offers to the user: a browser download.
 *
 * @module
 */
import { SaveError, UnsupportedError } from "../../errors.ts";
import type { Sink } from "../sink.ts";

/** Maximum bytes of a download: all of it is in the browser's memory first. */
const MOST = 256 * 2 ** 20;

/**
 * A download through a link that is clicked: what `save` writes is offered under `name` once it is complete. Limited to 256 MiB; for more,
 * save to a handle of `showSaveFilePicker()`, where the browser has it.
 *
 * @example A download of a value
 * ```ts
 * import { DownloadSink, save, type Value } from "@oarlock/paddle";
 *
 * async function offer(value: Value) {
 *   await save(value, new DownloadSink("model.pdparams"));
 * }
 * ```
 */
export class DownloadSink implements Sink {
  /** A chunk is not read after its write. */
  readonly keepsChunks = false;
  readonly #name: string;
  #parts: Blob[] | null = [];
  #size = 0;

  /**
   * A download named `name`.
   *
   * @throws {UnsupportedError} `UNSUPPORTED_RUNTIME`: there is no document
   */
  constructor(name: string) {
    if (typeof document !== "object") {
      throw new UnsupportedError("UNSUPPORTED_RUNTIME", "A download needs a web page");
    }
    this.#name = name;
  }

  /**
   * Refuse a download that is too large before any of it exists.
   *
   * @throws {SaveError} `DISK_FULL` if `size` is more than 256 MiB
   */
  expect(size: number): void {
    if (size <= MOST) return;
    throw new SaveError("DISK_FULL", `A download of ${size} bytes would be in memory whole, and ${MOST} are the most`, {
      committed: "no",
      hint: "save to a handle from showSaveFilePicker()",
    });
  }

  /** Keep the chunk as a Blob, which the browser may store on disk. */
  write(chunk: Uint8Array): void {
    this.#size += chunk.length;
    this.expect(this.#size);
    this.#parts?.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
  }

  /** Offer the download, once. */
  close(): void {
    if (!this.#parts) return;
    const url = URL.createObjectURL(new Blob(this.#parts, { type: "application/octet-stream" }));
    this.#parts = null;
    const link = document.createElement("a");
    link.href = url;
    link.download = this.#name;
    link.click();
    // The download starts once the click is handled; a minute is plenty even for slow ones.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  /** Drop what was written. */
  abort(): void {
    this.#parts = null;
  }
}
