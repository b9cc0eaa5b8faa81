import assert from "node:assert/strict";
import * as fs from "node:fs";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  distributed,
  fluid,
  fromArray,
  load,
  MemoryFolder,
  open,
  recoverFolder,
  type StateDict,
  static as paddleStatic,
  Tensor,
} from "../../mod.ts";
import { recoverIn, swapFolder } from "../../src/io/folders/whole_folder.ts";
import { cutOff } from "../helpers/cut_off.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const REAL = "tests/fixtures/real";

function put(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** The names and contents of a folder's files; null if there is no folder. */
function files(folder: string): Record<string, string> | null {
  if (!existsSync(folder)) return null;
  const names = (readdirSync(folder, { recursive: true }) as string[]).sort();
  const plain = names.filter((name) => fs.statSync(join(folder, name)).isFile());
  return Object.fromEntries(plain.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

const OLD = { "__model__": "old", gone: "old", w: "old w" }, NEW = { "__model__": "new", "deep/w": "new w" };
const ID = "0123456789abcdef";

describe("a folder that is saved as a whole", () => {
  it("gives no values of the old and the new one to who reads it at that moment", () =>
    inTempFolder(async (folder) => {
      const dir = join(folder, "d"), vars = ["a", "c"].map((name) => ({ name, dtype: "float32", shape: [1] }));
      const saved = async (dir: string, value: number) => {
        const parameters = new Map(vars.map(({ name }) => [name, fromArray([value], "float32")]));
        await fluid.io.saveVars(dir, { vars, parameters } as never);
      };
      for (const verb of [load, open, paddleStatic.loadProgramState]) {
        for (const how of ["another", "none"]) {
          await saved(dir, 1);
          await saved(join(folder, "new"), 2);
          put(dir, { "b/.hidden": "" });
          // The warning comes between the files.
          const swap = () => {
            fs.renameSync(dir, join(folder, "old"));
            if (how === "another") fs.renameSync(join(folder, "new"), dir);
          };
          await assert.rejects(verb(dir, { onWarning: swap } as never), { code: "SOURCE_CHANGED", path: dir }, how);
          for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
        }
      }
      const state = (value: number) => new Map(["a", "c"].map((name) => [name, fromArray([value], "float32")]));
      const mine = state(0);
      for (const read of [distributed.loadMergedStateDict, distributed.loadStateDict.bind(null, mine)]) {
        await distributed.saveStateDict(state(1), dir);
        let isSwapped = false;
        const onProgress = () => {
          if (!isSwapped) fs.renameSync(dir, join(folder, "old"));
          isSwapped = true;
        };
        await assert.rejects(read(dir, { onProgress }), { code: "SOURCE_CHANGED", path: dir });
        rmSync(join(folder, "old"), { recursive: true });
      }
      assert.deepEqual([...mine.values()].map((array) => array.toFloat32Array()[0]), [0, 0]);
    }));

  it("is the old or the new one after recoverFolder, wherever the save and the recovery were interrupted", () =>
    inTempFolder(async (folder) => {
      const results = new Set<string>(), states = new Set<string>();
      for (const old of [OLD, null]) {
        const fresh = () => {
          rmSync(folder, { recursive: true });
          if (old) put(join(folder, "m"), old);
          else mkdirSync(folder);
          put(join(folder, `.m.${ID}.pdtmp`), NEW);
          // A neighbour with a similar name is not a leftover.
          put(join(folder, "m.old-notes"), { a: "mine" });
        };
        const target = join(folder, "m"), temp = join(folder, `.m.${ID}.pdtmp`);
        fresh();
        const whole = cutOff(Infinity);
        await swapFolder(whole.fs, temp, target, target);
        assert.deepEqual(files(target), NEW);
        for (let after = 0; after <= whole.calls(); after++) {
          fresh();
          await swapFolder(cutOff(after).fs, temp, target, target).catch(() => {});
          const state = JSON.stringify(files(folder));
          if (states.has(state)) continue;
          states.add(state);
          for (let later = 0;; later++) {
            fresh();
            await swapFolder(cutOff(after).fs, temp, target, target).catch(() => {});
            const recovery = cutOff(later);
            await recoverIn(recovery.fs, target, target).catch(() => {});
            await recoverFolder(target);
            const found = files(target);
            const which = JSON.stringify(found);
            assert.ok([JSON.stringify(old), JSON.stringify(NEW)].includes(which), `${after}, ${later}: ${which}`);
            results.add(which);
            assert.deepEqual(readdirSync(folder).sort(), found ? ["m", "m.old-notes"] : ["m.old-notes"]);
            if (recovery.calls() < later) break;
          }
        }
      }
      assert.deepEqual([results.size, states.size], [3, 5]);
      assert.equal(await recoverFolder(join(folder, "m")), "nothing");
      assert.equal(await recoverFolder(join(folder, "none/m")), "nothing");
    }));

  it("contains exactly the files of the save, whichever function saves it", () =>
    inTempFolder(async (folder) => {
      const model = `${REAL}/paddle-1.8.5/fluid-infer-separate/d`;
      const from = existsSync(model) ? model : undefined;
      assert.ok(from, "the fixture is there");
      const path = join(folder, "made/on the way/m");
      for (const layout of ["folder", "combined"] as const) {
        for (let i = 0; i < 2; i++) {
          const names = await paddleStatic.relayout(from, path, { layout, wholeFolder: true });
          assert.deepEqual(Object.keys(files(path)!).sort(), [...names].sort());
          put(path, { "left/behind": "x" });
        }
        assert.deepEqual(readdirSync(dirname(path)), ["m"]);
      }
      const { program, parameters } = await paddleStatic.loadInferenceModel(from);
      await fluid.io.savePersistables(path, { mainProgram: program, parameters, wholeFolder: true });
      assert.deepEqual(Object.keys(files(path)!).sort(), program.parameters().map(({ name }) => name).sort());
      const { feedTargetNames: feeds, fetchTargets } = await paddleStatic.loadInferenceModel(from);
      const options = { mainProgram: program, parameters, paramsFilename: "p", wholeFolder: true };
      await fluid.io.saveInferenceModel(path, feeds, fetchTargets, options);
      assert.deepEqual(Object.keys(files(path)!).sort(), ["__model__", "p"]);
      await fluid.io.saveInferenceModel(path, feeds, fetchTargets, { ...options, programOnly: true });
      assert.deepEqual(Object.keys(files(path)!), ["__model__"]);
      const state: StateDict = new Map([["w", new Tensor("float32", [2], Float32Array.of(1, 2), { name: "w" })]]);
      await distributed.saveStateDict(state, path, { wholeFolder: true });
      assert.deepEqual(Object.keys(files(path)!).sort(), ["0.metadata", "0_0.distcp"]);
    }));

  it("does not change when the save fails or is aborted", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "m");
      put(path, OLD);
      const controller = new AbortController();
      const state = new Map([["w", new Tensor("float32", [1000])]]);
      const stop = { signal: controller.signal, wholeFolder: true, folder: undefined };
      controller.abort("stopped");
      await assert.rejects(distributed.saveStateDict(state, path, stop), (error) => error === "stopped");
      const parameters = new Map([["w", fromArray([1], "float32") as Tensor]]);
      const { program } = await paddleStatic.loadInferenceModel(`${REAL}/paddle-1.8.5/fluid-infer-separate/d`);
      await assert.rejects(fluid.io.saveVars(path, { mainProgram: program, parameters, wholeFolder: true }), {
        code: "INVALID_VALUE",
      });
      assert.deepEqual(files(path), OLD);
      assert.deepEqual(readdirSync(folder), ["m"]);
    }));

  it("is written through links, recoverable when missing, and refused where it cannot be put in place", () =>
    inTempFolder(async (folder) => {
      const state: StateDict = new Map([["w", new Tensor("float32", [2])]]);
      const options = { wholeFolder: true };
      put(join(folder, "real"), OLD);
      symlinkSync(join(folder, "real"), join(folder, "link"));
      await distributed.saveStateDict(state, join(folder, "link"), options);
      assert.ok(fs.lstatSync(join(folder, "link")).isSymbolicLink());
      assert.deepEqual(readdirSync(join(folder, "real")).sort(), ["0.metadata", "0_0.distcp"]);
      fs.renameSync(join(folder, "real"), join(folder, `real.old-${ID}`));
      const hint = /recoverFolder/;
      await assert.rejects(
        load(join(folder, "real")),
        (error: { code: string; hint: string }) => error.code === "NOT_FOUND" && hint.test(error.hint),
      );
      await assert.rejects(open(join(folder, "real")), { code: "NOT_FOUND" });
      assert.equal(await recoverFolder(join(folder, "link")), "undone");
      assert.deepEqual(readdirSync(folder).sort(), ["link", "real"]);
      writeFileSync(join(folder, "file"), "");
      await assert.rejects(distributed.saveStateDict(state, join(folder, "file"), options), { code: "NOT_A_FILE" });
      await assert.rejects(distributed.saveStateDict(state, ".", options), { code: "UNSAFE_PATH" });
      await assert.rejects(
        distributed.saveStateDict(state, { folder: new MemoryFolder(), name: "m" }, options),
        TypeError,
      );
      const model = `${REAL}/paddle-1.8.5/fluid-infer-separate/d`;
      await assert.rejects(paddleStatic.relayout(model, join(folder, "p"), options), TypeError);
    }));
});
