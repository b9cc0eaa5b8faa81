import assert from "node:assert/strict";
import fs, { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { isPaddleError, load, MemoryFolder, type NDArray, open, static as staticModule } from "../../mod.ts";

const { loadInferenceModel, loadProgramState, relayout, save } = staticModule;
const FIXTURE = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";

async function inFolder(test: (prefix: string, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oarlock-manifest-"));
  try {
    await test(join(folder, "m"), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The model with its first parameter filled with `value`. */
async function filled(value: number) {
  const model = await loadInferenceModel(FIXTURE);
  for (const array of model.parameters.values()) (array as NDArray).fill(value);
  return model;
}

async function outcome(prefix: string): Promise<unknown> {
  try {
    const [first] = (await load(prefix) as Map<string, NDArray>).values();
    return first.toFloat32Array()[0];
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error.code;
  }
}

describe("files of a model that were saved with a manifest", () => {
  it("are loaded and opened as ever; a save without one takes the old one away", () =>
    inFolder(async (prefix, folder) => {
      assert.deepEqual(await relayout(await filled(1), prefix, { manifest: true }), [
        "m.pdiparams",
        "m.pdmodel",
        "m.pdsum",
      ]);
      assert.equal(await outcome(prefix), 1);
      await using checkpoint = await open(prefix);
      assert.equal((await checkpoint.get(checkpoint.names()[0])).toFloat32Array()[0], 1);
      await relayout(await filled(2), prefix);
      assert.deepEqual(readdirSync(folder).sort(), ["m.pdiparams", "m.pdmodel"]);
      assert.equal(await outcome(prefix), 2);
    }));

  it("are MIXED_SAVE where one is of another save, be it of the same shapes", () =>
    inFolder(async (prefix, folder) => {
      await relayout(await filled(1), prefix, { manifest: true });
      copyFileSync(prefix + ".pdiparams", prefix + ".old");
      await relayout(await filled(2), prefix, { manifest: true });
      const sum = readFileSync(prefix + ".pdsum");
      copyFileSync(prefix + ".old", prefix + ".pdiparams");
      for (const verb of [load, open, loadInferenceModel]) {
        await assert.rejects(verb(prefix), { code: "MIXED_SAVE", path: "m.pdiparams" });
      }
      rmSync(prefix + ".pdsum");
      assert.equal(await outcome(prefix), 1, "without it nobody knows");
      for (
        const [text, code] of [
          ["{", "BAD_JSON"],
          ["null", "BAD_FIELD"],
          [sum.toString().replace("m.pdiparams", "../m"), "BAD_FIELD"],
          [sum.toString().replace("m.pdiparams", ".."), "UNSAFE_PATH"],
          [sum.toString().replace("m.pdiparams", "m.none"), "MIXED_SAVE"],
          [" ".repeat(2 ** 20 + 1), "BAD_LENGTH"],
        ]
      ) {
        writeFileSync(prefix + ".pdsum", text);
        assert.equal(await outcome(prefix), code);
      }
      assert.ok(existsSync(join(folder, "m.old")));
    }));

  it("are the old ones, the new ones or MIXED_SAVE after a crash between any two of their renames", () =>
    inFolder(async (prefix, folder) => {
      const seen: unknown[] = [], rename = fs.promises.rename;
      for (let renames = 0; renames <= 3; renames++) {
        await relayout(await filled(1), prefix, { manifest: true });
        const next = await filled(2);
        let left = renames;
        fs.promises.rename = async (...names) => {
          if (left-- === 0) throw Object.assign(new Error("killed"), { code: "EIO" });
          await rename(...names);
        };
        try {
          await relayout(next, prefix, { manifest: true }).catch(() => {});
        } finally {
          fs.promises.rename = rename;
        }
        seen.push(await outcome(prefix));
        assert.deepEqual(readdirSync(folder).sort(), ["m.pdiparams", "m.pdmodel", "m.pdsum"]);
      }
      assert.deepEqual(seen, [1, "MIXED_SAVE", "MIXED_SAVE", 2]);
    }));

  it("are those of static.save, too, and only where there are paths", () =>
    inFolder(async (prefix, folder) => {
      const { program, parameters } = await filled(3);
      await save(program, prefix, { parameters, manifest: true });
      assert.deepEqual(readdirSync(folder).sort(), ["m.pdmodel", "m.pdopt", "m.pdparams", "m.pdsum"]);
      const [name, array] = [...await loadProgramState(prefix)][0];
      assert.equal(array.toFloat32Array()[0], 3, name);
      writeFileSync(prefix + ".pdparams", readFileSync(prefix + ".pdparams").fill(0, 100, 101));
      await assert.rejects(loadProgramState(prefix), { code: "MIXED_SAVE" });
      const memory = new MemoryFolder();
      await assert.rejects(relayout(await filled(1), "m", { folder: memory, manifest: true }), TypeError);
      assert.deepEqual(await memory.list(), []);
      await assert.rejects(relayout(await filled(1), prefix, { layout: "folder", manifest: true }), TypeError);
    }));
});
