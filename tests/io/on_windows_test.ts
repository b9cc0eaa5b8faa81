import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  fluid,
  fromArray,
  jit,
  load,
  type NDArray,
  open,
  save,
  type StateDict,
  static as paddleStatic,
} from "../../mod.ts";
import { isSameInode } from "../../src/io/disk/same_inode.ts";
import { replaceBytes } from "../../src/io/disk/undo_journal.ts";
import { fileSystem } from "../../src/io/platform.ts";
import { asOnWindows, GIVEN } from "../helpers/as_on_windows.ts";
import { cutOff } from "../helpers/cut_off.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const MODEL = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";

/** The folder of a Layer with several methods. */
const METHODS = "tests/fixtures/real/paddle-2.4.2/jit-methods";

const state = (value: number) => new Map([["w", fromArray([value], "float32")]]);

const first = async (path: string) => (((await load(path)) as StateDict).get("w") as NDArray).at(0);

/** A file's number as it is; in Deno one that a double cannot hold, but that is rounded to the one that is reported. */
function exactInode(path: string): bigint {
  const ino = lstatSync(path, { bigint: true }).ino + GIVEN;
  return "Deno" in globalThis ? BigInt(Number(ino)) + 1n : ino;
}

/** Run `work` with a file as on Windows. */
const withFile = (work: (path: string, folder: string) => Promise<void>) =>
  inTempFolder((folder) => asOnWindows(() => work(join(folder, "m.pdparams"), folder)));

describe("on Windows, where no file can be replaced while it is open", () => {
  it("a checkpoint is saved over the file that its arrays are read from", () =>
    withFile(async (path, folder) => {
      await save(state(1), path);
      const file = await open(path);
      const w = await file.get("w");
      await save(new Map([["w", w], ["v", w]]), path);
      await assert.rejects(file.get("w"), { code: "SOURCE_CHANGED" });
      await file.close();
      assert.equal(await first(path), 1);
      assert.deepEqual(readdirSync(folder), ["m.pdparams"]);
    }));

  it("a folder is replaced as a whole although its files are open", () =>
    withFile(async (_, folder) => {
      const dir = join(folder, "d"), vars = [{ name: "w", dtype: "float32", shape: [1] }];
      const saved = (value: number) =>
        fluid.io.saveVars(dir, { vars, parameters: state(value), wholeFolder: true } as never);
      await saved(1);
      const file = await open(dir);
      await saved(2);
      await file.close();
      assert.equal(await first(dir), 2);
      assert.deepEqual(readdirSync(folder), ["d"]);
    }));

  it("a file that another program has open is kept, and the error says why", () =>
    withFile(async (path, folder) => {
      await save(state(1), path);
      const fs = fileSystem(path), held = fs.openSync(path, "r");
      const saving = save(state(2), path);
      await assert.rejects(saving, { code: "RENAME_FAILED", message: /EPERM .* another program may have it open/ });
      fs.closeSync(held);
      assert.equal(await first(path), 1);
      assert.deepEqual(readdirSync(folder), ["m.pdparams"]);
    }));

  it("a read-only file is not written a second time just to find that it cannot be replaced", () =>
    withFile(async (path, folder) => {
      await save(state(1), path);
      chmodSync(path, 0o444);
      await assert.rejects(save(state(2), path), { code: "READ_ONLY", message: /read-only/ });
      assert.deepEqual(readdirSync(folder), ["m.pdparams"]);
      chmodSync(path, 0o666);
    }));
});

describe("on Windows, where inode numbers are too large for a double", () => {
  it("values are written in place", () =>
    withFile(async (path) => {
      await save(state(1), path);
      const file = await open(path);
      await file.write("w", fromArray([2], "float32"));
      await file.close();
      assert.equal(await first(path), 2);
    }));

  it("a file that was looked at with exact numbers is unchanged", () =>
    withFile(async (path) => {
      await save(state(1), path);
      const { size, mtimeMs } = statSync(path);
      await save(state(2), path, { ifUnchanged: { size, mtimeMs, ino: exactInode(path) } });
      assert.equal(await first(path), 2);
    }));

  it("one that was rounded is the same, but two exact ones that differ are not, as file systems of clusters give them", () => {
    const exact = 2n ** 57n + 3n, rounded = BigInt(Number(exact));
    assert.notEqual(exact, rounded);
    for (const other of [exact, rounded]) {
      assert.ok(isSameInode(exact, other));
      assert.ok(isSameInode(other, exact));
    }
    assert.ok(!isSameInode(exact, exact + 1n));
    assert.ok(!isSameInode(3n, 4n));
  });

  it("a change in place that was interrupted in a runtime with exact numbers is undone in one that rounds them", () =>
    withFile(async (path, folder) => {
      await save(state(1), path);
      const old = readFileSync(path), journal = path + ".pdundo";
      for (let after = 1; readFileSync(path).equals(old); after++) {
        rmSync(journal, { force: true });
        await replaceBytes(cutOff(after).fs, path, 0, new Uint8Array(100)).catch(() => {});
      }
      const bytes = readFileSync(journal);
      bytes.writeBigUInt64LE(exactInode(path), 16);
      const hash = createHash("sha256").update(bytes.subarray(0, 48)).update(bytes.subarray(72));
      bytes.set(hash.digest().subarray(0, 24), 48);
      writeFileSync(journal, bytes);
      assert.equal(await first(path), 1);
      assert.deepEqual(readFileSync(path), old);
      assert.deepEqual(readdirSync(folder), ["m.pdparams"]);
    }));
});

describe("on Windows, a model", () => {
  it("is found by its prefix in upper or lower case, with all its methods", () =>
    withFile(async (_, folder) => {
      for (const file of readdirSync(METHODS)) cpSync(join(METHODS, file), join(folder, file));
      const layer = await jit.load(join(folder, "M"));
      assert.deepEqual([...layer.programs.keys()], [...(await jit.load(join(folder, "m"))).programs.keys()]);
      assert.ok(layer.programs.size > 1);
      await assert.rejects(load(join(folder, "mm")), { code: "NOT_FOUND" });
    }));
});

describe("on Windows, a save to a path", () => {
  for (const name of ["a:b.pdparams", "NUL", "aux.pdparams", "m.pdparams.", "m.pdparams ", "m*.pdparams"]) {
    it(`is refused for ${JSON.stringify(name)}: it would lead to a device or a stream, or be a file that no program can open`, () =>
      withFile(async (_, folder) => {
        await assert.rejects(save(state(1), join(folder, name)), { code: "UNSAFE_PATH" });
        await assert.rejects(save(state(1), join(folder, name), { portable: false }), { code: "UNSAFE_PATH" });
        assert.deepEqual(readdirSync(folder), []);
      }));
  }

  it("is refused for a prefix that ends in a backslash, and so is a folder: nothing is written beside it", () =>
    withFile(async (_, folder) => {
      const prefix = join(folder, "models\\"), layer = await jit.load(MODEL);
      await assert.rejects(jit.save(layer, prefix), { name: "TypeError", message: /ends in a name/ });
      await assert.rejects(paddleStatic.relayout(MODEL, prefix), { code: "INVALID_VALUE" });
      await assert.rejects(fluid.saveDygraph(state(1), prefix), { code: "INVALID_VALUE" });
      assert.deepEqual(readdirSync(folder), []);
    }));

  it("is allowed for a name that begins with ~", () =>
    withFile(async (_, folder) => {
      await save(state(1), join(folder, "~m.pdparams"));
      assert.ok(existsSync(join(folder, "~m.pdparams")));
    }));
});
