/**
 * Creates the folders above a file that is saved.
 *
 * @module
 */
import type { PathCalls } from "./path.ts";
import { type Fs, systemCode } from "../platform.ts";
import { saveError } from "./save_error.ts";

/**
 * Create the folders above a file; the returned functions remove those that were created, if still empty, outermost first. If one cannot be
 * created, none is left.
 */
export async function makeFolders(
  fs: Fs,
  path: PathCalls,
  folder: string,
  shown: string,
): Promise<(() => Promise<void>)[]> {
  const undo: (() => Promise<void>)[] = [];
  try {
    // One by one: a recursive mkdir that fails leaves those that it created, and Node's hides the reason.
    for (const missing of await missingFolders(fs, path, path.resolve(folder))) {
      if (await makeFolder(fs, missing)) undo.push(() => fs.promises.rmdir(missing));
    }
  } catch (error) {
    for (const remove of undo.reverse()) await remove().catch(() => {});
    throw saveError("WRITE_FAILED", shown, "while creating its folder", error);
  }
  return undo;
}

/** The folders that are not there, the outermost one first. */
async function missingFolders(fs: Fs, path: PathCalls, folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = folder;; at = path.dirname(at)) {
    try {
      await fs.promises.stat(at);
      return missing;
    } catch (error) {
      if (systemCode(error) !== "ENOENT" || at === path.dirname(at)) throw error;
      missing.unshift(at);
    }
  }
}

/** Whether it was created here: another process may have done so meanwhile. */
async function makeFolder(fs: Fs, folder: string): Promise<boolean> {
  try {
    await fs.promises.mkdir(folder);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    // It may exist although its creation was reported as failed.
    await fs.promises.rmdir(folder).catch(() => {});
    throw error;
  }
}
