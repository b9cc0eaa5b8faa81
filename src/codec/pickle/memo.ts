/**
 * The memo of a pickle: index to object. Indices usually count up from 0; a hostile one may be any u32, and then costs one entry.
 *
 * @module
 */
const ABSENT = undefined;
/** Entries of one piece: a single list would be copied again and again as it grows. */
const PIECE = 2 ** 14;

/** Index to object. */
export class Memo {
  /** Entries: what MEMOIZE takes as its index (CPython: the number of entries, not the largest index). */
  size = 0;
  /** Behind the largest of the indices that count up from 0: the next one of a file that leaves none out. */
  length = 0;
  /** The entries below {@linkcode Memo.length}, in pieces. */
  readonly #pieces: unknown[][] = [[]];
  readonly #sparse = new Map<number, unknown>();

  /** Put an object, in place of one with the same index. */
  set(index: number, value: unknown): void {
    if (index < this.length) {
      const piece = this.#pieces[Math.floor(index / PIECE)];
      if (piece[index % PIECE] === ABSENT) this.size++;
      piece[index % PIECE] = value;
    } else if (index <= this.length + 64 && !this.#sparse.has(index)) {
      while (this.length < index) this.#push(this.#take(this.length));
      this.append(value);
    } else {
      if (!this.#sparse.has(index)) this.size++;
      this.#sparse.set(index, value);
    }
  }

  /** Whether every index below {@linkcode Memo.length} has an object and no other has: MEMOIZE puts behind them. */
  get isPacked(): boolean {
    return this.#sparse.size === 0 && this.size === this.length;
  }

  /** Put an object at the index {@linkcode Memo.length} of a packed memo. */
  append(value: unknown): void {
    this.#push(value);
    this.size++;
  }

  /** The object with this index; undefined, which no pickle holds, where there is none. */
  get(index: number): unknown {
    if (index < this.length) return this.#pieces[Math.floor(index / PIECE)][index % PIECE];
    return this.#sparse.get(index);
  }

  #push(value: unknown): void {
    const at = this.length++ % PIECE;
    if (at === 0 && this.length > 1) this.#pieces.push(new Array(PIECE));
    const piece = this.#pieces[this.#pieces.length - 1];
    // The first piece grows with what is put there: most pickles are small.
    if (at === piece.length) piece.push(value);
    else piece[at] = value;
  }

  #take(index: number): unknown {
    if (!this.#sparse.has(index)) return ABSENT;
    const value = this.#sparse.get(index);
    this.#sparse.delete(index);
    return value;
  }
}
