/**
 * A cache of what was computed from recently opened files, their side indexes and safetensors headers, so that a client that requests a
 * hundred ranges does not cause a hundred scans of the file.
 */

/** Maximum size of everything together, in bytes. */
const MOST = 16 * 2 ** 20;
/** Maximum size of one item, in bytes; larger ones are not kept. */
export const MOST_OF_ONE = 4 * 2 ** 20;

/** Kept instead of something too large: it need not be computed only to be dropped. */
export const TOO_LARGE = new Uint8Array();

interface Kept {
  readonly version: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The most recently used items; the key of each has the name of its file. */
export class KeptBytes {
  readonly #items = new Map<string, Kept>();
  #size = 0;

  /** The item of this version of its file, if it is kept. */
  get(key: string, version: string): Uint8Array<ArrayBuffer> | null {
    const kept = this.#items.get(key);
    if (kept?.version !== version) return null;
    this.#items.delete(key);
    this.#items.set(key, kept);
    return kept.bytes;
  }

  /** Keep an item, evicting the least recently used ones. */
  set(key: string, version: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.#drop(key);
    this.#items.set(key, { version, bytes: bytes.length > MOST_OF_ONE ? TOO_LARGE : bytes });
    this.#size += this.#sizeOf(key);
    for (const oldest of this.#items.keys()) {
      if (this.#size <= MOST) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#size -= this.#sizeOf(key);
    this.#items.delete(key);
  }

  /** Names take memory, too, if there are many. */
  #sizeOf(key: string): number {
    const kept = this.#items.get(key);
    return kept ? kept.bytes.length + 2 * (key.length + kept.version.length) + 100 : 0;
  }
}
