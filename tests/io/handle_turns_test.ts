import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { encode, type FileHandle, fromArray, HandleFolder, load, open, save } from "../../mod.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";

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
