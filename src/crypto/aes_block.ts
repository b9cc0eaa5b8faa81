/**
 * AES, one block at a time (FIPS 197): for ECB, which WebCrypto lacks, and whose encryption none of its modes can emulate.
 *
 * @module
 */

/** The S-box. */
const SBOX = /* @__PURE__ */ substitution();
/** Substitution and mixing of one byte, as its contribution to a column; those of the other rows are rotations of it. */
const MIXED = /* @__PURE__ */ Uint32Array.from(SBOX, (s) => {
  const twice = double(s);
  return ((twice << 24) | (s << 16) | (s << 8) | (twice ^ s)) >>> 0;
});

function double(x: number): number {
  return ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;
}

function substitution(): Uint8Array {
  const box = new Uint8Array(256);
  // p runs through all nonzero bytes as powers of 3, q through their inverses.
  let p = 1, q = 1;
  do {
    p ^= double(p);
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q &= 0xff;
    if (q & 0x80) q ^= 0x09;
    const x = q ^ rotate8(q, 1) ^ rotate8(q, 2) ^ rotate8(q, 3) ^ rotate8(q, 4);
    box[p] = x ^ 0x63;
  } while (p !== 1);
  box[0] = 0x63;
  return box;
}

function rotate8(x: number, n: number): number {
  return ((x << n) | (x >> (8 - n))) & 0xff;
}

function substituted(word: number): number {
  return ((SBOX[word >>> 24] << 24) | (SBOX[(word >>> 16) & 255] << 16) | (SBOX[(word >>> 8) & 255] << 8) |
    SBOX[word & 255]) >>> 0;
}

/** The round keys for a key of 16, 24 or 32 bytes. */
function expand(key: Uint8Array): Uint32Array {
  const n = key.length / 4;
  const words = new Uint32Array(4 * (n + 7));
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  let constant = 1;
  for (let i = 0; i < words.length; i++) {
    if (i < n) {
      words[i] = view.getUint32(4 * i);
      continue;
    }
    let word = words[i - 1];
    if (i % n === 0) {
      word = substituted((word << 8) | (word >>> 24)) ^ (constant << 24);
      constant = double(constant);
    } else if (n > 6 && i % n === 4) word = substituted(word);
    words[i] = words[i - n] ^ word;
  }
  return words;
}

/** Bytes encrypted per turn of the event loop. */
const STEP = 2 ** 18;

/** {@linkcode encryptBlocks} in steps, between which other work may run. */
export function* encryptInSteps(bytes: Uint8Array, key: Uint8Array): Generator<void, void> {
  for (let at = 0; at < bytes.length; at += STEP) {
    encryptBlocks(bytes.subarray(at, at + STEP), key);
    yield;
  }
}

/** Encrypt every block of 16 bytes of `bytes`, in place and independently. */
export function encryptBlocks(bytes: Uint8Array, key: Uint8Array): void {
  const keys = expand(key);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = keys.length - 4;
  const state = new Uint32Array(4), next = new Uint32Array(4);
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    for (let i = 0; i < 4; i++) state[i] = view.getUint32(at + 4 * i) ^ keys[i];
    for (let round = 4; round < last; round += 4) {
      for (let i = 0; i < 4; i++) {
        const b = MIXED[(state[(i + 1) & 3] >>> 16) & 255];
        const c = MIXED[(state[(i + 2) & 3] >>> 8) & 255], d = MIXED[state[(i + 3) & 3] & 255];
        next[i] = MIXED[state[i] >>> 24] ^ ((b >>> 8) | (b << 24)) ^ ((c >>> 16) | (c << 16)) ^
          ((d >>> 24) | (d << 8)) ^
          keys[round + i];
      }
      state.set(next);
    }
    for (let i = 0; i < 4; i++) {
      const word = (SBOX[state[i] >>> 24] << 24) | (SBOX[(state[(i + 1) & 3] >>> 16) & 255] << 16) |
        (SBOX[(state[(i + 2) & 3] >>> 8) & 255] << 8) | SBOX[state[(i + 3) & 3] & 255];
      view.setUint32(at + 4 * i, word ^ keys[last + i]);
    }
  }
}
