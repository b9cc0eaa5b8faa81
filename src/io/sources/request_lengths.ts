/**
 * How much to read at a time over a network: little after a jump, because only a name and a shape are wanted there, and more as reading
 * goes on. In total, never more requests than one per 64 KiB of the file, plus two (RULES.md HTTP-11).
 *
 * @module
 */

/** Initial bytes requested at a jump. */
const LEAST = 2048;
/** Maximum bytes requested at a jump, if earlier ones fell short: a bias may lie between two headers. */
const LEARNED = 16_384;
/** A skip of at most this many bytes is not a jump. */
const GAP = 4096;
/** Bytes of the file per request. */
const FAIR = 65_536;
/** Maximum bytes per request. */
const MOST = 2 ** 20;

/** Decides how long the next request is. */
export class RequestLengths {
  readonly #size: number;
  readonly #first: number;
  #requests = 0;
  #end = 0;
  #last = 0;
  /** The offset that the last jump led to. */
  #jump = 0;
  /** Bytes to request at a jump. */
  #usual = LEAST;
  /** Bytes since the last jump. */
  #run = 0;

  /** For a file of `size` bytes, with `first` bytes in the first request. */
  constructor(size: number, first: number = FAIR) {
    this.#size = size;
    this.#first = first;
  }

  /** Number of bytes to request at `offset`, of which `least` are needed. */
  next(offset: number, least: number): number {
    if (least <= 0) return 0;
    const gap = offset - this.#end;
    let length = this.#usual;
    if (this.#requests === 0) length = this.#first;
    else if (gap <= GAP) {
      // Up to a tenth of the run so far may be read in vain.
      length = Math.max(Math.min(FAIR, 2 * this.#last), Math.min(MOST, Math.floor(this.#run / 10)));
      this.#run += gap;
      // The next jump should request this much, plus the header after it.
      const needed = offset + least + LEAST / 2 - this.#jump;
      if (this.#jump > 0 && needed <= LEARNED) this.#usual = Math.max(this.#usual, needed);
    } else {
      this.#run = 0;
      this.#jump = offset;
    }
    // Each FAIR bytes of the file pay for one small request; beyond that, requests are longer.
    if (this.#requests > offset / FAIR) length = Math.max(length, FAIR);
    // Read a short remainder at once: the names are at the end.
    if (this.#size - offset <= FAIR) length = this.#size - offset;
    length = Math.max(length, least);
    this.#requests++;
    this.#last = length;
    this.#run += length;
    this.#end = offset + length;
    return length;
  }
}
