/**
 * Bytes in memory as a source.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";
import { plainBytes } from "../../words/plain_bytes.ts";
import type { Source } from "../source.ts";

/** Bytes in memory. */
export class BytesSource implements Source {
  readonly size: number;
  readonly name?: string;
  readonly version?: string;
  readonly #bytes: Uint8Array;
  /** Change the bytes themselves. Present only where they are the caller's own memory, not a copy of it. */
  readonly edit?: (offset: number, bytes: Uint8Array) => Promise<void>;

  /** Over `bytes`, which are not copied, and are changed only if `writable`; they are those of `version`. */
  constructor(
    bytes: Uint8Array,
    name?: string,
    { writable = false, version }: { writable?: boolean; version?: string } = {},
  ) {
    this.#bytes = plainBytes(bytes);
    this.size = bytes.length;
    this.name = name;
    this.version = version;
    if (writable) {
      this.edit = (offset, replacement) => Promise.resolve(this.view(offset, replacement.length).set(replacement));
    }
  }

  /** Copy bytes from `offset` on. */
  read(offset: number, into: Uint8Array): Promise<number> {
    return Promise.resolve(this.readSync(offset, into));
  }

  /** Copy bytes from `offset` on, synchronously. */
  readSync(offset: number, into: Uint8Array): number {
    const part = this.view(offset, Math.min(into.length, this.size - offset));
    into.set(part);
    return part.length;
  }

  /** The bytes themselves. */
  view(offset: number, length: number): Uint8Array {
    if (this.#bytes.length !== this.size) {
      throw new SourceError("SOURCE_CHANGED", "The buffer changed its length while being read");
    }
    return offset === 0 && length === this.size ? this.#bytes : this.#bytes.subarray(offset, offset + length);
  }
}
