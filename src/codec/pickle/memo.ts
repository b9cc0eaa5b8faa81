/**
 * The memo of a pickle: index to object. Indices usually count up from 0; a hostile file may use any u32, which then costs one entry.
 *
 * @module
 */

const ABSENT = undefined;
/** Maximum number of indices that are skipped at a time, each of which takes a place in a list. */
const MOST_SKIPPED = 64;

/** Maps indices to objects. */
export class Memo {
  /** Number of entries, which MEMOIZE uses as its index (as in CPython, not the largest index). */
  size = 0;
  readonly #dense: unknown[] = [];
  readonly #sparse = new Map<number, unknown>();

  /** Store an object, replacing any with the same index. */
  set(index: number, value: unknown): void {
    const dense = this.#dense;
    if (index < dense.length) {
      if (dense[index] === ABSENT) this.size++;
      dense[index] = value;
    } else if (this.#isNear(index) && !this.#sparse.has(keyOf(index))) {
      while (dense.length < index) dense.push(this.#take(dense.length));
      dense.push(value);
      this.size++;
    } else {
      const { size } = this.#sparse;
      this.#sparse.set(keyOf(index), value);
      if (this.#sparse.size > size) this.size++;
    }
  }

  /** Whether the list may grow to this index: at most half of it stays empty. */
  #isNear(index: number): boolean {
    return index <= this.#dense.length + MOST_SKIPPED && index <= 2 * this.size + MOST_SKIPPED;
  }

  /** End of the indices that count up from 0: the next index in a file that skips none. */
  get length(): number {
    return this.#dense.length;
  }

  /**
   * The entries, if exactly the indices below {@linkcode Memo.length} have objects; else null. A caller that appends to them must update
   * {@linkcode Memo.size} afterwards.
   */
  get packed(): unknown[] | null {
    return this.#sparse.size === 0 && this.size === this.#dense.length ? this.#dense : null;
  }

  /** The object with this index; undefined, which is never a pickle's value, if there is none. */
  get(index: number): unknown {
    return index < this.#dense.length ? this.#dense[index] : this.#sparse.get(keyOf(index));
  }

  #take(index: number): unknown {
    const key = keyOf(index);
    if (!this.#sparse.has(key)) return ABSENT;
    const value = this.#sparse.get(key);
    this.#sparse.delete(key);
    return value;
  }
}

/** Maps each u32 to a distinct int32: engines box numbers from 2^31 on, and take twice as long to look them up. */
function keyOf(index: number): number {
  return index < 2 ** 32 ? index | 0 : index;
}
