import assert from "node:assert/strict";
import fs, { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { DirectoryFolder, isPaddleError } from "../../mod.ts";
import { saveFiles } from "../../src/io/save/save_files.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const NAMES = ["m.pdiparams", "m.pdiparams.info", "m.pdmodel"];

/** Another process that puts its files from number `from` up to `to` in place. */
function otherSaver(folder: string, from: number, to: number): void {
  for (const name of NAMES.slice(from, to)) {
    writeFileSync(join(folder, "other"), "other");
    renameSync(join(folder, "other"), join(folder, name));
  }
}

/** The files after a save during which `meanwhile` runs when `after` of them are in place, and what the save failed with. */
async function saved(
  folder: string,
  after: number,
  meanwhile: () => void,
): Promise<{ files: string[]; error: unknown }> {
  const { rename } = fs.promises;
  let renames = 0;
  fs.promises.rename = async (from, to) => {
    await rename(from, to);
    if (NAMES.some((name) => String(to).endsWith(name)) && ++renames === after) meanwhile();
  };
  let error: unknown = null;
  try {
    const bytes = new TextEncoder().encode("mine");
    const files = NAMES.map((name) => ({ name, size: bytes.length, chunks: [bytes] }));
    await saveFiles(new DirectoryFolder(folder), files, {}, "m");
  } catch (cause) {
    error = cause;
  } finally {
    fs.promises.rename = rename;
  }
  const files = NAMES.map((name) => existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "");
  assert.deepEqual(readdirSync(folder).filter((name) => !NAMES.includes(name)), [], "nothing is left beside them");
  return { files, error };
}

describe("two processes that save the same files at the same time", () => {
  const CASES: [what: string, after: number, from: number, to: number, mixture: string[] | null][] = [
    ["with files of both is a CONFLICT: the other replaced the first one", 3, 0, 1, ["other", "mine", "mine"]],
    ["with files of both is a CONFLICT: the other saved all, but not last", 1, 0, 3, ["other", "mine", "mine"]],
    ["with files of both is a CONFLICT: the other replaced the last one", 3, 2, 3, ["mine", "mine", "other"]],
    ["with all files of the other is as if that had saved later", 3, 0, 3, null],
  ];
  for (const [what, after, from, to, mixture] of CASES) {
    for (const old of ["old", ""]) {
      it(`${what}${old ? "" : ", where there were none"}`, () =>
        inTempFolder(async (folder) => {
          if (old) { for (const name of NAMES) writeFileSync(join(folder, name), old); }
          const { files, error } = await saved(folder, after, () => otherSaver(folder, from, to));
          assert.deepEqual(files, mixture ?? ["other", "other", "other"]);
          if (!mixture) return assert.equal(error, null);
          assert.ok(isPaddleError(error), String(error));
          assert.deepEqual([error.code, error.committed], ["CONFLICT", "unknown"]);
        }));
    }
  }

  it("is no CONFLICT while the other one is still at it", () =>
    inTempFolder(async (folder) => {
      const { files, error } = await saved(folder, 3, () => {
        otherSaver(folder, 0, 1);
        for (const i of [1, 2]) setTimeout(() => otherSaver(folder, i, i + 1), 50 * i);
      });
      assert.deepEqual([files, error], [["other", "other", "other"], null]);
    }));
});
