/**
 * The 64-bit Mersenne Twister (Matsumoto and Nishimura), seeded through C++'s `std::seed_seq`: the engine of Paddle's CPU generator. 64-bit
 * words are stored as pairs of 32-bit halves, since BigInt arithmetic is many times slower.
 *
 * @module
 */

/** MT19937-64: words of state, and the offset `m` of the recurrence. */
const WORDS = 312, MIDDLE = 156;

/** Generates 64 random bits at a time. */
export class MersenneTwister {
  readonly #high = new Uint32Array(WORDS);
  readonly #low = new Uint32Array(WORDS);
  #next = WORDS;
  /** The upper half of the last number drawn. */
  high = 0;
  /** The lower half of the last number drawn. */
  low = 0;

  /** Seeds the engine; only the lower 32 bits of the seed count, as in `std::seed_seq({seed})`. */
  constructor(seed: number) {
    const state = seedSequence(seed >>> 0, 2 * WORDS);
    for (let i = 0; i < WORDS; i++) [this.#low[i], this.#high[i]] = [state[2 * i], state[2 * i + 1]];
  }

  /** Draw the next number into {@linkcode MersenneTwister.high} and {@linkcode MersenneTwister.low}. */
  draw(): void {
    if (this.#next === WORDS) this.#twist();
    let high = this.#high[this.#next], low = this.#low[this.#next];
    this.#next++;
    // x ^= (x >>> 29) & 0x5555555555555555
    low ^= ((low >>> 29) | (high << 3)) & 0x55555555;
    high ^= (high >>> 29) & 0x55555555;
    // x ^= (x << 17) & 0x71d67fffeda60000
    high ^= ((high << 17) | (low >>> 15)) & 0x71d67fff;
    low ^= (low << 17) & 0xeda60000;
    // x ^= (x << 37) & 0xfff7eee000000000
    high ^= (low << 5) & 0xfff7eee0;
    // x ^= x >>> 43
    low ^= high >>> 11;
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  #twist(): void {
    const high = this.#high, low = this.#low;
    for (let i = 0; i < WORDS; i++) {
      const next = i + 1 === WORDS ? 0 : i + 1;
      const middle = i + MIDDLE < WORDS ? i + MIDDLE : i + MIDDLE - WORDS;
      // The upper 33 bits of one word, the lower 31 of the next.
      const upper = high[i], lower = (low[i] & 0x80000000) | (low[next] & 0x7fffffff);
      const odd = lower & 1;
      low[i] = low[middle] ^ ((lower >>> 1) | (upper << 31)) ^ (odd ? 0xa96619e9 : 0);
      high[i] = high[middle] ^ (upper >>> 1) ^ (odd ? 0xb5026f5a : 0);
    }
    this.#next = 0;
  }
}

/** `std::seed_seq({seed}).generate` (ISO C++ [rand.util.seedseq]). */
function seedSequence(seed: number, n: number): Uint32Array {
  const b = new Uint32Array(n).fill(0x8b8b8b8b);
  const mix = (x: number) => x ^ (x >>> 27);
  const t = 11, p = (n - t) / 2 | 0, q = p + t;
  for (let k = 0; k < n; k++) {
    const i = k, ip = (k + p) % n, iq = (k + q) % n, before = (k + n - 1) % n;
    const r1 = Math.imul(1664525, mix(b[i] ^ b[ip] ^ b[before]));
    const r2 = r1 + (k === 0 ? 1 : k === 1 ? k + seed : k);
    b[ip] += r1;
    b[iq] += r2;
    b[i] = r2;
  }
  for (let k = 0; k < n; k++) {
    const i = k, ip = (k + p) % n, iq = (k + q) % n, before = (k + n - 1) % n;
    const r3 = Math.imul(1566083941, mix(b[i] + b[ip] + b[before] | 0));
    const r4 = r3 - i;
    b[ip] ^= r3;
    b[iq] ^= r4;
    b[i] = r4;
  }
  return b;
}
