/**
 * The configuration of Paddle's ciphers.
 *
 * @module
 */
import { FormatError, quote, ValueError } from "../errors.ts";
import { checkNames } from "../words/option_names.ts";

/** Paddle's names for its ciphers. */
export type CipherName = "AES_ECB_PKCSPadding" | "AES_CBC_PKCSPadding" | "AES_CTR_NoPadding" | "AES_GCM_NoPadding";

/** The fields of a configuration file; sizes in bits. */
export interface CipherConfig {
  /** Paddle's `cipher_name`. @default {"AES_CTR_NoPadding"} */
  cipherName?: CipherName;
  /** Bits of the initialization vector that a file begins with; Paddle's `iv_size`. ECB has none. @default {128} */
  ivSize?: number;
  /** Bits of the tag that ends a GCM file; Paddle's `tag_size`. @default {128} */
  tagSize?: number;
}

/** The ciphers. */
export const CIPHERS: readonly CipherName[] = [
  "AES_ECB_PKCSPadding",
  "AES_CBC_PKCSPadding",
  "AES_CTR_NoPadding",
  "AES_GCM_NoPadding",
];
/** Tag sizes that GCM allows, in bits. */
const TAGS = [32, 64, 96, 104, 112, 120, 128];

/**
 * Parse the text of a configuration file: lines `key : value`, `#` for comments. Mirrors `CipherUtils.load_config` of `paddle.base.core`.
 *
 * @throws {FormatError} `BAD_FIELD`: an invalid line, or a key that Paddle does not know; `DUPLICATE_KEY`
 * @throws {ValueError} `INVALID_VALUE`: an unknown cipher, or a size that it does not support
 */
export function parseConfig(text: string): Required<CipherConfig> {
  const found = new Map<string, string>();
  let offset = 0;
  for (const line of text.split("\n")) {
    const hash = line.indexOf("#");
    const content = (hash < 0 ? line : line.slice(0, hash)).trim();
    const colon = content.indexOf(":");
    const key = content.slice(0, Math.max(0, colon)).trim();
    if (content !== "") {
      if (!["cipher_name", "iv_size", "tag_size"].includes(key)) {
        throw new FormatError("BAD_FIELD", `Unknown line in the cipher configuration: ${quote(content)}`, { offset });
      }
      if (found.has(key)) {
        throw new FormatError("DUPLICATE_KEY", `${key} appears twice in the configuration`, { offset });
      }
      found.set(key, content.slice(colon + 1).trim());
    }
    offset += new TextEncoder().encode(line).length + 1;
  }
  return checkConfig({
    cipherName: found.get("cipher_name") as CipherName | undefined,
    ivSize: bitsOf(found.get("iv_size")),
    tagSize: bitsOf(found.get("tag_size")),
  });
}

/** Check a configuration and fill in Paddle's defaults. A misspelt name must not lead to a weaker cipher than the caller asked for. */
export function checkConfig(config: CipherConfig): Required<CipherConfig> {
  checkNames(config, ["cipherName", "ivSize", "tagSize"]);
  const { cipherName = "AES_CTR_NoPadding", ivSize = 128, tagSize = 128 } = config;
  if (!CIPHERS.includes(cipherName)) {
    throw new ValueError(
      "INVALID_VALUE",
      `There is no cipher ${quote(String(cipherName))}: one of ${CIPHERS.join(", ")}`,
      {
        at: "cipherName",
      },
    );
  }
  const isGcm = cipherName === "AES_GCM_NoPadding";
  const isIv = Number.isSafeInteger(ivSize) && ivSize > 0 && ivSize % 8 === 0 &&
    (isGcm ? ivSize <= 1024 : ivSize === 128);
  if (!isIv && cipherName !== "AES_ECB_PKCSPadding") {
    const wanted = isGcm ? "8 to 1024 bits, in whole bytes" : "128 bits";
    throw new ValueError("INVALID_VALUE", `${cipherName} takes an initial value of ${wanted}: got ${ivSize}`, {
      at: "ivSize",
    });
  }
  if (isGcm && !TAGS.includes(tagSize)) {
    throw new ValueError("INVALID_VALUE", `A tag of GCM has ${TAGS.join(", ")} bits: got ${tagSize}`, {
      at: "tagSize",
    });
  }
  return { cipherName, ivSize, tagSize };
}

function bitsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[0-9]{1,6}$/.test(text) ? Number(text) : NaN;
}
