import assert from "node:assert/strict";
import { pbkdf2 } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  type Checkpoint,
  DirectoryFolder,
  encode,
  fromArray,
  isPaddleError,
  load,
  type NDArray,
  open,
  save,
  Tensor,
} from "../../mod.ts";
import { FileSource } from "../../src/io/sources/file_source.ts";
import { equal, patterned } from "./source_contract.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  return inTempFolder((folder) => test(join(folder, "a.bin")));
}

function stateDict(first: number): Map<string, Tensor> {
  const tensor = (i: number) =>
    new Tensor("int32", [9000 + i], Int32Array.from({ length: 9000 + i }, (_, k) => first + i + k));
  return new Map(Array.from({ length: 20 }, (_, i) => [`t${i}`, tensor(i)]));
}

describe("an open file", () => {
  it("gives many pieces at a time, each from its own offset", () =>
    inFolder(async (path) => {
      const bytes = patterned(200_000);
      writeFileSync(path, bytes);
      const source = await FileSource.open(path);
      const pieces = Array.from({ length: 50 }, (_, i) => ({ at: i * 3999, into: new Uint8Array(4000) }));
      const reads = pieces.map(({ at, into }) => source.read(at, into));
      const now = new Uint8Array(100);
      assert.equal(source.readSync(77, now), 100);
      assert.ok(equal(now, bytes.subarray(77, 177)));
      assert.deepEqual(await Promise.all(reads), pieces.map(() => 4000));
      for (const { at, into } of pieces) assert.ok(equal(into, bytes.subarray(at, at + 4000)), String(at));
      await source.close();
    }));

  for (const what of ["replaced", "removed"]) {
    it(`is still read after its name was ${what}`, () =>
      inFolder(async (path) => {
        const state = stateDict(0);
        writeFileSync(path, encode(state));
        await using checkpoint = await open(path);
        if (what === "removed") unlinkSync(path);
        else {
          writeFileSync(path + ".new", encode(stateDict(1000)));
          renameSync(path + ".new", path);
        }
        const all = await Promise.all(checkpoint.names().map((name) => checkpoint.get(name)));
        all.forEach((array, i) => assert.ok(array.equals(state.get(`t${i}`)!), `t${i}`));
      }));
  }

  const changes: Record<string, (path: string, bytes: Uint8Array) => void> = {
    "overwritten": (path, bytes) => writeFileSync(path, bytes),
    "extended": (path) => appendFileSync(path, "more"),
    "truncated by one byte": (path, bytes) => truncateSync(path, bytes.length - 1),
    "truncated to 100 bytes": (path) => truncateSync(path, 100),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`is SOURCE_CHANGED for further reads after it was ${what}`, () =>
      inFolder(async (path) => {
        const ways: Record<string, (checkpoint: Checkpoint) => Promise<unknown>> = {
          "get": (checkpoint) => checkpoint.get("t7"),
          "get of what was read with the structure": (checkpoint) => checkpoint.get("small"),
          "getSlice": (checkpoint) => checkpoint.getSlice("t7", [1, 5]),
          "stream": (checkpoint) => new Response(checkpoint.stream("t7")).arrayBuffer(),
          "load of an array": async (checkpoint) =>
            await ((await checkpoint.value()) as Map<string, Tensor>).get("t7")!.load(),
          "an array that is touched": async (checkpoint) =>
            ((await checkpoint.value()) as Map<string, Tensor>).get("t7")!.at(0),
          "save": (checkpoint) => save(checkpoint, { write() {}, close() {}, abort() {} }),
        };
        const small = new Tensor("int32", [3]);
        for (const [name, way] of Object.entries(ways)) {
          writeFileSync(path, encode(new Map([...stateDict(0), ["small", small]])));
          // The timestamps of a file system may be coarse.
          utimesSync(path, 1, 1);
          await using checkpoint = await open(path);
          change(path, encode(new Map([...stateDict(1000), ["small", small]])));
          const error = await way(checkpoint).then(() => null, (error) => error);
          assert.ok(isPaddleError(error) && error.code === "SOURCE_CHANGED", `${name}: ${error}`);
        }
      }));
  }

  it("is SOURCE_CHANGED, not damaged, when other bytes than those of its structure come to be there", () =>
    inFolder(async (path) => {
      for (const verb of [load, open]) {
        writeFileSync(path, encode(stateDict(0)));
        utimesSync(path, 1, 1);
        const source = await FileSource.open(path);
        writeFileSync(path, encode(stateDict(0)).fill(255, 10));
        await assert.rejects(verb(source), { code: "SOURCE_CHANGED" });
        await source.close();
      }
    }));

  it("may be closed while it is being read", () =>
    inFolder(async (path) => {
      writeFileSync(path, patterned(100_000));
      const source = await FileSource.open(path);
      const reads = Array.from({ length: 8 }, () => source.read(0, new Uint8Array(50_000)).catch((error) => error));
      await source.close();
      // Either complete, or the error of a closed source; nothing stays open or hangs.
      const isClosed = (error: unknown) => error instanceof TypeError && /was closed/.test(error.message);
      for (const result of await Promise.all(reads)) assert.ok(result === 50_000 || isClosed(result), result);
    }));

  it("never reads from another file that was opened under its handle after it was closed", () =>
    inFolder(async (path) => {
      const [mine, theirs] = [patterned(100_000), new Uint8Array(100_000).fill(255)];
      writeFileSync(path, mine);
      writeFileSync(path + "2", theirs);
      const source = await FileSource.open(path);
      // On some runtimes, reads queue behind these.
      const busy = Array.from(
        { length: 16 },
        () => new Promise((resolve) => pbkdf2("a", "b", 50_000, 64, "sha512", resolve)),
      );
      const into = new Uint8Array(mine.length);
      const reading = source.read(0, into).then(() => equal(into, mine), (error) => error instanceof TypeError);
      const closing = source.close();
      const others = Array.from({ length: 8 }, () => openSync(path + "2", "r"));
      try {
        assert.equal(await reading, true, "the bytes of the file, or the error of one that was closed");
        await closing;
      } finally {
        for (const fd of others) closeSync(fd);
        await Promise.all(busy);
      }
    }));

  it("reports a closed checkpoint as a TypeError, not as a failed read", () =>
    inFolder(async (path) => {
      const name = "a.pdparams", folder = new DirectoryFolder(dirname(path));
      const array = fromArray(Array.from({ length: 50_000 }, (_, i) => i), "int32");
      await save(new Map([["w", array]]), name, { folder });
      const closed = { name: "TypeError", message: /was closed/ };
      for (const from of [join(dirname(path), name), { folder, name }]) {
        const checkpoint = await open(from);
        const lazy = (await checkpoint.value() as Map<string, NDArray>).get("w")!;
        await checkpoint.close();
        await assert.rejects(checkpoint.get("w"), closed);
        await assert.rejects(lazy.load(), closed);
        assert.throws(() => lazy.data, closed);
      }
    }));

  it("is read on after an edit during which a hundred others were read", () =>
    inFolder(async (path) => {
      const sources: FileSource[] = [];
      for (let i = 0; i < 101; i++) {
        writeFileSync(`${path}.${i}`, patterned(100));
        sources.push(await FileSource.open(`${path}.${i}`));
      }
      const [edited, ...others] = sources, into = new Uint8Array(3);
      edited.verifySync();
      const editing = edited.edit(1, Uint8Array.of(7, 8));
      for (const other of others) other.verifySync();
      await editing;
      await edited.read(0, into);
      assert.deepEqual([...into], [patterned(1)[0], 7, 8]);
      for (const source of sources) await source.close();
    }));

  it("shares a hundred handles with many others, and reopens the same file or gives an error", () =>
    inFolder(async (path) => {
      const sources: FileSource[] = [];
      const handles = () => existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
      const before = handles();
      for (let i = 0; i < 300; i++) {
        writeFileSync(`${path}.${i}`, patterned(100 + i));
        sources.push(await FileSource.open(`${path}.${i}`));
      }
      assert.ok(handles() - before <= 110, `${handles() - before} handles`);
      const read = async (i: number) => {
        const into = new Uint8Array(100 + i);
        await (i % 2 ? sources[i].read(0, into) : sources[i].readSync(0, into));
        return equal(into, patterned(100 + i));
      };
      assert.ok((await Promise.all(sources.map((_, i) => read(i)))).every((same) => same));
      for (const source of sources) await source.verify();
      // The handles of the first ones are closed by now.
      writeFileSync(`${path}.0`, patterned(50));
      unlinkSync(`${path}.1`);
      for (const i of [0, 1]) {
        await assert.rejects(read(i), (error) => isPaddleError(error) && error.code === "SOURCE_CHANGED");
      }
      for (const source of sources) await source.close();
      await assert.rejects(sources[5].read(0, new Uint8Array(1)), TypeError);
      assert.ok(handles() <= before + 5);
    }));
});
