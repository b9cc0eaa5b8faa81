/**
 * A Blob or File as a source: read in slices, because some browsers give the whole of a blob as one chunk.
 *
 * @module
 */
import { SourceError } from "../errors.ts";
import type { Source } from "./source.ts";

/** Bytes of one slice. */
const SLICE = 8 * 2 ** 20;

/** A Blob or File. */
export class BlobSource implements Source {
  readonly size: number;
  readonly name?: string;
  readonly #blob: Blob;

  /** Over `blob`; the name is its own where none is given. */
  constructor(blob: Blob, name?: string) {
    this.#blob = blob;
    this.size = blob.size;
    if (name !== undefined) this.name = name;
    else if ("name" in blob && typeof blob.name === "string") this.name = blob.name;
  }

  /** Read a slice. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    const end = Math.min(this.size, offset + Math.min(into.length, SLICE));
    try {
      const bytes = new Uint8Array(await this.#blob.slice(offset, end).arrayBuffer());
      into.set(bytes);
      return bytes.length;
    } catch (error) {
      // A file behind a Blob that changed is "not readable" (File API, snapshot state).
      const changed = error instanceof Error && error.name === "NotReadableError";
      throw new SourceError(
        changed ? "SOURCE_CHANGED" : "READ_FAILED",
        `The blob could not be read at byte ${offset}`,
        {
          offset,
          path: this.name,
          cause: error,
        },
      );
    }
  }
}
