import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  DirectoryFolder,
  encode,
  type FileHandle,
  type Folder,
  fromArray,
  HandleFolder,
  load,
  open,
  save,
} from "../../mod.ts";
import { stoppableFolder } from "../../src/io/folders/stoppable_folder.ts";
import { saveFiles } from "../../src/io/save/save_files.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";
import { inTime } from "../helpers/in_time.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const NAME = "m.pdparams";
const state = (x: number) => new Map([["w", fromArray([x, x], "float32")]]);
const firstOf = async (folder: HandleFolder) =>
  (await load(NAME, { folder }) as Map<string, { at(i: number): unknown }>).get("w")!.at(0);
const turn = () => new Promise((resolve) => setTimeout(resolve, 60));

/** A directory, and how often its files were asked for a stream. */
function counted() {
  const root = fakeDirectory(), asked = { streams: 0 };
  const get = root.getFileHandle.bind(root);
  root.getFileHandle = async (...args) => {
    const file = await get(...args) as FileSystemFileHandle & FileHandle, make = file.createWritable.bind(file);
    file.createWritable = (options) => (asked.streams++, make(options as never)) as never;
    return file;
  };
  return { root, folder: new HandleFolder(root as never), asked };
}

describe("saves to one handle at the same time", () => {
  it("wait for each other, however long one takes", async () => {
    const { root, folder, asked } = counted();
    await save(state(0), NAME, { folder });
    const first = await folder.put(NAME), before = asked.streams;
    const second = save(state(2), NAME, { folder });
    const third = save(state(3), NAME, { folder: new HandleFolder(root as never) });
    const handle = await root.getFileHandle(NAME) as unknown as FileHandle, fourth = save(state(4), handle);
    await turn();
    const fifth = save(state(5), NAME, { folder });
    await turn();
    assert.equal(asked.streams, before, "nobody asks while the first writes");
    await first.write(encode(state(1)));
    await first.close();
    await Promise.all([second, third, fourth, fifth]);
    assert.equal(await firstOf(folder), 5);
  });

  it("happen in the order of the calls, even if there was no file or one of them fails", async () => {
    const { folder } = counted();
    const first = await folder.put(NAME);
    const saves = [1, 2, 3].map((x) => save(state(x), NAME, { folder }));
    await turn();
    await first.abort(new Error("no"));
    await Promise.all(saves);
    assert.equal(await firstOf(folder), 3);
  });

  it("can be aborted while they wait, and others then do not wait for them", async () => {
    const { folder } = counted();
    const first = await folder.put(NAME), stop = new AbortController(), reason = new Error("stop");
    const second = save(state(2), NAME, { folder, signal: stop.signal });
    const third = save(state(3), NAME, { folder });
    await turn();
    stop.abort(reason);
    await assert.rejects(second, (error) => error === reason);
    await first.write(encode(state(1)));
    await first.close();
    await third;
    assert.equal(await firstOf(folder), 3);
  });

  it("wait for a write in place, and it for them", async () => {
    const { root, folder, asked } = counted();
    await save(state(0), NAME, { folder });
    await using checkpoint = await open(await root.getFileHandle(NAME) as unknown as FileHandle);
    const first = await folder.put(NAME), before = asked.streams;
    const written = checkpoint.write("w", fromArray([9, 9], "float32"));
    await turn();
    assert.equal(asked.streams, before);
    await first.abort(new Error("no"));
    await written;
    assert.equal(await firstOf(folder), 9);
  });

  it("of different files do not wait", async () => {
    const { folder } = counted();
    const first = await folder.put(NAME);
    await save(state(2), "other.pdparams", { folder });
    await first.abort(new Error("no"));
  });
});

/** Two saves of the same files, each of which begins with the file that the other one ends with. */
async function crossed(one: Folder, names: string[], other: Folder, otherNames: string[]): Promise<void> {
  const saveTo = (folder: Folder, names: string[], x: number) =>
    saveFiles(folder, names.map((name) => ({ name, size: 1, chunks: [Uint8Array.of(x)] })), {});
  await inTime(Promise.all([saveTo(one, names, 1), saveTo(other, otherNames.toReversed(), 2)]));
  const values = await Promise.all(names.map(async (name) => {
    const source = (await one.get(name))!, byte = new Uint8Array(1);
    await source.read(0, byte);
    await source.close?.();
    return byte[0];
  }));
  assert.equal(new Set(values).size, 1, "all files are from the same save");
}

describe("saves of several files at the same time", () => {
  it("do not wait for each other for ever over one directory handle, whatever the order of their files", async () => {
    const root = fakeDirectory();
    const folders = [new HandleFolder(root), stoppableFolder(new HandleFolder(root), undefined)];
    await crossed(folders[0], ["a", "b"], folders[1], ["a", "b"]);
  });

  it("nor if the directory of one is below that of the other", async () => {
    const above = fakeDirectory(), below = await above.getDirectoryHandle("m", { create: true });
    await crossed(new HandleFolder(above), ["m/a", "m/b"], new HandleFolder(below), ["a", "b"]);
  });

  it("nor over paths, if one is below the other, or leads there through a link", () =>
    inTempFolder(async (path) => {
      mkdirSync(join(path, "m"));
      symlinkSync("m", join(path, "link"));
      const above = new DirectoryFolder(path);
      await crossed(above, ["m/a", "m/b"], new DirectoryFolder(join(path, "m")), ["a", "b"]);
      await crossed(above, ["m/a", "n/b"], above, ["link/a", "n/b"]);
    }));
});
