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
  summary: "the plain bytes of a file that Paddle's ciphers encrypted",
  operands: ["FROM", "TO"],
  options: {
    key: { value: "FILE", help: "the file that has the key and nothing else" },
    cipher: { value: "NAME", choices: CIPHERS, help: "(default AES_CTR_NoPadding)" },
    config: { value: "FILE", help: "Paddle's configuration of the cipher, in place of --cipher" },
    force: { help: "write over what is there" },
  },
  notes: [
    "Only AES_GCM_NoPadding can tell a wrong key from every right one; a wrong key of AES_CTR_NoPadding gives noise.",
  ],
  json: "{ file, bytes }",
  async run({ operands: [from, to], options, session }) {
    const { key, cipher: cipherName, config } = options;
    if (key === undefined) throw new UsageError("decrypt takes --key FILE");
    if (cipherName !== undefined && config !== undefined) {
      throw new UsageError("--config says which cipher: leave --cipher out");
    }
    await checkTarget(to, options, session);
    const cipher = config === undefined
      ? new Cipher({ cipherName: cipherName as CipherName | undefined })
      : await CipherFactory.createCipher(config);
    const bytes = await cipher.decryptFromFile(await CipherUtils.readKeyFromFile(key), from);
    const { signal, onProgress } = session;
    await saveChunks({ size: bytes.length, chunks: [bytes], warnings: [] }, to, {
      signal,
      onProgress,
    });
    if (session.json) await session.printJson({ file: to, bytes: bytes.length });
    else await session.print(`${to}: ${sizeText(bytes.length)}`);
    return DONE;
  },
});
