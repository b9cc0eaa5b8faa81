/**
 * How much to read at a time over a network: little at a jump, because only a name and a shape are wanted there, and more as the reading
 * goes on. In all, never more requests than one for each 64 KiB of the file and two (hardening H-HTTP-11).
 *
 * @module
 */

/** Bytes at a jump. */
const LEAST = 2048;
/** A skip that is no jump. */
const GAP = 4096;
/** Bytes that pay for one request. */
const FAIR = 65_536;
const MOST = 2 ** 20;

/** Tells the next request's length. */
export class Pace {
  #requests = 0;
  #end = 0;
  #last = 0;
  /** Bytes since the last jump. */
  #run = 0;

  /** Bytes to ask for at `offset`, of which `least` are needed. */
  next(offset: number, least: number): number {
    if (least <= 0) return 0;
    const gap = offset - this.#end;
    let length = LEAST;
    if (this.#requests === 0) length = FAIR;
    else if (gap <= GAP) {
      // A tenth of what was needed so far may turn out not to be.
      length = Math.max(Math.min(FAIR, 2 * this.#last), Math.min(MOST, Math.floor(this.#run / 10)));
      this.#run += gap;
    } else this.#run = 0;
    // Small requests are a credit that the bytes behind us have earned.
    if (this.#requests > offset / FAIR) length = Math.max(length, FAIR);
    length = Math.max(length, least);
    this.#requests++;
    this.#last = length;
    this.#run += length;
    this.#end = offset + length;
    return length;
  }
}
