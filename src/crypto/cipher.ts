/**
 * Encrypted files as Paddle writes them: the initialization vector, the ciphertext, and for GCM the tag. AES through WebCrypto, and through
 * modules beside this one where WebCrypto lacks a mode: encryption by ECB, and GCM with unusual lengths.
 *
 * @module
 */
import { FormatError, UnsupportedError, ValueError } from "../errors.ts";
import { encryptInSteps } from "./aes_block.ts";
import { inTurns } from "../io/waiting/turns.ts";
import { within } from "../io/waiting/within.ts";
import { checkStop, type StopOptions } from "../options.ts";
import { joinBytes } from "../words/joined_bytes.ts";
import { checkedBytes, plainBytes } from "../words/plain_bytes.ts";
import { checkConfig, type CipherConfig } from "./config.ts";
import { counterBlock, following, tagOf } from "./gcm.ts";

const BLOCK = 16;

/**
 * Decrypt the bytes of a file. Mirrors `Cipher.decrypt` (Paddle 2.0 and later).
 *
 * GCM verifies key and bytes. CBC and ECB detect most wrong keys by the padding; CTR detects none: a wrong key gives garbage.
 *
 * @throws {ValueError} `INVALID_VALUE`: a key that does not have 16, 24 or 32 bytes, or an invalid configuration
 * @throws {FormatError} `TRUNCATED`, `BAD_LENGTH`: such a file must be longer, or consist of whole blocks; `HASH_MISMATCH` (GCM),
 *   `WRONG_FORMAT` (CBC, ECB): the key is wrong, or the bytes were changed
 * @throws {UnsupportedError} `UNSUPPORTED_RUNTIME`: this runtime lacks WebCrypto, or the cipher in it
 *
 * @example
 * ```ts
 * import { crypto } from "@oarlock/paddle";
 * const key = crypto.CipherUtils.genKey(256);
 * const file = await crypto.encrypt(Uint8Array.of(1, 2, 3), key, { cipherName: "AES_GCM_NoPadding" });
 * const plain = await crypto.decrypt(file, key, { cipherName: "AES_GCM_NoPadding" });
 * if (plain[2] !== 3) throw new Error("lost");
 * ```
 */
export async function decrypt(
  bytes: Uint8Array,
  key: Uint8Array,
  config: CipherConfig = {},
  options: StopOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { cipherName, ivSize, tagSize } = checkConfig(config);
  const aesKey = ownKey(key), given = checkedBytes(bytes);
  const signal = checkStop(options);
  const ivBytes = cipherName === "AES_ECB_PKCSPadding" ? 0 : ivSize / 8;
  const least = ivBytes +
    (cipherName === "AES_GCM_NoPadding" ? tagSize / 8 : cipherName === "AES_CTR_NoPadding" ? 0 : BLOCK);
  if (given.length < least) {
    throw new FormatError(
      "TRUNCATED",
      `A file of ${cipherName} has at least ${least} bytes: this one has ${given.length}`,
      {
        offset: given.length,
        expected: least,
        actual: given.length,
      },
    );
  }
  // Copies: WebCrypto does not accept shared memory, and the caller may reuse the buffer meanwhile.
  const iv = given.slice(0, ivBytes), data = given.slice(ivBytes);
  if (cipherName.endsWith("PKCSPadding") && data.length % BLOCK !== 0) {
    throw new FormatError(
      "BAD_LENGTH",
      `A file of ${cipherName} has whole blocks of 16 bytes: ${data.length % BLOCK} are left`,
      {
        offset: given.length - data.length % BLOCK,
        actual: given.length,
      },
    );
  }
  if (cipherName === "AES_ECB_PKCSPadding") return await within(decryptEcb(data, aesKey), Infinity, signal);
  if (isOddGcm(cipherName, ivSize, tagSize)) return await decryptGcm(iv, data, tagSize / 8, aesKey, signal);
  const { name, parameters } = modeOf(cipherName, iv, tagSize);
  const imported = await importKey(aesKey, name, ["decrypt"]);
  try {
    return new Uint8Array(await within(subtle().decrypt(parameters, imported, data), Infinity, signal));
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw wrongKey(cipherName, cause);
  }
}

/**
 * Encrypt bytes, with a new random initialization vector. Mirrors `Cipher.encrypt` (Paddle 2.0 and later).
 *
 * @throws {ValueError} `INVALID_VALUE`: a key that does not have 16, 24 or 32 bytes, or an invalid configuration
 * @throws {UnsupportedError} `UNSUPPORTED_RUNTIME`: this runtime lacks WebCrypto, or the cipher in it
 */
export async function encrypt(
  bytes: Uint8Array,
  key: Uint8Array,
  config: CipherConfig = {},
  options: StopOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { cipherName, ivSize, tagSize } = checkConfig(config);
  const aesKey = ownKey(key), given = checkedBytes(bytes);
  const signal = checkStop(options);
  if (cipherName === "AES_ECB_PKCSPadding") {
    const padding = BLOCK - given.length % BLOCK;
    const padded = new Uint8Array(given.length + padding).fill(padding);
    padded.set(given);
    await inTurns(encryptInSteps(padded, aesKey), signal);
    return padded;
  }
  // A copy, for the same reasons as in `decrypt`.
  const plain = given.slice();
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(ivSize / 8));
  if (isOddGcm(cipherName, ivSize, tagSize)) return await encryptGcm(iv, plain, tagSize / 8, aesKey, signal);
  const { name, parameters } = modeOf(cipherName, iv, tagSize);
  const imported = await importKey(aesKey, name, ["encrypt"]);
  const data = new Uint8Array(await within(subtle().encrypt(parameters, imported, plain), Infinity, signal));
  return joinBytes([iv, data]);
}

