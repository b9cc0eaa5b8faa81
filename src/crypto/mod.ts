/**
 * `paddle.crypto`: files encrypted with Paddle's own ciphers. In Python these are `CipherFactory` and `CipherUtils` of `paddle.base.core`
 * (`paddle.fluid.core` before 2.5).
 *
 * @module
 */
export { decrypt, encrypt } from "./cipher.ts";
export { Cipher, CipherFactory, CipherUtils } from "./cipher_factory.ts";
export { type CipherConfig, type CipherName, parseConfig } from "./config.ts";
