/** Tests that every folder must pass. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { type Folder, fromArray, load, type NDArray, open, save, type StateDict } from "../../mod.ts";
import { equal, patterned, readAll } from "./source_contract.ts";
import { codeOf } from "../helpers/code_of.ts";

/** Creates a folder with these files in it. */
export type MakeFolder = (files: Map<string, Uint8Array>) => Promise<{ folder: Folder; done?: () => unknown }>;

/** What a folder need not support. */
export interface FolderTraits {
  readOnly?: boolean;
  /** It cannot list its files. */
  unlisted?: boolean;
}

const UNSAFE = [
  "",
  "/",
  "/etc/passwd",
  "//evil.example/x",
  "..",
  ".",
  "../a",
  "a/..",
  "a/../b",
  "a/./b",
  "a//b",
  "a/",
  "./a",
  "~/a",
  "~root",
  "a\\b",
  "..\\a",
  "\\\\server\\share",
  "\\\\?\\C:\\a",
  "C:\\a",
  "C:a",
  "c:/a",
  "file:///etc/passwd",
  "http:x",
  "https://evil.example/x",
  "javascript:alert(1)",
  "a\0b",
  "a\nb",
  "a\u007fb",
  "a\u0085b",
];
const TOO_LONG = [
  "x".repeat(256),
  "é".repeat(128),
  "😀".repeat(64),
  "字".repeat(86),
  Array(300).fill("abcd").join("/"),
];
const GOOD = [
  "a b",
  "%2e%2e",
  "..%2fb",
  "a#b",
  "a&b=c+d",
  "ü/字/😀.bin",
  "fc_0.w_0",
  "x".repeat(255),
  "..a",
  "a..",
  "CON-1",
];

