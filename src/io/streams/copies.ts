/**
 * Copies of bytes for somebody who may keep them, but mostly drops them soon.
 *
 * @module
 */
import { collectGarbage } from "../platform.ts";

/** Bytes copied between two requests for garbage collection. */
const COLLECT_AFTER = 64 * 2 ** 20;

/** Makes copies, and has dropped ones collected. */
export class Copies {
  #bytes = 0;

  /** A copy of `bytes`. */
  of(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#bytes += bytes.length;
    if (this.#bytes > COLLECT_AFTER) {
      this.#bytes = bytes.length;
      collectGarbage();
    }
    return bytes.slice();
  }
}
