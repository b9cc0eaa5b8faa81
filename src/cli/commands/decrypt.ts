/**
 * `decrypt`: decrypts a file that one of Paddle's ciphers encrypted.
 *
 * @module
 */
import { CipherFactory, CipherUtils } from "../../crypto/cipher_factory.ts";
import { Cipher } from "../../crypto/cipher_factory.ts";
import { type CipherName, CIPHERS } from "../../crypto/config.ts";
import { saveChunks } from "../../save.ts";
import { command, UsageError } from "../command.ts";
import { DONE } from "../failure.ts";
import { checkTarget } from "../target.ts";
import { sizeText } from "../text.ts";

/** The command. */
export const decrypt = command({
  name: "decrypt",
  summary: "decrypt a file that was encrypted by Paddle's ciphers",
  operands: ["FROM", "TO"],
  options: {
    key: { value: "FILE", help: "a file that holds the key and nothing else" },
    cipher: { value: "NAME", choices: CIPHERS, help: "(default AES_CTR_NoPadding)" },
    config: { value: "FILE", help: "Paddle's cipher configuration file, instead of --cipher" },
    force: { help: "overwrite what is there" },
  },
  notes: [
    "Only AES_GCM_NoPadding always detects a wrong key; with AES_CTR_NoPadding a wrong key yields noise.",
  ],
  json: "{ file, bytes }",
  async run({ operands: [from, to], options, session }) {
    const { key, cipher: cipherName, config } = options;
    if (key === undefined) throw new UsageError("decrypt needs --key FILE");
    if (cipherName !== undefined && config !== undefined) {
      throw new UsageError("--config already names the cipher: leave --cipher out");
    }
    await checkTarget(to, options, session);
    const { signal, onProgress } = session;
    const cipher = config === undefined
      ? new Cipher({ cipherName: cipherName as CipherName | undefined })
      : await CipherFactory.createCipher(config, { signal });
    const secret = await CipherUtils.readKeyFromFile(key, { signal });
    const bytes = await cipher.decryptFromFile(secret, from, { signal });
    await saveChunks({ size: bytes.length, chunks: [bytes], warnings: [] }, to, {
      signal,
      onProgress,
    });
    if (session.json) await session.printJson({ file: to, bytes: bytes.length });
    else await session.print(`${to}: ${sizeText(bytes.length)}`);
    return DONE;
  },
});
