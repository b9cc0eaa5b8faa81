import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import {
  cleanupTemps,
  DirectoryFolder,
  type Folder,
  fromArray,
  HandleFolder,
  load,
  MemoryFolder,
  Model,
  nn,
  save,
  type Sink,
  type StateDict,
} from "../../mod.ts";
import { FileSink } from "../../src/io/sinks/file_sink.ts";
import { stoppableFolder } from "../../src/io/folders/stoppable_folder.ts";
import { saveFiles } from "../../src/io/save/save_files.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";
import { inTime } from "../helpers/in_time.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const file = (name: string, x = 1) => ({ name, size: 1, chunks: [Uint8Array.of(x)] });

const saved = (folder: Folder, names: string[], x = 1, options = {}) =>
  inTime(saveFiles(folder, names.map((name) => file(name, x)), options));

describe("a path with .. after a link", () => {
  it("leads where the system leads it: to the folder above the one behind the link", () =>
    inTempFolder(async (folder) => {
      mkdirSync(join(folder, "d", "e"), { recursive: true });
      symlinkSync("d/e", join(folder, "link"));
      symlinkSync("link/../new", join(folder, "dangling"));
      const at = (name: string) => `${folder}/link/../${name}`;
      const state = new Map([["w", fromArray([1], "float32")]]);
      await save(state, at("x.pdparams"));
      await save(state, join(folder, "dangling"));
      await new Model(new nn.Linear(1, 1)).save(at("m"));
      assert.deepEqual(readdirSync(join(folder, "d")).sort(), ["e", "m.pdparams", "new", "x.pdparams"]);
      assert.deepEqual(readdirSync(folder).sort(), ["d", "dangling", "link"]);
      for (const name of ["x.pdparams", "m.pdparams", "new"]) {
        assert.ok((await load(at(name)) as StateDict).size > 0, name);
      }
      await new Model(new nn.Linear(1, 1)).load(at("m"));
    }));
});

describe("a relative path", () => {
  it("is that of the call, wherever the working directory is once earlier saves of it are over", () =>
    inTempFolder(async (folder) => {
      for (const name of ["x", "y"]) mkdirSync(join(folder, name));
      const before = process.cwd(), first = await new DirectoryFolder(join(folder, "x")).put("a");
      try {
        process.chdir(join(folder, "x"));
        const waiting = FileSink.create("a", {});
        process.chdir(join(folder, "y"));
        await first.abort(new Error("no"));
        const second = await waiting;
        await second.write(Uint8Array.of(1));
        await second.close();
      } finally {
        process.chdir(before);
      }
      assert.deepEqual([readdirSync(join(folder, "x")), readdirSync(join(folder, "y"))], [["a"], []]);
    }));

  it("is what errors name", () =>
    inTempFolder(async (folder) => {
      const before = process.cwd();
      try {
        process.chdir(folder);
        mkdirSync("d");
        symlinkSync("loop", "loop");
        await assert.rejects(save(1, "d"), { code: "NOT_A_FILE", path: "d" });
        await assert.rejects(save(1, "loop"), { code: "WRITE_FAILED", path: "loop" });
      } finally {
        process.chdir(before);
      }
    }));
});

describe("a save of several files", () => {
  it("is refused if two of them have one name", () =>
    inTempFolder(async (path) => {
      const folders = { path: new DirectoryFolder(path), handle: new HandleFolder(fakeDirectory()) };
      for (const [what, folder] of Object.entries({ ...folders, memory: new MemoryFolder() })) {
        await assert.rejects(saved(folder, ["a", "b", "a"]), { code: "NAME_COLLISION", names: ["a", "a"] }, what);
        assert.deepEqual(await folder.list(), []);
      }
      const whole = saved(new DirectoryFolder(join(path, "w")), ["a", "a"], 1, { wholeFolder: true });
      await assert.rejects(whole, { code: "NAME_COLLISION" });
      assert.deepEqual(readdirSync(path), []);
    }));

  it("is refused if the name of one is a link to another one", () =>
    inTempFolder(async (path) => {
      writeFileSync(join(path, "a"), "old");
      symlinkSync("a", join(path, "b"));
      await assert.rejects(saved(new DirectoryFolder(path), ["a", "b"]), { code: "NAME_COLLISION", names: ["a", "b"] });
      assert.equal(readFileSync(join(path, "a"), "utf8"), "old");
      assert.deepEqual(readdirSync(path).sort(), ["a", "b"]);
    }));

  it("can be taken back although the remains of killed saves are swept meanwhile, however old its files are", () =>
    inTempFolder(async (path) => {
      writeFileSync(join(path, "a"), "old");
      utimesSync(join(path, "a"), 1, 1);
      const sink = await FileSink.create(join(path, "a"), {});
      await sink.write(Uint8Array.of(1));
      await sink.keepOld();
      await sink.takePlace();
      assert.deepEqual(await cleanupTemps(path), []);
      assert.ok(await sink.takeBack(null));
      await sink.abort();
      assert.equal(readFileSync(join(path, "a"), "utf8"), "old");
      assert.deepEqual(readdirSync(path), ["a"]);
    }));

  it("waits for an earlier one with some of the same files in the same folder, and for no other", async () => {
    class SlowFolder extends MemoryFolder {
      override async put(name: string): Promise<Sink> {
        const sink = await super.put(name);
        const close = sink.close.bind(sink);
        // The second save would overtake the first one.
        sink.close = async () => {
          for (let i = name === "b" ? 10 : 1; i > 0; i--) await new Promise((resolve) => setTimeout(resolve, 1));
          await close();
        };
        return sink;
      }
    }
    const folder = new SlowFolder(), order: number[] = [];
    const saves = [["a", "b"], ["b", "a"], ["c", "d"]].map((names, i) =>
      saved(folder, names, i).then(() => order.push(i))
    );
    await Promise.all(saves);
    assert.deepEqual(order, [2, 0, 1]);
    const byteOf = async (name: string) => {
      const into = new Uint8Array(1);
      await (await folder.get(name))!.read(0, into);
      return into[0];
    };
    assert.deepEqual([await byteOf("a"), await byteOf("b")], [1, 1]);
  });
});

describe("a folder of the caller, when the call is aborted", () => {
  it("has what it gave at the last moment closed or aborted again", async () => {
    for (let turns = 0; turns < 8; turns++) {
      const stop = new AbortController(), open = new Set<string>();
      const late = <T extends object>(given: T): Promise<T> => {
        let left = turns;
        const turn = () => left-- > 0 ? queueMicrotask(turn) : stop.abort(new Error("enough"));
        turn();
        return Promise.resolve(given);
      };
      const source = {
        size: 0,
        read: () => Promise.resolve(0),
        close: () => Promise.resolve(void open.delete("source")),
      };
      const sink = { write() {}, close() {}, abort: () => void open.delete("sink") };
      const folder = stoppableFolder({
        get: () => (open.add("source"), late(source)),
        put: () => (open.add("sink"), late(sink)),
        list: () => Promise.resolve([]),
        delete: () => Promise.resolve(),
      }, stop.signal);
      for (const [what, call] of [["source", () => folder.get("a")], ["sink", () => folder.put("a")]] as const) {
        const given = await call().then(() => true, () => false);
        await new Promise((resolve) => setTimeout(resolve, 0));
        assert.equal(open.has(what), given, `${what}, ${turns} turns later`);
        open.clear();
      }
    }
  });
});
