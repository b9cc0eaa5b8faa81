/**
 * The memo of a pickle: index to object. Indices usually count up from 0; a hostile one may be any u32, and then costs one entry.
 *
 * @module
 */
const ABSENT = undefined;
/** Index to object. */
export class Memo {
  /** Entries: what MEMOIZE takes as its index (CPython: the number of entries, not the largest index). */
  size = 0;
  readonly #dense: unknown[] = [];
  readonly #sparse = new Map<number, unknown>();

  /** Put an object, in place of one with the same index. */
  set(index: number, value: unknown): void {
    const dense = this.#dense;
    if (index < dense.length) {
      if (dense[index] === ABSENT) this.size++;
      dense[index] = value;
    } else if (index <= dense.length + 64 && !this.#sparse.has(keyOf(index))) {
      while (dense.length < index) dense.push(this.#take(dense.length));
      dense.push(value);
      this.size++;
    } else {
      const { size } = this.#sparse;
      this.#sparse.set(keyOf(index), value);
      if (this.#sparse.size > size) this.size++;
    }
  }

  /** Behind the largest of the indices that count up from 0: the next one of a file that leaves none out. */
  get length(): number {
    return this.#dense.length;
  }

  /**
   * The entries, where every index below {@linkcode Memo.length} has an object and no other has; else null. Who appends to them sets
   * {@linkcode Memo.size} afterwards.
   */
  get packed(): unknown[] | null {
    return this.#sparse.size === 0 && this.size === this.#dense.length ? this.#dense : null;
  }

  /** The object with this index; undefined, which no pickle holds, where there is none. */
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

/** Another number for each index: engines have objects for numbers from 2^31 on, and look for them twice as long. */
function keyOf(index: number): number {
  return index < 2 ** 32 ? index | 0 : index;
}