/** Whether the cipher is GCM with lengths that the WebCrypto of some runtime refuses. */
function isOddGcm(cipherName: string, ivSize: number, tagSize: number): boolean {
  return cipherName === "AES_GCM_NoPadding" && !(tagSize === 128 && (ivSize === 96 || ivSize === 128));
}

async function decryptGcm(
  iv: Uint8Array,
  data: Uint8Array,
  tagBytes: number,
  key: Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const encrypted = data.slice(0, data.length - tagBytes), tag = data.subarray(data.length - tagBytes);
  const counter = await inTurns(counterBlock(iv, key), signal);
  const expected = await inTurns(tagOf(encrypted, counter, key), signal);
  if (tag.some((byte, i) => byte !== expected[i])) throw wrongKey("AES_GCM_NoPadding");
  return await counted(encrypted, counter, key, signal);
}

async function encryptGcm(
  iv: Uint8Array,
  plain: Uint8Array<ArrayBuffer>,
  tagBytes: number,
  key: Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const counter = await inTurns(counterBlock(iv, key), signal);
  const encrypted = await counted(plain, counter, key, signal);
  const tag = await inTurns(tagOf(encrypted, counter, key), signal);
  return joinBytes([iv, encrypted, tag.subarray(0, tagBytes)]);
}

/** Encrypt or decrypt (the same operation) in counter mode, starting at the block after `counter`. */
async function counted(
  bytes: Uint8Array<ArrayBuffer>,
  counter: Uint8Array,
  key: Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await importKey(key, "AES-CTR", ["encrypt"]);
  const parameters = { name: "AES-CTR", counter: following(counter), length: 32 };
  return new Uint8Array(await within(subtle().encrypt(parameters, imported, bytes), Infinity, signal));
}

/**
 * ECB by way of CBC, which XORs every decrypted block with the ciphertext block before it; that is undone here. WebCrypto requires padding,
 * so a block is appended that decrypts to nothing but padding.
 */
async function decryptEcb(
  data: Uint8Array<ArrayBuffer>,
  key: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await importKey(key, "AES-CBC", ["decrypt", "encrypt"]);
  const last = data.slice(-BLOCK);
  const end = new Uint8Array(await subtle().encrypt({ name: "AES-CBC", iv: last }, imported, new Uint8Array(0)));
  const longer = new Uint8Array(data.length + BLOCK);
  longer.set(data);
  longer.set(end, data.length);
  const plain = new Uint8Array(
    await subtle().decrypt({ name: "AES-CBC", iv: new Uint8Array(BLOCK) }, imported, longer),
  );
  for (let i = BLOCK; i < plain.length; i++) plain[i] ^= data[i - BLOCK];
  const padding = plain[plain.length - 1];
  if (padding < 1 || padding > BLOCK || plain.subarray(-padding).some((byte) => byte !== padding)) {
    throw wrongKey("AES_ECB_PKCSPadding");
  }
  return plain.slice(0, -padding);
}

function modeOf(
  cipherName: string,
  iv: Uint8Array<ArrayBuffer>,
  tagSize: number,
): { name: string; parameters: AesCbcParams | AesCtrParams | AesGcmParams } {
  if (cipherName === "AES_CBC_PKCSPadding") return { name: "AES-CBC", parameters: { name: "AES-CBC", iv } };
  // All bits of the initialization vector are the counter.
  if (cipherName === "AES_CTR_NoPadding") {
    return { name: "AES-CTR", parameters: { name: "AES-CTR", counter: iv, length: 128 } };
  }
  return { name: "AES-GCM", parameters: { name: "AES-GCM", iv, tagLength: tagSize } };
}

/** A copy of a caller's key. */
function ownKey(key: Uint8Array): Uint8Array<ArrayBuffer> {
  if (key instanceof Uint8Array && [16, 24, 32].includes(key.length)) return plainBytes(key).slice();
  const got = key instanceof Uint8Array ? `${key.length} bytes` : typeof key;
  throw new ValueError("INVALID_VALUE", `An AES key must have 16, 24 or 32 bytes: got ${got}`, { at: "key" });
}

async function importKey(key: Uint8Array<ArrayBuffer>, name: string, usages: KeyUsage[]): Promise<CryptoKey> {
  try {
    return await subtle().importKey("raw", key, name, false, usages);
  } catch (cause) {
    throw new UnsupportedError(
      "UNSUPPORTED_RUNTIME",
      `This runtime has no ${name} with keys of ${key.length * 8} bits`,
      {
        cause,
      },
    );
  }
}

function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle;
  if (found) return found;
  throw new UnsupportedError(
    "UNSUPPORTED_RUNTIME",
    "WebCrypto is not available: browsers provide it on secure pages only",
  );
}

function wrongKey(cipherName: string, cause?: unknown): FormatError {
  const code = cipherName === "AES_GCM_NoPadding" ? "HASH_MISMATCH" : "WRONG_FORMAT";
  return new FormatError(
    code,
    `The key is wrong, the file is not encrypted by ${cipherName}, or its bytes were changed`,
    {
      cause,
    },
  );
}
