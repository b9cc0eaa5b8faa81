/**
 * Paddle's classes around its ciphers.
 *
 * @module
 */
import { FormatError, UnsupportedError, ValueError } from "../errors.ts";
import type { From } from "../io/open/open_source.ts";
import { readWhole } from "../io/open/read_whole.ts";
import type { To } from "../io/open/sink_of.ts";
import { checkStop, type StopOptions } from "../options.ts";
import { saveChunks, type SaveReport } from "../save.ts";
import { decrypt, encrypt } from "./cipher.ts";
import { checkConfig, type CipherConfig, parseConfig } from "./config.ts";

/** A cipher; created by {@linkcode CipherFactory}. The order of arguments is Paddle's. */
export class Cipher {
  /** Its configuration. */
  readonly config: Required<CipherConfig>;

  /** A cipher with this configuration. */
  constructor(config: CipherConfig = {}) {
    this.config = Object.freeze(checkConfig(config));
  }

  /** Encrypt bytes, with a new random initialization vector. */
  encrypt(plain: Uint8Array, key: Uint8Array, options: StopOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return encrypt(plain, key, this.config, options);
  }

  /**
   * Decrypt the bytes of a file.
   *
   * @throws {FormatError} the key is wrong, as far as that can be detected, or the file is damaged
   */
  decrypt(encrypted: Uint8Array, key: Uint8Array, options: StopOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return decrypt(encrypted, key, this.config, options);
  }

  /** Encrypt bytes and write them to a file. */
  async encryptToFile(plain: Uint8Array, key: Uint8Array, to: To, options: StopOptions = {}): Promise<SaveReport> {
    return await saveBytes(await this.encrypt(plain, key, options), to, options);
  }

  /** Decrypt a file. */
  async decryptFromFile(key: Uint8Array, from: From, options: StopOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return await this.decrypt(await readBytes(from, options), key, options);
  }
}

/** Creates ciphers. Mirrors `paddle.base.core.CipherFactory` (2.0 and later). */
export class CipherFactory {
  /** The cipher for a configuration file, or Paddle's default (AES_CTR_NoPadding) for an empty path. */
  static async createCipher(configFile: From = "", options: StopOptions = {}): Promise<Cipher> {
    checkStop(options);
    if (configFile === "") return new Cipher();
    const bytes = await readBytes(configFile, options);
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new FormatError("BAD_TEXT", "The configuration file is not valid UTF-8", { cause });
    }
    return new Cipher(parseConfig(text));
  }
}

/**
 * Keys and key files. Mirrors `paddle.base.core.CipherUtils` (2.0 and later). A key file contains the bytes of the key and nothing else.
 */
export class CipherUtils {
  /** A new random key of `length` bits: 128, 192 or 256. */
  static genKey(length: number): Uint8Array<ArrayBuffer> {
    if (![128, 192, 256].includes(length)) {
      throw new ValueError("INVALID_VALUE", `An AES key must have 128, 192 or 256 bits: got ${length}`);
    }
    if (typeof globalThis.crypto?.getRandomValues !== "function") {
      throw new UnsupportedError("UNSUPPORTED_RUNTIME", "There is no source of random keys in this runtime");
    }
    return globalThis.crypto.getRandomValues(new Uint8Array(length / 8));
  }

  /** A new random key, which is also written to a file. */
  static async genKeyToFile(length: number, to: To, options: StopOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const key = CipherUtils.genKey(length);
    await saveBytes(key, to, options);
    return key;
  }

  /** The key in a file. */
  static readKeyFromFile(from: From, options: StopOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return readBytes(from, options);
  }
}

async function saveBytes(bytes: Uint8Array, to: To, options: StopOptions): Promise<SaveReport> {
  const signal = checkStop(options);
  return await saveChunks({ size: bytes.length, chunks: [bytes], warnings: [] }, to, { signal });
}

async function readBytes(from: From, options: StopOptions): Promise<Uint8Array<ArrayBuffer>> {
  return await readWhole(from, Infinity, { signal: checkStop(options) });
}
