import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Buffer } from "node:buffer";
import { describe, it } from "@std/testing/bdd";
import {
  encode,
  fromArray,
  isPaddleError,
  load,
  NDArray,
  openArchive,
  type PaddleError,
  type StateDict,
  zeros,
} from "../../mod.ts";
import { encodeNpz, loadNpz } from "../../src/npy.ts";
import { countedSignal } from "../helpers/counted_signal.ts";
import { good, scriptedServer } from "../helpers/scripted_server.ts";
import { tarOf } from "../helpers/tar_of.ts";

const ARCHIVES = ["pax.tar", "gnu.tar", "pax.tar.gz", "dot.tar.gz", "stored.zip", "packed.zip"];
const LONG = `m_infer/${"n".repeat(120)}é`;
const model = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";

/** A field of a pax header. */
function pax(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`, length = new TextEncoder().encode(rest).length;
  const digits = String(length + String(length + 1).length);
  return digits + rest;
}

describe("a tar archive", () => {
  const READ: [what: string, archive: Uint8Array, files: Record<string, string>][] = [
    ["of two files", tarOf({ data: "one" }, { name: "b/c", data: "x".repeat(600) }), {
      a: "one",
      "b/c": "x".repeat(600),
    }],
    ["with a prefix of ustar", tarOf({ name: "c", prefix: "a/b", data: "1" }), { "a/b/c": "1" }],
    [
      "from before 1988, when there was no prefix",
      tarOf({ name: "c", prefix: "a/b", magic: "", kind: "\0", data: "1" }),
      {
        c: "1",
      },
    ],
    ["whose sizes have spaces around them", tarOf({ size: "         3 ", data: "one" }), { a: "one" }],
    ["whose sizes are binary", tarOf({ size: "\0", late: [124, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3], data: "one" }), {
      a: "one",
    }],
    ["with a GNU long name", tarOf({ kind: "L", data: "long/" + "n".repeat(200) + "\0" }, { data: "1" }), {
      ["long/" + "n".repeat(200)]: "1",
    }],
    [
      "with pax names and sizes",
      tarOf({ kind: "x", data: pax("path", "größer") + pax("size", "3") }, { size: "0", data: "one" }),
      { größer: "one" },
    ],
    [
      "with a pax name that applies to one file only",
      tarOf({ kind: "x", data: pax("path", "p") }, { data: "1" }, { data: "2" }),
      { p: "1", a: "2" },
    ],
    [
      "with pax fields for all files",
      tarOf({ kind: "g", data: pax("mtime", "1") + pax("comment", "c") }, { data: "1" }),
      { a: "1" },
    ],
    [
      "with folders, whatever their size",
      tarOf(
        { name: "d/", size: "00000000777", kind: "\0" },
        { name: "c/" },
        { name: "d/a", data: "1" },
        { kind: "5", name: "e", size: "00000000777" },
        { name: "f", data: "2" },
      ),
      { "d/a": "1", f: "2" },
    ],
    ["whose checksums add up signed bytes", signed(), { "ä": "1" }],
    ["with long names of links, which no file gets", tarOf({ kind: "K", data: "elsewhere\0" }, { data: "1" }), {
      a: "1",
    }],
  ];

  /** An archive with the checksum that old writers computed from signed bytes: each byte above 127 counts 256 less. */
  function signed(): Uint8Array {
    const archive = tarOf({ name: "ä", data: "1" });
    const sum = parseInt(new TextDecoder().decode(archive.subarray(148, 154)), 8) - 2 * 256;
    archive.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0")), 148);
    return archive;
  }

  for (const [what, archive, files] of READ) {
    it(`${what} is read`, async () => {
      await using folder = await openArchive(archive);
      assert.deepEqual(await folder.list(), Object.keys(files).sort());
      for (const [name, text] of Object.entries(files)) {
        const source = (await folder.get(name))!, into = new Uint8Array(source.size);
        assert.equal(await source.read(0, into), source.size);
        assert.equal(new TextDecoder().decode(into), text);
      }
    });
  }

  it("is not what a file of another kind is taken for", async () => {
    const text = (content: string) => new TextEncoder().encode(content);
    const files: [Uint8Array, RegExp][] = [
      [encode(new Map([["w", fromArray([1, 2, 3], "float32")]])), /pickle.*not an archive/],
      [encode(new Map([["w", zeros([9999])]])), /pickle.*not an archive/],
      [text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"), /git lfs pull/],
      [text(`<!DOCTYPE html>${"<p>Sign in</p>".repeat(99)}`), /web page/],
    ];
    for (const [file, message] of files) await assert.rejects(openArchive(file), { code: "WRONG_FORMAT", message });
  });

  const REFUSED: [what: string, archive: Uint8Array, code: string][] = [
    ["a wrong checksum", tarOf({ data: "1" }).map((byte, i) => i === 150 ? byte ^ 1 : byte), "HASH_MISMATCH"],
    ["a link", tarOf({ kind: "2" }), "LINK_ESCAPE"],
    ["a hard link", tarOf({ kind: "1" }), "LINK_ESCAPE"],
    ["a device", tarOf({ kind: "3" }), "NOT_A_FILE"],
    ["a FIFO", tarOf({ kind: "6" }), "NOT_A_FILE"],
    ["an unknown type of entry", tarOf({ kind: "S" }), "UNSUPPORTED_FEATURE"],
    ["a size that is not a number", tarOf({ size: "8" }), "BAD_NUMBER"],
    ["a negative size", tarOf({ size: "\0", late: [124, ...Array(12).fill(0xff)] }), "BAD_NUMBER"],
    ["a size beyond 2^53", tarOf({ size: "\0", late: [124, 0x80, 0, 0, 0, 1, ...Array(7).fill(0)] }), "BAD_NUMBER"],
    ["a size beyond the file", tarOf({ size: "00000077777" }), "TRUNCATED"],
    ["a name that is not valid UTF-8", tarOf({ late: [0, 0xff] }), "BAD_TEXT"],
    ["a name that leads out of the folder", tarOf({ name: "../a" }), "UNSAFE_PATH"],
    ["a pax name with a NUL", tarOf({ kind: "x", data: pax("path", "a\0/../b") }, {}), "UNSAFE_PATH"],
    ["one name for all files", tarOf({ kind: "g", data: pax("path", "p") }, {}), "UNSUPPORTED_FEATURE"],
    ["one size for all files", tarOf({ kind: "g", data: pax("size", "0") }, {}), "UNSUPPORTED_FEATURE"],
    // Some tools treat it as a folder and its bytes as members, others as a file.
    ["a file that is named like a folder", tarOf({ name: "d/", data: tarOf({ data: "x" }) }), "UNSAFE_PATH"],
    ["a name twice", tarOf({}, {}), "NAME_COLLISION"],
    ["names that are the same on some systems", tarOf({ name: "a" }, { name: "A" }), "NAME_COLLISION"],
    ["a file where a folder is", tarOf({ name: "a" }, { name: "a/b" }), "NAME_COLLISION"],
    ["a sparse file", tarOf({ kind: "x", data: pax("GNU.sparse.major", "1") }, {}), "UNSUPPORTED_FEATURE"],
    ["a pax field without a value", tarOf({ kind: "x", data: "7 path\n9 path=a\n" }, {}), "BAD_FIELD"],
    ["a pax field with a wrong length", tarOf({ kind: "x", data: "99 path=a\n" }, {}), "BAD_FIELD"],
    ["a pax field that does not end where it should", tarOf({ kind: "x", data: "9 path=ab" }, {}), "BAD_FIELD"],
    ["a pax field without a length", tarOf({ kind: "x", data: "path=a\n" }, {}), "BAD_FIELD"],
    ["a negative pax size", tarOf({ kind: "x", data: pax("size", "-1") }, {}), "BAD_NUMBER"],
    ["a pax size that is too large", tarOf({ kind: "x", data: pax("size", "9".repeat(16)) }, {}), "BAD_NUMBER"],
    [
      "a pax name that is not valid UTF-8",
      tarOf({ kind: "x", data: Uint8Array.of(...new TextEncoder().encode("10 path="), 0xff, 10) }, {}),
      "BAD_TEXT",
    ],
    ["a pax header of 2 MiB", tarOf({ kind: "x", data: pax("comment", "c".repeat(2 ** 21)) }, {}), "BAD_LENGTH"],
    ["bytes after its end", tarOf({}).map((byte, i, { length }) => i === length - 1 ? 1 : byte), "TRAILING_DATA"],
  ];
  for (const [what, archive, code] of REFUSED) {
    it(`is refused with ${code}: ${what}`, async () => {
      await assert.rejects(openArchive(archive), (error: PaddleError) => {
        assert.equal(error.code, code);
        return typeof error.offset === "number";
      });
    });
  }
});

describe("archives of model files", () => {
  it("are folders: a model in a tar, tar.gz or zip is loaded by its prefix", async () => {
    const expected = await load(model) as StateDict;
    assert.ok(expected.size > 0);
    for (const name of ARCHIVES) {
      await using folder = await openArchive(`tests/fixtures/archives/${name}`);
      assert.deepEqual(await folder.list(), ["m_infer/inference.pdiparams", "m_infer/inference.pdmodel", LONG], name);
      const params = await load("m_infer/inference", { folder }) as StateDict;
      assert.deepEqual([...params.keys()], [...expected.keys()], name);
      for (const [key, array] of params) assert.ok((array as NDArray).equals(expected.get(key) as NDArray), key);
    }
  });

  it("are read although PowerShell separated the folders in a zip by backslashes", async () => {
    const zip = readFileSync("tests/fixtures/archives/stored.zip"), expected = await load(model) as StateDict;
    for (let at = -1; (at = zip.indexOf("m_infer/", at + 1)) >= 0;) zip[at + 7] = 0x5c;
    await assert.rejects(openArchive(zip), { code: "UNSAFE_PATH" });
    for (let at = -1; (at = zip.indexOf("PK\x01\x02", at + 1)) >= 0;) zip[at + 5] = 0;
    await using folder = await openArchive(zip);
    const params = await load("m_infer/inference", { folder }) as StateDict;
    assert.deepEqual([...params.keys()], [...expected.keys()]);
  });

  it("are read-only, and give null for files they do not contain", async () => {
    for (const name of ARCHIVES) {
      await using folder = await openArchive(`tests/fixtures/archives/${name}`);
      assert.equal(await folder.get("m_infer/inference.json"), null);
      assert.equal(await folder.hasFolder!("m_infer"), true);
      assert.equal(await folder.hasFolder!("m_infer/inference.pdmodel"), false);
      await assert.rejects(folder.put("a"), { code: "READ_ONLY" }, name);
      await assert.rejects(folder.delete("a"), { code: "READ_ONLY" }, name);
    }
  });

  it("give a PaddleError, or fewer files, wherever they are cut", async () => {
    for (const name of ARCHIVES) {
      const whole = new Uint8Array(readFileSync(`tests/fixtures/archives/${name}`));
      const cuts = Array.from({ length: 60 }, (_, i) => Math.floor(i * whole.length / 60));
      for (const n of cuts) {
        try {
          const folder = await openArchive(whole.slice(0, n));
          assert.ok(name.endsWith(".tar") && (await folder.list()).length <= 3, `${name} cut at ${n}`);
        } catch (error) {
          assert.ok(isPaddleError(error), `${name} cut at ${n}: ${error}`);
        }
      }
    }
  });

  it("tell a damaged file that is stored in a zip, in whatever order the reads of it end, and at every read from then on", async () => {
    const whole = await encodeNpz(new Map([["a", new NDArray("uint8", [1000], new Uint8Array(1000).fill(7))]]));
    for (const isDamaged of [false, true]) {
      const bytes = whole.slice();
      if (isDamaged) bytes[bytes.indexOf(7) + 500]++;
      await using folder = await openArchive({
        size: bytes.length,
        read(offset: number, into: Uint8Array) {
          const part = bytes.subarray(offset, offset + into.length);
          into.set(part);
          return Promise.resolve(part.length);
        },
      });
      const source = (await folder.get("a.npy"))!,
        order: [number, number][] = [[300, 700], [0, 200], [600, 1200], [100, 400], [0, 9]];
      const failures: string[] = [];
      for (const [from, to] of order) {
        await source.read(from, new Uint8Array(to - from)).catch((error) => failures.push(error.code));
      }
      assert.deepEqual(failures, isDamaged ? ["HASH_MISMATCH", "HASH_MISMATCH"] : []);
      const all = new Response(source.readAll!()).arrayBuffer();
      if (isDamaged) await assert.rejects(all, { code: "HASH_MISMATCH" });
      else assert.equal((await all).byteLength, source.size);
    }
  });

  it("may be compressed in several gzip members, which are joined, and padded with zeros", async () => {
    const tar = readFileSync("tests/fixtures/archives/pax.tar"), members: Uint8Array[] = [];
    for (let at = 0; at < tar.length; at += 5000) members.push(gzipSync(tar.subarray(at, at + 5000)));
    const gz = Uint8Array.from(Buffer.concat([...members, new Uint8Array(600)]));
    await using folder = await openArchive(gz);
    assert.deepEqual(await folder.list(), ["m_infer/inference.pdiparams", "m_infer/inference.pdmodel", LONG]);
    assert.ok((await load("m_infer/inference", { folder }) as StateDict).size > 0);
    for (
      const wrong of [gz.slice(0, members[0].length + 30), Uint8Array.from([...members[0], 31, 139, 8, 0, 1, 2, 3])]
    ) {
      await assert.rejects(openArchive(wrong), { code: "BAD_FIELD" });
    }
  });

  it("expand no further than maxExpansion allows", async () => {
    const sparse = Uint8Array.from({ length: 4_000_000 }, (_, i) => i % 50 === 0 ? Math.imul(i, 0x9e3779b1) >>> 9 : 0);
    const bomb = await encodeNpz(new Map([["a", new NDArray("uint8", [4_000_000], sparse)]]), { compress: true });
    const folder = await openArchive(bomb, { limits: { maxExpansion: 2 } });
    await assert.rejects(folder.get("a.npy"), { code: "LIMIT", limit: "maxExpansion" });
  });

  it("on a server give no more bytes once they are closed", async () => {
    for (const archive of ["pax.tar", "stored.zip"]) {
      const bytes = readFileSync(`tests/fixtures/archives/${archive}`);
      const server = await scriptedServer((asked) => good(asked, bytes));
      try {
        const folder = await openArchive(`${server.url}/${archive}`);
        const source = (await folder.get("m_infer/inference.pdmodel"))!;
        assert.equal(await source.read(0, new Uint8Array(8)), 8);
        // Also in a runtime without Symbol.asyncDispose; a second time does no harm.
        await folder.close();
        await folder[Symbol.asyncDispose]();
        await assert.rejects(source.read(0, new Uint8Array(8)), { name: "TypeError", message: /was closed$/ }, archive);
      } finally {
        await server.close();
      }
    }
  });

  it("stop with signal.reason when the signal is aborted", async () => {
    const reason = new Error("enough");
    const options = { signal: AbortSignal.abort(reason) };
    await assert.rejects(openArchive("tests/fixtures/archives/pax.tar", options), (error) => error === reason);
  });

  it("are decompressed under a signal in browsers without AbortSignal.any, and leave no listener on it", async () => {
    const statics = AbortSignal as { any?: typeof AbortSignal.any }, { any } = statics;
    const { signal, listeners, added } = countedSignal();
    delete statics.any;
    try {
      const folder = await openArchive("tests/fixtures/archives/pax.tar.gz", { signal });
      assert.ok((await folder.list()).length > 0);
      await loadNpz(await encodeNpz(new Map([["a", new NDArray("uint8", [9])]]), { compress: true }), { signal });
    } finally {
      statics.any = any;
    }
    assert.ok(added() > 0);
    assert.equal(listeners.size, 0);
  });
});
