/**
 * A cache of side indexes of recently opened files, so that a client that requests a hundred ranges does not cause a hundred scans of the
 * file.
 */

/** Maximum size of all indexes together, in bytes. */
const MOST = 16 * 2 ** 20;
/** Maximum size of one index, in bytes; larger ones are not kept. */
const MOST_OF_ONE = 4 * 2 ** 20;

interface Kept {
  readonly version: string;
  readonly index: Uint8Array<ArrayBuffer>;
}

/** The most recently used indexes. */
export class KeptIndexes {
  readonly #files = new Map<string, Kept>();
  #size = 0;

  /** The index of this version of a file, if it is kept. */
  get(file: string, version: string): Uint8Array<ArrayBuffer> | null {
    const kept = this.#files.get(file);
    if (kept?.version !== version) return null;
    this.#files.delete(file);
    this.#files.set(file, kept);
    return kept.index;
  }

  /** Keep an index, evicting the least recently used ones. */
  set(file: string, version: string, index: Uint8Array<ArrayBuffer>): void {
    this.#drop(file);
    if (index.length > MOST_OF_ONE) return;
    this.#files.set(file, { version, index });
    this.#size += index.length;
    for (const oldest of this.#files.keys()) {
      if (this.#size <= MOST) break;
      this.#drop(oldest);
    }
  }

  #drop(file: string): void {
    this.#size -= this.#files.get(file)?.index.length ?? 0;
    this.#files.delete(file);
  }
}