/** The suite. */
export function folderContract(name: string, make: MakeFolder, traits: FolderTraits = {}): void {
  const over = async (files: Record<string, Uint8Array>, test: (folder: Folder) => Promise<void>) => {
    const { folder, done } = await make(new Map(Object.entries(files)));
    try {
      await test(folder);
    } finally {
      await done?.();
    }
  };
  const put = async (folder: Folder, file: string, bytes: Uint8Array) => {
    const sink = await folder.put(file);
    await sink.write(bytes);
    await sink.close();
  };
  const get = async (folder: Folder, file: string) => {
    const source = await folder.get(file);
    if (!source) return null;
    try {
      return await readAll(source, 0, source.size);
    } finally {
      await source.close?.();
    }
  };

  describe(`${name} as a folder`, () => {
    it("gives the files that are there, and null for others", () => {
      const files = { "a.bin": patterned(100), "sub/b.bin": patterned(70_000), "sub/deep/c": new Uint8Array(0) };
      return over(files, async (folder) => {
        for (const [file, bytes] of Object.entries(files)) assert.ok(equal((await get(folder, file))!, bytes), file);
        for (const file of ["b.bin", "a.bin/x", "sub/c", "nowhere/a", "constructor", "__proto__"]) {
          assert.equal(await folder.get(file), null, file);
        }
      });
    });

    it("refuses names that lead elsewhere", () =>
      over({ "a.bin": patterned(3) }, async (folder) => {
        for (const file of UNSAFE) {
          assert.equal(await codeOf(folder.get(file)), "UNSAFE_PATH", `get ${JSON.stringify(file)}`);
          if (traits.readOnly) continue;
          assert.equal(await codeOf(folder.put(file)), "UNSAFE_PATH", `put ${JSON.stringify(file)}`);
          assert.equal(await codeOf(folder.delete(file)), "UNSAFE_PATH", `delete ${JSON.stringify(file)}`);
        }
        for (const file of TOO_LONG) assert.equal(await codeOf(folder.get(file)), "NAME_TOO_LONG", file.slice(0, 9));
      }));

    it("takes every character of a valid name literally", () =>
      over(
        Object.fromEntries(GOOD.filter((n) => !n.endsWith(".")).map((n, i) => [n, patterned(i + 1)])),
        async (folder) => {
          const names = GOOD.filter((n) => !n.endsWith("."));
          for (const [i, file] of names.entries()) assert.ok(equal((await get(folder, file))!, patterned(i + 1)), file);
          if (!traits.unlisted) assert.deepEqual(new Set(await folder.list()), new Set(names));
        },
      ));

    if (!traits.unlisted) {
      it("lists names by prefix, in code point order", () => {
        const names = ["b", "a/z", "a/b/c", "a.b", "a0", "B", "ab", "\uffee", "😀"];
        return over(Object.fromEntries(names.map((n) => [n, patterned(1)])), async (folder) => {
          assert.deepEqual(await folder.list(), ["B", "a.b", "a/b/c", "a/z", "a0", "ab", "b", "\uffee", "😀"]);
          assert.deepEqual(await folder.list("a/"), ["a/b/c", "a/z"]);
          assert.deepEqual(await folder.list("a"), ["a.b", "a/b/c", "a/z", "a0", "ab"]);
          assert.deepEqual(await folder.list("a/b"), ["a/b/c"]);
          assert.deepEqual(await folder.list("zzz"), []);
        });
      });
    }

    it("finds models by prefix and by folder", () => {
      const fixture = (path: string) => new Uint8Array(readFileSync("tests/fixtures/real/" + path));
      const prefix = "paddle-3.1.1/infer-model.oldir/", separate = "paddle-1.8.5/fluid-infer-separate/d/";
      const files: Record<string, Uint8Array> = {
        "new/m.pdmodel": fixture(prefix + "m.pdmodel"),
        "new/m.pdiparams": fixture(prefix + "m.pdiparams"),
      };
      for (const file of readdirSync("tests/fixtures/real/" + separate)) {
        files[`old/${file}`] = fixture(separate + file);
      }
      return over(files, async (folder) => {
        const named = async (name: string) => {
          const value = await load(name, { folder }) as Map<string, NDArray>;
          return new Map([...value].map(([key, array]) => [key, [array.dtype, ...array.shape].join()]));
        };
        const there = async (path: string) => {
          const value = await load("tests/fixtures/real/" + path) as Map<string, NDArray>;
          return new Map([...value].map(([key, array]) => [key, [array.dtype, ...array.shape].join()]));
        };
        assert.deepEqual(await named("new/m"), await there(prefix + "m"));
        assert.ok((await named("new/m")).size > 0);
        if (traits.unlisted) return;
        assert.deepEqual(await named("old"), await there(separate.slice(0, -1)));
        assert.deepEqual(await named("old/"), await named("old"));
      });
    });

    if (traits.readOnly) {
      it("reports that it is read-only", () =>
        over({ "a.bin": patterned(3) }, async (folder) => {
          assert.equal(await codeOf(folder.put("b.bin")), "READ_ONLY");
          assert.equal(await codeOf(folder.delete("a.bin")), "READ_ONLY");
          assert.equal(await codeOf(save(new Map(), "b.bin", { folder })), "READ_ONLY");
          assert.ok(await get(folder, "a.bin"));
        }));
      return;
    }

    it("gives back what was put, small, large and empty", () =>
      over({}, async (folder) => {
        for (const length of [0, 1, 1_048_576, 9_000_001]) {
          const bytes = patterned(length), file = `dir/${length}.bin`;
          await put(folder, file, bytes);
          assert.ok(equal((await get(folder, file))!, bytes), file);
        }
      }));

    it("shows the old file until the new one is complete", () =>
      over({ "a.bin": patterned(50) }, async (folder) => {
        for (const file of ["a.bin", "new/b.bin"]) {
          const before = await get(folder, file);
          const sink = await folder.put(file);
          await sink.write(new Uint8Array(1_500_000));
          assert.deepEqual(await get(folder, file), before, "half a file is not seen");
          assert.deepEqual(await folder.list(), before ? ["a.bin"] : ["a.bin"]);
          await sink.abort(new Error("enough"));
          assert.deepEqual(await get(folder, file), before, "an aborted one neither");
          assert.deepEqual(await folder.list(), ["a.bin"]);
          const again = await folder.put(file);
          await again.write(patterned(7));
          await again.close();
          assert.deepEqual(await get(folder, file), patterned(7));
          if (file !== "a.bin") await folder.delete(file);
        }
      }));

    it("never mixes an open file with the one that replaces it", () =>
      over({ "a.bin": new Uint8Array(3_000_000).fill(1) }, async (folder) => {
        const source = (await folder.get("a.bin"))!;
        assert.ok((await readAll(source, 0, 10)).every((byte) => byte === 1));
        await put(folder, "a.bin", new Uint8Array(3_000_000).fill(2));
        const result = await readAll(source, 2_000_000, 1000).then((bytes) => bytes[999], (error) => error.code);
        assert.ok([1, "SOURCE_CHANGED", "HTTP_CHANGED"].includes(result), String(result));
        await source.close?.();
        assert.equal((await get(folder, "a.bin"))![0], 2);
      }));

    it("keeps one whole file when two are put at the same time", () =>
      over({}, async (folder) => {
        // In some folders the second save waits for the first.
        const one = (async () => await put(folder, "a.bin", new Uint8Array(2_000_000).fill(1)))();
        const other = (async () => await put(folder, "a.bin", new Uint8Array(2_500_000).fill(2)))();
        await Promise.all([one, other]);
        const bytes = (await get(folder, "a.bin"))!;
        assert.ok(bytes.every((byte) => byte === bytes[0]));
        assert.equal(bytes.length, bytes[0] === 1 ? 2_000_000 : 2_500_000);
        assert.deepEqual(await folder.list(), ["a.bin"]);
      }));

    it("deletes files, and accepts names that do not exist", () =>
      over({ "a/b": patterned(3), "a/c": patterned(3) }, async (folder) => {
        await folder.delete("a/b");
        await folder.delete("a/b");
        await folder.delete("nowhere/x");
        assert.equal(await folder.get("a/b"), null);
        assert.deepEqual(await folder.list(), ["a/c"]);
      }));

    it("is where save and load find bare names", () =>
      over({}, async (folder) => {
        await save(new Map([["w", fromArray([[1, 2], [3, 4]], "float32")]]), "run/1.pdparams", { folder });
        const state = await load("run/1.pdparams", { folder }) as StateDict;
        assert.deepEqual((state.get("w") as NDArray).toArray(), [[1, 2], [3, 4]]);
        await using checkpoint = await open({ folder, name: "run/1.pdparams" });
        assert.deepEqual((await checkpoint.getSlice("w", [1, 2])).toArray(), [[3, 4]]);
        assert.equal(await codeOf(load("run/2.pdparams", { folder })), "NOT_FOUND");
      }));
  });
}
