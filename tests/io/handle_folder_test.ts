import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { HandleFolder } from "../../mod.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";

const BYTES = Uint8Array.of(1, 2, 3);

async function put(folder: HandleFolder, name: string, bytes = BYTES): Promise<void> {
  const sink = await folder.put(name);
  await sink.write(bytes);
  await sink.close();
}

/** A directory whose method `name` fails like a browser's. */
function failing(name: string, error: string): FileSystemDirectoryHandle {
  const directory = fakeDirectory() as unknown as Record<string, unknown>;
  directory[name] = () => {
    throw new DOMException(`fake ${error}`, error);
  };
  return directory as unknown as FileSystemDirectoryHandle;
}

describe("a folder over a directory handle", () => {
  it("is not made of something else", () => {
    for (const other of [null, undefined, "folder", {}, new Map()]) {
      assert.throws(() => new HandleFolder(other as never), { name: "TypeError", message: /a directory handle/ });
    }
  });

  it("lists what is in directories as deep as the limit, and refuses deeper ones", async () => {
    const root = fakeDirectory(), folder = new HandleFolder(root);
    const path = "d/".repeat(DEFAULT_LIMITS.maxFolderDepth);
    await put(folder, `${path}a`);
    assert.deepEqual(await folder.list(), [`${path}a`]);
    await put(folder, `${path}d/a`);
    await assert.rejects(folder.list(), { code: "UNSAFE_PATH", message: /deeper than 32/ });
    assert.deepEqual(await folder.list("x"), [], "directories that cannot hold the prefix are not looked into");
  });

  it("refuses to list more files than the limit", async () => {
    const directory = {
      ...fakeDirectory(),
      kind: "directory",
      getFileHandle: () => {},
      async *entries() {
        for (let i = 0; i <= DEFAULT_LIMITS.maxEntries; i++) yield [`f${i}`, { kind: "file" }];
      },
    };
    await assert.rejects(new HandleFolder(directory as never).list(), { code: "UNSAFE_PATH", message: /more than/ });
  });

  it("says what the browser said when it does not allow something", async () => {
    const denied = { code: "PERMISSION" };
    await assert.rejects(new HandleFolder(failing("getFileHandle", "NotAllowedError")).get("a"), denied);
    await assert.rejects(new HandleFolder(failing("getDirectoryHandle", "NotAllowedError")).get("d/a"), denied);
    await assert.rejects(new HandleFolder(failing("entries", "NotAllowedError")).list(), denied);
    await assert.rejects(new HandleFolder(failing("getDirectoryHandle", "NotAllowedError")).hasFolder("d"), denied);
    await assert.rejects(new HandleFolder(failing("removeEntry", "NotAllowedError")).delete("a"), denied);
    await assert.rejects(new HandleFolder(failing("getFileHandle", "NotAllowedError")).put("a"), { name: "SaveError" });
  });

  it("has no files with names that the browser does not allow, and says so", async () => {
    const directory = fakeDirectory() as unknown as Record<string, unknown>;
    for (const name of ["getFileHandle", "getDirectoryHandle", "removeEntry"]) {
      directory[name] = () => Promise.reject(new TypeError("Name is not allowed."));
    }
    const folder = new HandleFolder(directory as unknown as FileSystemDirectoryHandle);
    const refused = { name: "PathError", code: "UNSAFE_PATH", path: "a.lnk" };
    const calls = {
      get: () => folder.get("a.lnk"),
      put: () => folder.put("a.lnk"),
      delete: () => folder.delete("a.lnk"),
    };
    for (const [what, call] of Object.entries(calls)) await assert.rejects(call(), refused, what);
    await assert.rejects(folder.hasFolder("a.lnk"), refused);
    await assert.rejects(folder.get("d.lnk/a"), { ...refused, path: "d.lnk/a" });
  });

  it("has no file below a file, and none to delete", async () => {
    const folder = new HandleFolder(fakeDirectory());
    await put(folder, "a");
    assert.equal(await folder.get("a/b"), null);
    assert.equal(await folder.get("d/b"), null);
    await folder.delete("a/b");
    await folder.delete("d/b");
    await folder.delete("b");
    assert.deepEqual(await folder.list(), ["a"]);
    await folder.delete("a");
    assert.deepEqual(await folder.list(), []);
  });

  it("tells whether it has a directory, even an empty one", async () => {
    const root = fakeDirectory(), folder = new HandleFolder(root);
    await root.getDirectoryHandle("empty", { create: true });
    await put(folder, "a");
    assert.deepEqual(await Promise.all(["empty", "a", "b", "b/c"].map((name) => folder.hasFolder(name))), [
      true,
      false,
      false,
      false,
    ]);
    await assert.rejects(folder.hasFolder("../a"), { code: "UNSAFE_PATH" });
  });

  it("leaves no temporary file in browsers that cannot write there, and says where they can", async () => {
    const root = fakeDirectory({ writable: false, movable: false }), folder = new HandleFolder(root);
    await assert.rejects(folder.put("a"), { code: "UNSUPPORTED_RUNTIME", path: "a", message: /in a worker only/ });
    const names: string[] = [];
    for await (const [name] of (root as unknown as { entries(): AsyncIterable<[string, unknown]> }).entries()) {
      names.push(name);
    }
    assert.deepEqual(names, []);
  });

  it("takes names that only some systems take where that is asked for", async () => {
    const folder = new HandleFolder(fakeDirectory());
    await assert.rejects(folder.put("a:b"), { code: "UNSAFE_PATH" });
    const sink = await folder.put("x.", { portable: false });
    await sink.write(BYTES);
    await sink.close();
    assert.deepEqual(await folder.list(), ["x."]);
    await assert.rejects(folder.put("../a", { portable: false }), { code: "UNSAFE_PATH" });
  });
});
