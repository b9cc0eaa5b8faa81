/** Side indexes of files that were opened lately, so that a reader who asks for a hundred ranges does not have the file looked through each time. */

/** Bytes of all indexes together. */
const MOST = 16 * 2 ** 20;
/** Bytes of one: of a file with more structure, nothing is kept. */
const MOST_OF_ONE = 4 * 2 ** 20;

interface Kept {
  readonly version: string;
  readonly index: Uint8Array<ArrayBuffer>;
}

/** The indexes that were used last. */
export class KeptIndexes {
  readonly #files = new Map<string, Kept>();
  #size = 0;

  /** The index of a file in this version. */
  get(file: string, version: string): Uint8Array<ArrayBuffer> | null {
    const kept = this.#files.get(file);
    if (kept?.version !== version) return null;
    this.#files.delete(file);
    this.#files.set(file, kept);
    return kept.index;
  }

  /** Keep it, in place of what is longest unused. */
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
