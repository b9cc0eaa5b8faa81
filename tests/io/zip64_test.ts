import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { openArchive, type Source } from "../../mod.ts";
import { crc32 } from "../../src/codec/crc32.ts";
import { planZip, type ZipMember } from "../../src/codec/zip/write_zip.ts";
import { atOnce } from "../../src/words/steps.ts";
import { PYTHON } from "../helpers/python.ts";
import { SparseFile } from "../helpers/sparse_file.ts";

const GiB = 2 ** 30;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Why tests that need CPython are skipped, or false. */
const NO_PYTHON = spawnSync(PYTHON, ["-c", "import zipfile"]).status === 0 ? false : "there is no python3 here";
function python(script: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(PYTHON, ["-c", script, ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

async function bytesIn(archive: { get(name: string): Promise<Source | null> }, name: string): Promise<Uint8Array> {
  const source = (await archive.get(name))!;
  const into = new Uint8Array(source.size);
  assert.equal(await source.read(0, into), into.length);
  return into;
}

/** A member of so many zeros, which are never actually created. */
function zeros(name: string, size: number): ZipMember {
  return { name, method: 0, size, compressed: size, crc: 0, chunks: () => [] };
}

function text(name: string, content: string): ZipMember {
  const bytes = utf8(content);
  return { name, method: 0, size: bytes.length, compressed: bytes.length, crc: crc32(bytes), chunks: () => [bytes] };
}

/** The archive with holes in place of the zeros. */
function sparse(members: readonly ZipMember[]): SparseFile {
  const plan = atOnce(planZip(members)), file = new SparseFile();
  const parts = plan.chunks();
  for (const { compressed, chunks } of members) {
    file.add(parts.next().value as Uint8Array);
    if ([...chunks()].length > 0) file.add(parts.next().value as Uint8Array);
    else file.skip(compressed);
  }
  for (const part of parts) file.add(part as Uint8Array);
  assert.equal(file.size, plan.size);
  return file;
}

/** Members of more than 4 GiB, members exactly at the limit, and small ones after them. */
const LARGE: ZipMember[] = [
  text("first", "one"),
  zeros("border", 2 ** 32 - 2),
  text("behind", "two"),
  zeros("beyond", 2 ** 32 - 1),
  zeros("large", 5 * GiB + 3),
  { ...zeros("packed", 2 ** 32 + 5), method: 8, compressed: 2 ** 32 + 1 },
  text("last", "three"),
];

describe("a zip archive of more than 4 GiB, written by this library", () => {
  const file = sparse(LARGE);
  const source: Source = {
    size: file.size,
    read(offset, into) {
      into.set(file.slice(offset, offset + into.length));
      return Promise.resolve(Math.min(into.length, file.size - offset));
    },
  };

  it("is read back: every member has its size, its offset and its bytes", async () => {
    await using archive = await openArchive(source);
    assert.deepEqual(await archive.list(), LARGE.map(({ name }) => name).sort());
    for (const { name, size } of LARGE) assert.equal((await archive.get(name))!.size, size, name);
    for (const [name, content] of [["first", "one"], ["behind", "two"], ["last", "three"]]) {
      assert.deepEqual(await bytesIn(archive, name), utf8(content), name);
    }
    const end = new Uint8Array(8).fill(1);
    const large = (await archive.get("large"))!;
    assert.equal(await large.read(5 * GiB, end), 3);
    assert.deepEqual(end, Uint8Array.of(0, 0, 0, 1, 1, 1, 1, 1));
  });

  it("is read by Python's zipfile", { skip: NO_PYTHON }, async () => {
    await inTempFolder((folder) => {
      const path = join(folder, "large.zip");
      file.write(path);
      const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    rows = []
    for info in archive.infolist():
        row = [info.filename, info.file_size, info.compress_size]
        if info.compress_type == 0:
            with archive.open(info) as member:
                row.append(member.read(5).decode("latin1"))
        rows.append(row)
    print(json.dumps([rows, archive.read("last").decode()]))`;
      const rows = LARGE.map(({ name, method, size, compressed, chunks }) => {
        const [bytes = new Uint8Array(5)] = [...chunks()] as Uint8Array[];
        return [name, size, compressed, ...(method === 0 ? [new TextDecoder().decode(bytes.subarray(0, 5))] : [])];
      });
      assert.deepEqual(JSON.parse(python(script, path)), [rows, "three"]);
      return Promise.resolve();
    });
  });
});

describe("a zip archive of more members than 16 bits can count", () => {
  const members = Array.from({ length: 65_535 }, (_, i) => text(String(i + 10_000), i === 65_534 ? "the last" : ""));

  const bytes = new Uint8Array(Buffer.concat([...atOnce(planZip(members)).chunks()] as Uint8Array[]));

  it("has all of them", async () => {
    // Each five-digit name occurs twice; then follow the zip64 records and the regular end record.
    assert.equal(bytes.length, 65_535 * (30 + 5 + 46 + 5) + "the last".length + 56 + 20 + 22);
    await using archive = await openArchive(bytes);
    assert.equal((await archive.list()).length, 65_535);
    assert.deepEqual(await bytesIn(archive, "75534"), utf8("the last"));
  });

  it("has all of them in Python's zipfile", { skip: NO_PYTHON }, async () => {
    await inTempFolder((folder) => {
      const path = join(folder, "many.zip");
      writeFileSync(path, bytes);
      const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(len(archive.namelist()), archive.read("75534").decode())`;
      assert.equal(python(script, path).trim(), "65535 the last");
      return Promise.resolve();
    });
  });
});

describe("zip64 archives written by Python", () => {
  it("are read, with zip64 fields and records wherever they may occur", { skip: NO_PYTHON }, async () => {
    const script = `
import os, sys, zipfile
zipfile.ZIP_FILECOUNT_LIMIT = 1
for zipfile.ZIP64_LIMIT in 0, 2**31 - 1:
    for method in 0, 8:
        path = os.path.join(sys.argv[1], f"{zipfile.ZIP64_LIMIT}-{method}.zip")
        with zipfile.ZipFile(path, "w", method) as archive:
            for name in "a", "b/c":
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(name.encode() * 200)
            archive.comment = b"a comment"`;
    await inTempFolder(async (folder) => {
      python(script, folder);
      const paths = readdirSync(folder).map((name) => join(folder, name));
      assert.equal(paths.length, 4);
      for (const path of paths) {
        assert.ok(readFileSync(path).includes("PK\x06\x06"), "there is a zip64 end record");
        for (const from of [path, new Uint8Array(readFileSync(path))]) {
          await using archive = await openArchive(from);
          assert.deepEqual(await archive.list(), ["a", "b/c"]);
          for (const name of ["a", "b/c"]) assert.deepEqual(await bytesIn(archive, name), utf8(name.repeat(200)));
        }
      }
    });
  });
});

/** A small archive of one member with zip64 fields everywhere; each part can be changed. */
function little(change: Partial<Record<keyof typeof PARTS, (view: DataView) => void>> = {}): Uint8Array {
  const parts = Object.entries(PARTS).map(([name, make]) => {
    const bytes = make();
    change[name as keyof typeof PARTS]?.(new DataView(bytes.buffer));
    return bytes;
  });
  return new Uint8Array(Buffer.concat(parts));
}

const CONTENT = utf8("content"), LOCAL = 30 + 1 + 20, CENTRAL = 46 + 1 + 4 + 24;
const bytesOf = (length: number, fill: (view: DataView) => void) => {
  const bytes = new Uint8Array(length);
  fill(new DataView(bytes.buffer));
  return bytes;
};
const u64 = (view: DataView, at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
const PARTS = {
  local: () =>
    bytesOf(LOCAL, (view) => {
      view.setUint32(0, 0x04034b50, true);
      view.setUint32(14, crc32(CONTENT), true);
      view.setUint32(18, 0xffffffff, true);
      view.setUint32(22, 0xffffffff, true);
      view.setUint16(26, 1, true);
      view.setUint16(28, 20, true);
      view.setUint8(30, 0x61);
      view.setUint16(31, 1, true);
      view.setUint16(33, 16, true);
      u64(view, 35, CONTENT.length);
      u64(view, 43, CONTENT.length);
    }),
  content: () => CONTENT.slice(),
  central: () =>
    bytesOf(CENTRAL, (view) => {
      view.setUint32(0, 0x02014b50, true);
      view.setUint32(16, crc32(CONTENT), true);
      for (const at of [20, 24, 42]) view.setUint32(at, 0xffffffff, true);
      view.setUint16(28, 1, true);
      view.setUint16(30, 28, true);
      view.setUint8(46, 0x61);
      view.setUint16(47, 1, true);
      view.setUint16(49, 24, true);
      u64(view, 51, CONTENT.length);
      u64(view, 59, CONTENT.length);
      u64(view, 67, 0);
    }),
  end64: () =>
    bytesOf(56, (view) => {
      view.setUint32(0, 0x06064b50, true);
      u64(view, 4, 44);
      u64(view, 24, 1);
      u64(view, 32, 1);
      u64(view, 40, CENTRAL);
      u64(view, 48, LOCAL + CONTENT.length);
    }),
  locator: () =>
    bytesOf(20, (view) => {
      view.setUint32(0, 0x07064b50, true);
      u64(view, 8, LOCAL + CONTENT.length + CENTRAL);
      view.setUint32(16, 1, true);
    }),
  end: () =>
    bytesOf(22, (view) => {
      view.setUint32(0, 0x06054b50, true);
      for (const at of [8, 10]) view.setUint16(at, 0xffff, true);
      for (const at of [12, 16]) view.setUint32(at, 0xffffffff, true);
    }),
};

describe("a zip64 archive", () => {
  it("is read when every number is in its zip64 field, or in both places", async () => {
    const both = little({
      end: (view) => {
        for (const at of [8, 10]) view.setUint16(at, 1, true);
        view.setUint32(12, CENTRAL, true);
        view.setUint32(16, LOCAL + CONTENT.length, true);
      },
      central: (view) => view.setUint16(38, 0, true),
    });
    for (const bytes of [little(), both]) {
      await using archive = await openArchive(bytes);
      assert.deepEqual(await bytesIn(archive, "a"), CONTENT);
    }
  });

  it("is read when another extra field precedes the zip64 one", async () => {
    // The directory's zip64 field is moved after an empty field of type 9, overwriting the offset of the member.
    const bytes = little({
      central: (view) => {
        view.setUint32(42, 0, true);
        view.setUint16(47, 9, true);
        view.setUint16(49, 4, true);
        view.setUint16(55, 1, true);
        view.setUint16(57, 16, true);
        u64(view, 59, CONTENT.length);
        u64(view, 67, CONTENT.length);
      },
    });
    await using archive = await openArchive(bytes);
    assert.deepEqual(await bytesIn(archive, "a"), CONTENT);
  });

  const at64 = LOCAL + CONTENT.length + CENTRAL;
  const WRONG: [what: string, change: Parameters<typeof little>[0], code: string, offset?: number][] = [
    ["an end record at another offset", { locator: (view) => u64(view, 8, at64 - 1) }, "BAD_FIELD", at64 - 1],
    ["an end record beyond the file", { locator: (view) => u64(view, 8, 2 ** 40) }, "BAD_FIELD", at64 + 56],
    ["no end record where it should be", { end64: (view) => view.setUint8(0, 0) }, "BAD_FIELD", at64],
    ["an end record of another length", { end64: (view) => u64(view, 4, 45) }, "BAD_FIELD", at64],
    ["its directory on another disk", { end64: (view) => view.setUint32(20, 1, true) }, "UNSUPPORTED_FEATURE", at64],
    ["its end on another disk", { end64: (view) => view.setUint32(16, 1, true) }, "UNSUPPORTED_FEATURE", at64],
    ["members on another disk", { end64: (view) => u64(view, 24, 2) }, "UNSUPPORTED_FEATURE", at64],
    ["another count in the short end record", { end: (view) => view.setUint16(10, 2, true) }, "BAD_FIELD", at64 + 76],
    ["another size in the short end record", { end: (view) => view.setUint32(12, 1, true) }, "BAD_FIELD", at64 + 76],
    ["another offset in the short end record", { end: (view) => view.setUint32(16, 1, true) }, "BAD_FIELD", at64 + 76],
    ["a directory longer than the file", { end64: (view) => u64(view, 40, 2 ** 50) }, "BAD_LENGTH", at64],
    ["bytes after its directory", { end64: (view) => u64(view, 40, CENTRAL - 1) }, "BAD_FIELD", at64],
    [
      "a count above that of its members",
      {
        end64: (view) => [24, 32].forEach((at) => u64(view, at, 2)),
      },
      "COUNT_MISMATCH",
      at64,
    ],
    ["more members than the limit", {
      end64: (view) => [24, 32].forEach((at) => u64(view, at, 2 ** 52)),
    }, "LIMIT"],
    ["no zip64 field", { central: (view) => view.setUint16(47, 2, true) }, "BAD_FIELD", LOCAL + CONTENT.length],
    [
      "a zip64 field without the offset",
      {
        central: (view) => view.setUint16(49, 16, true),
      },
      "BAD_FIELD",
      LOCAL + CONTENT.length,
    ],
    [
      "a truncated zip64 field",
      {
        central: (view) => view.setUint16(49, 25, true),
      },
      "BAD_FIELD",
      LOCAL + CONTENT.length,
    ],
    ["a member that reaches into the directory", { central: (view) => u64(view, 67, 30) }, "BAD_LENGTH", 30],
    [
      "a truncated entry",
      {
        central: (view) => view.setUint16(32, 1, true),
      },
      "BAD_FIELD",
      LOCAL + CONTENT.length,
    ],
    [
      "no entry where one should be",
      {
        central: (view) => view.setUint8(0, 0),
      },
      "BAD_FIELD",
      LOCAL + CONTENT.length,
    ],
    ["two sizes of a stored member", { central: (view) => u64(view, 51, 6) }, "SIZE_MISMATCH"],
  ];
  for (const [what, change, code, offset] of WRONG) {
    it(`is refused with ${code}: ${what}`, async () => {
      await assert.rejects(openArchive(little(change)), offset === undefined ? { code } : { code, offset });
    });
  }

  const IN_MEMBER: [what: string, change: Parameters<typeof little>[0], code: string][] = [
    ["another checksum", { local: (view) => view.setUint32(14, 1, true) }, "BAD_FIELD"],
    ["another name", { local: (view) => view.setUint8(30, 0x62) }, "BAD_FIELD"],
    ["a longer name", { local: (view) => view.setUint16(26, 2, true) }, "BAD_FIELD"],
    ["another method", { local: (view) => view.setUint16(8, 8, true) }, "BAD_FIELD"],
    ["encryption", { local: (view) => view.setUint16(6, 1, true) }, "BAD_FIELD"],
    ["another signature", { local: (view) => view.setUint8(3, 0) }, "BAD_FIELD"],
    ["another size", { local: (view) => u64(view, 35, 6) }, "SIZE_MISMATCH"],
    ["no zip64 field", { local: (view) => view.setUint16(31, 2, true) }, "BAD_FIELD"],
    ["an extra field that reaches into the directory", {
      local: (view) => view.setUint16(28, 27, true),
    }, "BAD_LENGTH"],
    ["other bytes", { content: (view) => view.setUint8(6, 0) }, "HASH_MISMATCH"],
  ];
  for (const [what, change, code] of IN_MEMBER) {
    it(`has a member that is refused with ${code} when its own header has ${what}`, async () => {
      const bytes = little(change);
      await using archive = await openArchive(bytes);
      await assert.rejects(archive.get("a"), { code, offset: 0 });
      // From a source other than memory, the checksum is only known when the last byte has been read.
      const source: Source = {
        size: bytes.length,
        read(offset, into) {
          const part = bytes.subarray(offset, offset + into.length);
          into.set(part);
          return Promise.resolve(part.length);
        },
      };
      await using other = await openArchive(source);
      await assert.rejects(async () => await (await other.get("a"))!.read(0, new Uint8Array(7)), { code, offset: 0 });
    });
  }

  it("may have the checksum and sizes of a member after its data", async () => {
    await using archive = await openArchive(little({
      local: (view) => {
        view.setUint16(6, 8, true);
        view.setUint32(14, 0, true);
        for (const at of [35, 43]) u64(view, at, 0);
      },
    }));
    assert.deepEqual(await bytesIn(archive, "a"), CONTENT);
  });
});
