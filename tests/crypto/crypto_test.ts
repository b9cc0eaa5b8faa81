import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { crypto, isPaddleError, MemoryFolder } from "../../mod.ts";

/** Written by Paddle 3.3.1: see make.py beside them. */
const HOME = "tests/fixtures/crypto";
const file = (name: string) => new Uint8Array(readFileSync(`${HOME}/${name}`));
const CIPHERS = [
  "AES_ECB_PKCSPadding",
  "AES_CBC_PKCSPadding",
  "AES_CTR_NoPadding",
  "AES_GCM_NoPadding",
] as const;

describe("Paddle's encrypted files", () => {
  for (const cipherName of CIPHERS) {
    it(`are decrypted: ${cipherName}, with keys of every length`, async () => {
      const cipher = await crypto.CipherFactory.createCipher(`${HOME}/${cipherName}.txt`);
      assert.equal(cipher.config.cipherName, cipherName);
      for (const bits of [128, 192, 256]) {
        const key = await crypto.CipherUtils.readKeyFromFile(`${HOME}/${cipherName}-${bits}.key`);
        assert.equal(key.length, bits / 8);
        const plain = await cipher.decryptFromFile(key, `${HOME}/${cipherName}-${bits}.enc`);
        assert.deepEqual(plain, file("plain.bin"));
      }
    });

    it(`are encrypted and decrypted again: ${cipherName}, with data of every length`, async () => {
      const key = crypto.CipherUtils.genKey(256);
      for (let n = 0; n < 50; n++) {
        const plain = Uint8Array.from({ length: n }, (_, i) => i * 7);
        assert.deepEqual(
          await crypto.decrypt(await crypto.encrypt(plain, key, { cipherName }), key, { cipherName }),
          plain,
        );
      }
    });
  }

  describe("of GCM with an initialization vector or a tag of unusual length, which not every WebCrypto has", () => {
    const cipherName = "AES_GCM_NoPadding";
    const hex = (text: string) => Uint8Array.from(text.match(/../g)!, (pair) => parseInt(pair, 16));
    /** Written by Paddle 2.6.2: sizes in bits, key, plain bytes, file. */
    const FILES: [ivSize: number, tagSize: number, key: string, plain: string, file: string][] = [
      [
        ...[96, 96] as const,
        "68b51345b0e1316a6a30c772955f66e0",
        "14ce1e57c97c4de6d1da0089cd709e6b9f",
        "6045bdbff0d910eaf3e5b92c61137bb47d4faf8d95bad9e95408b7329de68187598b8ca58229dd3db0",
      ],
      [
        ...[64, 128] as const,
        "b0e323b09beb49c2b82d98cab78fea1f0feb4e02c47a340c",
        "18de23b4ace406c4a2ede388db102963e6",
        "e105d23d3d17f0e2c12a45ef2f53352a82e33ea3e3567111f876ff8a7c8c871155a35be3af5a8e14b4",
      ],
      [
        ...[128, 64] as const,
        "95d947e955c7e01585a5895f6f6e1589a7a5e6c333b444fa7e764a6cfa972f67",
        "c02130cee29ba14874f8e9ea37fa4f2d6c",
        "9dd7a417f5387f332162115c31fd56a7e9c68034dca624b368206b52b0be93f6d7e432cfaf51b26b7e",
      ],
    ];
    for (const [ivSize, tagSize, keyText, plainText, fileText] of FILES) {
      it(`are decrypted and encrypted: ${ivSize} and ${tagSize} bits`, async () => {
        const config = { cipherName, ivSize, tagSize } as const;
        const key = hex(keyText), plain = hex(plainText);
        assert.deepEqual(await crypto.decrypt(hex(fileText), key, config), plain);
        for (const n of [0, 1, 15, 16, 17, 100_000]) {
          const bytes = Uint8Array.from({ length: n }, (_, i) => i * 7 + (i >> 8));
          const encrypted = await crypto.encrypt(bytes, key, config);
          assert.equal(encrypted.length, n + (ivSize + tagSize) / 8);
          assert.deepEqual(await crypto.decrypt(encrypted, key, config), bytes);
          encrypted[encrypted.length - 1] ^= 1;
          await assert.rejects(crypto.decrypt(encrypted, key, config), { code: "HASH_MISMATCH" });
        }
        await assert.rejects(crypto.decrypt(hex(fileText), key.map((byte) => byte ^ 1), config), {
          code: "HASH_MISMATCH",
        });
      });
    }
  });

  it("are the same bytes as Paddle's in ECB, which has no initialization vector", async () => {
    for (const bits of [128, 192, 256]) {
      const name = `AES_ECB_PKCSPadding-${bits}`;
      const again = await crypto.encrypt(file("plain.bin"), file(`${name}.key`), { cipherName: "AES_ECB_PKCSPadding" });
      assert.deepEqual(again, file(`${name}.enc`));
    }
  });

  it("have a new initialization vector each time", async () => {
    const key = crypto.CipherUtils.genKey(128), plain = new Uint8Array(64);
    assert.notDeepEqual(await crypto.encrypt(plain, key), await crypto.encrypt(plain, key));
  });

  for (const cipherName of CIPHERS) {
    for (
      const [what, make] of [["a Uint8Array", Uint8Array.from.bind(Uint8Array)], ["a Buffer", Buffer.from]] as const
    ) {
      it(`are made of and into what ${what} held when the call began: ${cipherName}`, async () => {
        for (
          const config of [{ cipherName }, { cipherName, ivSize: 64 }].slice(0, cipherName.includes("GCM") ? 2 : 1)
        ) {
          const secret = crypto.CipherUtils.genKey(128), key = make(secret), plain = make(file("plain.bin"));
          const encrypting = crypto.encrypt(plain, key, config);
          plain.fill(1);
          key.fill(1);
          const encrypted = make(await encrypting), again = make(secret);
          const decrypting = crypto.decrypt(encrypted, again, config);
          encrypted.fill(1);
          again.fill(1);
          assert.deepEqual(await decrypting, file("plain.bin"));
        }
      });
    }

    it(`are made of bytes and nothing else: ${cipherName}`, async () => {
      const key = crypto.CipherUtils.genKey(128);
      for (const given of ["text", null, [1, 2]]) {
        await assert.rejects(crypto.encrypt(given as never, key, { cipherName }), TypeError);
        await assert.rejects(crypto.decrypt(given as never, key, { cipherName }), TypeError);
      }
      const floats = Float32Array.of(1, 2, 3), bytes = new Uint8Array(floats.buffer);
      const encrypted = await crypto.encrypt(floats as never, key, { cipherName });
      assert.deepEqual(await crypto.decrypt(encrypted.buffer as never, key, { cipherName }), bytes);
    });
  }

  it("are never written by another cipher than a misspelt configuration asks for", async () => {
    const key = crypto.CipherUtils.genKey(128), plain = Uint8Array.of(1);
    const misspelt = { ciphername: "AES_GCM_NoPadding" } as never;
    const nearest = { name: "TypeError", message: /"ciphername": the nearest is "cipherName"/ };
    await assert.rejects(crypto.encrypt(plain, key, misspelt), nearest);
    await assert.rejects(crypto.decrypt(plain, key, misspelt), nearest);
    assert.throws(() => new crypto.Cipher(misspelt), nearest);
    for (const config of ["AES_GCM_NoPadding", null]) {
      await assert.rejects(crypto.encrypt(plain, key, config as never), /Options must be an object/);
    }
  });

  it("are refused with a wrong key when that can be detected", async () => {
    const wrong = file("AES_GCM_NoPadding-256.key");
    wrong[0] ^= 1;
    const gcm = { cipherName: "AES_GCM_NoPadding" } as const;
    await assert.rejects(crypto.decrypt(file("AES_GCM_NoPadding-256.enc"), wrong, gcm), { code: "HASH_MISMATCH" });
    for (const cipherName of ["AES_CBC_PKCSPadding", "AES_ECB_PKCSPadding"] as const) {
      const encrypted = file(`${cipherName}-256.enc`);
      // With a wrong key the padding is valid by chance about once in 256 times; it is not with these keys.
      await assert.rejects(crypto.decrypt(encrypted, wrong, { cipherName }), { code: "WRONG_FORMAT" });
    }
  });

  it("give a PaddleError wherever a GCM file is cut", async () => {
    const encrypted = file("AES_GCM_NoPadding-256.enc"), key = file("AES_GCM_NoPadding-256.key");
    for (let n = 0; n < encrypted.length; n += 7) {
      const decrypted = crypto.decrypt(encrypted.slice(0, n), key, { cipherName: "AES_GCM_NoPadding" });
      await assert.rejects(decrypted, (error) => isPaddleError(error), `cut at ${n}`);
    }
  });

  it("are written to a folder with their key and read back", async () => {
    const folder = new MemoryFolder();
    const key = await crypto.CipherUtils.genKeyToFile(192, { folder, name: "key" });
    const cipher = await crypto.CipherFactory.createCipher();
    await cipher.encryptToFile(Uint8Array.of(1, 2, 3), key, { folder, name: "model.enc" });
    const again = await crypto.CipherUtils.readKeyFromFile({ folder, name: "key" });
    assert.deepEqual(await cipher.decryptFromFile(again, { folder, name: "model.enc" }), Uint8Array.of(1, 2, 3));
  });

  it("have configurations that are parsed strictly", () => {
    const { parseConfig } = crypto;
    assert.deepEqual(parseConfig(""), { cipherName: "AES_CTR_NoPadding", ivSize: 128, tagSize: 128 });
    assert.deepEqual(parseConfig("cipher_name : AES_GCM_NoPadding # why\r\n\niv_size:96\ntag_size : 64\n"), {
      cipherName: "AES_GCM_NoPadding",
      ivSize: 96,
      tagSize: 64,
    });
    for (
      const [text, code] of [
        ["cipher_name : AES_XTS", "INVALID_VALUE"],
        ["iv_size : 64", "INVALID_VALUE"],
        ["cipher_name : AES_GCM_NoPadding\niv_size : 0", "INVALID_VALUE"],
        ["cipher_name : AES_GCM_NoPadding\niv_size : 12", "INVALID_VALUE"],
        ["cipher_name : AES_GCM_NoPadding\ntag_size : 7", "INVALID_VALUE"],
        ["__proto__ : 1", "BAD_FIELD"],
        ["hello", "BAD_FIELD"],
        ["iv_size : 128\niv_size : 128", "DUPLICATE_KEY"],
      ]
    ) assert.throws(() => parseConfig(text), { code }, text);
    assert.throws(() => crypto.CipherUtils.genKey(100), { code: "INVALID_VALUE" });
  });
});
