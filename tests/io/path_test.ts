import assert from "node:assert/strict";
import { posix } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import { HandleFolder, save } from "../../mod.ts";
import { slashPaths } from "../../src/io/disk/path.ts";
import { homeName } from "../../src/io/folders/home_folder.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";

const ours = slashPaths(() => process.cwd());

/** All paths of up to `length` parts. */
function pathsOf(length: number): string[] {
  if (length === 0) return [""];
  const shorter = pathsOf(length - 1);
  return [
    ...new Set([...shorter, ...shorter.flatMap((path) => ["/", ".", "..", "a", "é "].map((part) => path + part))]),
  ];
}

describe("paths with slashes", () => {
  it("are split and resolved like node:path", () => {
    for (const path of pathsOf(6)) {
      assert.equal(ours.dirname(path), posix.dirname(path), `dirname ${path}`);
      assert.equal(ours.basename(path), posix.basename(path), `basename ${path}`);
      assert.equal(ours.resolve(path), posix.resolve(path), `resolve ${path}`);
    }
  });

  it("are joined and resolved against each other like node:path", () => {
    const parts = pathsOf(3);
    for (const a of parts) {
      for (const b of parts) {
        assert.equal(ours.join(a, b), posix.join(a, b), `join ${a} ${b}`);
        assert.equal(ours.resolve(a, b), posix.resolve(a, b), `resolve ${a} ${b}`);
      }
    }
  });
});

describe("a path where a browser keeps files", () => {
  it("is a name in a folder, and that of a folder stays one, so that nothing is saved under it", async () => {
    const names = { "./a": "a", "/b/../a": "a", "a//b": "a/b", "a/": "a/", "a/./": "a/", "/": "", "": "" };
    for (const [path, name] of Object.entries(names)) assert.equal(homeName(path), name, path);
    const folder = new HandleFolder(fakeDirectory());
    await assert.rejects(save(1, homeName("models/"), { folder }), { code: "UNSAFE_PATH" });
  });
});
