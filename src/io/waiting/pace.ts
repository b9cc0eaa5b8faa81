/**
 * How much to read at a time over a network: little at a jump, because only a name and a shape are wanted there, and more as the reading
 * goes on. In all, never more requests than one for each 64 KiB of the file and two (hardening H-HTTP-11).
 *
 * @module
 */

/** Bytes at a jump. */
const LEAST = 2048;
/** Bytes at a jump where the one before had to go on: a bias may lie between two heads. */
const LEARNED = 16_384;
/** A skip that is no jump. */
const GAP = 4096;
/** Bytes that pay for one request. */
const FAIR = 65_536;
const MOST = 2 ** 20;

/** Tells the next request's length. */
export class Pace {
  readonly #size: number;
  #requests = 0;
  #end = 0;
  #last = 0;
  /** Where the last jump led to. */
  #jump = 0;
  /** What a jump asks for. */
  #usual = LEAST;
  /** Bytes since the last jump. */
  #run = 0;

  /** For a file of `size` bytes. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes to ask for at `offset`, of which `least` are needed. */
  next(offset: number, least: number): number {
    if (least <= 0) return 0;
    const gap = offset - this.#end;
    let length = this.#usual;
    if (this.#requests === 0) length = FAIR;
    else if (gap <= GAP) {
      // A tenth of what was needed so far may turn out not to be.
      length = Math.max(Math.min(FAIR, 2 * this.#last), Math.min(MOST, Math.floor(this.#run / 10)));
      this.#run += gap;
      // The next jump had better bring this much, and a head behind it.
      const needed = offset + least + LEAST / 2 - this.#jump;
      if (this.#jump > 0 && needed <= LEARNED) this.#usual = Math.max(this.#usual, needed);
    } else {
      this.#run = 0;
      this.#jump = offset;
    }
    // Small requests are a credit that the bytes behind us have earned.
    if (this.#requests > offset / FAIR) length = Math.max(length, FAIR);
    // What little is left comes at once: names stand at the end.
    if (this.#size - offset <= FAIR) length = this.#size - offset;
    length = Math.max(length, least);
    this.#requests++;
    this.#last = length;
    this.#run += length;
    this.#end = offset + length;
    return length;
  }
}
