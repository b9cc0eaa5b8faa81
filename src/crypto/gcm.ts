/**
 * GCM (NIST SP 800-38D) with initialization vectors and tags of any length, which not every runtime's WebCrypto supports: WebCrypto does
 * the counter mode, and the authentication is computed here.
 *
 * @module
 */
import { encryptBlocks } from "./aes_block.ts";

const BLOCK = 16;
/** Blocks authenticated per turn of the event loop. */
const STEP = 4096;

/** The initial counter block of a message, which is encrypted with the blocks after it. */
export function* counterBlock(iv: Uint8Array, key: Uint8Array): Generator<void, Uint8Array<ArrayBuffer>> {
  const counter = new Uint8Array(BLOCK);
  if (iv.length !== 12) {
    counter.set(yield* hash(iv, 0, 8 * iv.length, key));
    return counter;
  }
  counter.set(iv);
  counter[15] = 1;
  return counter;
}

/** The next counter block: the last 32 bits are the counter. */
export function following(block: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = block.slice();
  const view = new DataView(next.buffer);
  view.setUint32(12, view.getUint32(12) + 1);
  return next;
}

/** The 16-byte tag of a message without additional data, from its ciphertext and initial counter block. */
export function* tagOf(
  encrypted: Uint8Array,
  counter: Uint8Array,
  key: Uint8Array,
): Generator<void, Uint8Array<ArrayBuffer>> {
  const tag = yield* hash(encrypted, 0, 8 * encrypted.length, key);
  const mask = counter.slice();
  encryptBlocks(mask, key);
  for (let i = 0; i < BLOCK; i++) tag[i] ^= mask[i];
  return tag;
}

/** GHASH of `bytes`, zero-padded to whole blocks, and of a block with two lengths in bits. */
function* hash(
  bytes: Uint8Array,
  first: number,
  second: number,
  key: Uint8Array,
): Generator<void, Uint8Array<ArrayBuffer>> {
  const sum = new Field(key);
  const whole = bytes.length - bytes.length % BLOCK;
  for (let at = 0; at < whole; at += STEP * BLOCK) {
    sum.add(bytes.subarray(at, Math.min(whole, at + STEP * BLOCK)));
    yield;
  }
  const end = new Uint8Array((whole < bytes.length ? 2 : 1) * BLOCK);
  end.set(bytes.subarray(whole));
  const view = new DataView(end.buffer, end.length - BLOCK);
  view.setBigUint64(0, BigInt(first));
  view.setBigUint64(8, BigInt(second));
  sum.add(end);
  return sum.value();
}

/** For each value of four bits shifted out of a product: what is added to its first 32 bits. */
const REDUCED = /* @__PURE__ */ Uint32Array.from({ length: 16 }, (_, out) => {
  let sum = 0;
  for (let k = 0; k < 4; k++) {
    sum = (sum >>> 1) ^ (out & 1 ? 0xe1000000 : 0);
    out >>= 1;
  }
  return sum;
});

/** A sum in GF(2^128), multiplied by the hash key H after every block. Bits are in GCM's order: the first is the lowest power. */
class Field {
  /** H times every polynomial of four bits, as four words each. */
  readonly #products = new Uint32Array(4 * 16);
  readonly #sum = new Uint32Array(4);

  constructor(key: Uint8Array) {
    const h = new Uint8Array(BLOCK);
    encryptBlocks(h, key);
    const view = new DataView(h.buffer);
    const product = Array.from({ length: 4 }, (_, i) => view.getUint32(4 * i));
    for (let bit = 8; bit > 0; bit >>= 1) {
      for (let n = bit; n < 16; n++) {
        if (n & bit) { for (let i = 0; i < 4; i++) this.#products[4 * n + i] ^= product[i]; }
      }
      const out = product[3] & 1;
      for (let i = 3; i > 0; i--) product[i] = ((product[i] >>> 1) | (product[i - 1] << 31)) >>> 0;
      product[0] = ((product[0] >>> 1) ^ (out ? 0xe1000000 : 0)) >>> 0;
    }
  }

  /** Add whole blocks. */
  add(blocks: Uint8Array): void {
    const products = this.#products;
    const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
    let [a, b, c, d] = this.#sum;
    for (let at = 0; at < blocks.length; at += BLOCK) {
      const words = [
        a ^ view.getUint32(at),
        b ^ view.getUint32(at + 4),
        c ^ view.getUint32(at + 8),
        d ^ view.getUint32(at + 12),
      ];
      a = 0;
      b = 0;
      c = 0;
      d = 0;
      // Horner's rule, four bits at a time from the highest powers down.
      for (let i = 3; i >= 0; i--) {
        for (let shift = 0; shift < 32; shift += 4) {
          const reduced = REDUCED[d & 15];
          d = (d >>> 4) | (c << 28);
          c = (c >>> 4) | (b << 28);
          b = (b >>> 4) | (a << 28);
          a = (a >>> 4) ^ reduced;
          const n = 4 * ((words[i] >>> shift) & 15);
          a ^= products[n];
          b ^= products[n + 1];
          c ^= products[n + 2];
          d ^= products[n + 3];
        }
      }
    }
    this.#sum.set([a, b, c, d]);
  }

  /** The sum's 16 bytes. */
  value(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(BLOCK);
    const view = new DataView(bytes.buffer);
    this.#sum.forEach((word, i) => view.setUint32(4 * i, word));
    return bytes;
  }
}
