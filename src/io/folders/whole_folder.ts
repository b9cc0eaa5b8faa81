/**
 * A folder that is replaced as a whole (RULES.md SET-3): it is built next to its final path, under a temporary name.
 *
 * @module
 */
import { PathError, quote, SaveError, type Warning } from "../../errors.ts";
import { DirectoryFolder } from "./directory_folder.ts";
import type { Folder } from "../folder.ts";
import { withRetries } from "../disk/with_retries.ts";
import { type PathCalls, pathCalls } from "../disk/path.ts";
import { fileSystem, type Fs, systemCode } from "../platform.ts";
import { rename, renameError } from "../disk/rename.ts";
import { addFailures, leftover, saveError } from "../disk/save_error.ts";
import { makeFolders } from "../disk/make_folders.ts";
import { resolveTarget, takeTurn } from "../disk/save_target.ts";
import { syncFolder, syncNames } from "../disk/sync_folder.ts";
import { checkedPath } from "../url_text.ts";
import { checkNames } from "../../words/option_names.ts";
import { idOfTemp, isTempOf, tempName } from "../temp_name.ts";

/** What {@linkcode recoverFolder} did: there was nothing to do; the new folder is in place; the old one is, or none if there was none. */
export type FolderRecovery = "nothing" | "finished" | "undone";

/** Separates the name of a folder from the id of the save that moved it aside. */
const OLD = ".old-";

/** A folder being saved. */
export class WholeFolder {
  /** The folder to write the files to. */
  readonly folder: Folder;
  readonly #fs: Fs;
  readonly #shown: string;
  readonly #target: string;
  readonly #temp: string;
  readonly #undo: (() => unknown)[];

  private constructor(fs: Fs, shown: string, target: string, temp: string, undo: (() => unknown)[]) {
    this.folder = new DirectoryFolder(temp);
    this.#fs = fs;
    this.#shown = shown;
    this.#target = target;
    this.#temp = temp;
    this.#undo = undo;
  }

  /**
   * Begin a save: the old folder is not touched.
   *
   * @throws {PathError} `NOT_A_FILE`: there is something other than a folder; `UNSAFE_PATH`: it is, or contains, the working directory
   * @throws {SaveError} the folder cannot be created
   */
  static async begin(folder: Folder, signal?: AbortSignal): Promise<WholeFolder> {
    if (!(folder instanceof DirectoryFolder)) {
      throw new TypeError("Option wholeFolder has no meaning here: only a directory given by path can have it");
    }
    const shown = folder.path, fs = fileSystem(shown), path = pathCalls();
    const undo: (() => unknown)[] = [];
    try {
      const { target, leave } = await takeTurn(fs, path, shown, { kind: path.sep, signal });
      undo.push(leave);
      // Throws if the folder is within another one and a link leads out of that.
      await folder.hasFolder();
      const old = await fs.promises.stat(target).catch(() => null);
      checkOld(path, shown, target, old === null || old.isDirectory());
      for (const remove of await makeFolders(fs, path, path.dirname(target), shown)) undo.unshift(remove);
      const temp = path.join(path.dirname(target), tempName(path.basename(target)));
      await fs.promises.mkdir(temp).catch(async (error) => {
        // It may exist although its creation was reported as failed.
        await fs.promises.rmdir(temp).catch(() => {});
        throw saveError("WRITE_FAILED", shown, "before anything was written", error);
      });
      if (old) await fs.promises.chmod(temp, old.mode & 0o7777).catch(() => {});
      return new WholeFolder(fs, shown, target, temp, undo);
    } catch (error) {
      await runAll(undo);
      throw error;
    }
  }

  /** Replace the old folder with the new one. Returns a warning if the old one cannot be removed. */
  async takePlace(): Promise<Warning[]> {
    const left = await swapFolder(this.#fs, this.#temp, this.#target, this.#shown);
    await runAll(this.#undo.slice(-1));
    return left.map((name) => leftover(this.#shown, name));
  }

  /** Remove what was written; the old folder is unchanged. What cannot be removed is reported with `error`. */
  async abort(error?: unknown): Promise<void> {
    await removeFolder(this.#fs, this.#temp).catch((failure) => addFailures(error, [failure], [this.#temp]));
    await runAll(this.#undo);
  }
}

function checkOld(path: PathCalls, shown: string, target: string, isFolder: boolean): void {
  if (!isFolder) {
    throw new PathError("NOT_A_FILE", `${JSON.stringify(shown)} is a file: a folder cannot take its place`, {
      path: shown,
    });
  }
  const from = path.resolve("."), whole = target.endsWith(path.sep) ? target : target + path.sep;
  if (from !== target && !from.startsWith(whole)) return;
  throw new PathError(
    "UNSAFE_PATH",
    `${JSON.stringify(shown)} is the working directory of this process or contains it: it is not replaced`,
    { path: shown },
  );
}

/**
 * Move the folder `temp`, whose files are on the disk, to `target`. If there was a folder, there is none for a moment: a process that is
 * killed then leaves both under other names, for {@linkcode recoverFolder}. Returns the old folder's name if it cannot be removed.
 */
export async function swapFolder(fs: Fs, temp: string, target: string, shown: string): Promise<string[]> {
  const path = pathCalls(), parent = path.dirname(target);
  const old = target + OLD + idOfTemp(path.basename(temp));
  await syncBelow(fs, path, temp).catch((error) => {
    throw saveError("SYNC_FAILED", shown, "while syncing its folders", error);
  });
  const isReplaced = await renameFolder(fs, target, old, shown);
  try {
    await renameFolder(fs, temp, target, shown);
  } catch (error) {
    if (isReplaced) await putBack(fs, old, target, shown, error);
    throw error;
  }
  await syncFolder(fs, parent);
  if (!isReplaced) return [];
  // The save is done: a leftover of the old folder does no harm.
  const left = await removeFolder(fs, old).then(() => [], () => [old]);
  await syncFolder(fs, parent);
  return left;
}

async function removeFolder(fs: Fs, folder: string): Promise<void> {
  await withRetries(() => fs.promises.rm(folder, { recursive: true, force: true }));
}

/** Returns whether there was something to rename. */
async function renameFolder(fs: Fs, from: string, to: string, shown: string): Promise<boolean> {
  const found = await lookAt(fs, from);
  if (!found) return false;
  try {
    await rename(fs, from, to, found.ino);
    return true;
  } catch (error) {
    throw renameError(shown, "while moving the new folder into place", error);
  }
}

async function putBack(fs: Fs, old: string, target: string, shown: string, cause: unknown): Promise<void> {
  try {
    await rename(fs, old, target);
  } catch {
    throw new SaveError(
      "RENAME_FAILED",
      `${JSON.stringify(shown)} was moved to ${JSON.stringify(old)} and could not be put back: recoverFolder does so`,
      { path: shown, committed: "unknown", leftovers: [old], cause },
    );
  }
}

/**
 * Recover a folder whose save with `wholeFolder` was interrupted by a killed process or a power failure: the new folder is put in place if
 * the old one had been moved aside, otherwise the old one stays or is put back. Everything else that such saves left next to it is removed.
 * Call it only while nothing is being saved there.
 *
 * @throws {SaveError} `RENAME_FAILED`
 *
 * @example Before a model is loaded
 * ```ts
 * import { fluid, recoverFolder } from "@oarlock/paddle";
 * async function read(path: string, mainProgram: Parameters<typeof fluid.io.loadVars>[1]["mainProgram"]) {
 *   await recoverFolder(path);
 *   return await fluid.io.loadVars(path, { mainProgram });
 * }
 * ```
 */
export async function recoverFolder(
  path: string | URL,
  options: { signal?: AbortSignal } = {},
): Promise<FolderRecovery> {
  checkNames(options, ["signal"]);
  // Checked only before it begins: what is begun repairs an interrupted save.
  options.signal?.throwIfAborted();
  const shown = checkedPath(path);
  const fs = fileSystem(shown);
  return await recoverIn(fs, resolveTarget(fs, pathCalls(), shown), shown);
}

/** {@linkcode recoverFolder} for a path without links. */
export async function recoverIn(fs: Fs, target: string, shown: string): Promise<FolderRecovery> {
  const path = pathCalls(), parent = path.dirname(target), base = path.basename(target);
  const names = await namesIn(fs, parent, shown);
  const temps = await foldersOf(fs, path, parent, names.filter((name) => isTempOf(name, base)));
  const olds = await foldersOf(fs, path, parent, names.filter((name) => isOldOf(name, base)));
  let done: FolderRecovery = temps.length + olds.length > 0 ? "undone" : "nothing";
  if (await isThere(fs, target)) {
    if (olds.length > 0) done = "finished";
  } else {
    // The old folder is moved aside only once the new one is complete.
    const whole = temps.find((temp) => olds.some((old) => old.endsWith(OLD + idOfTemp(path.basename(temp)))));
    if (whole !== undefined) {
      await renameFolder(fs, whole, target, shown);
      done = "finished";
    } else if (olds.length > 0) await renameFolder(fs, olds[0], target, shown);
    await syncFolder(fs, parent);
  }
  for (const left of [...temps, ...olds]) {
    await removeFolder(fs, left).catch((cause) => {
      throw new SaveError("WRITE_FAILED", `${quote(shown)} is complete; leftovers beside it cannot be removed`, {
        path: shown,
        committed: "yes",
        leftovers: [left],
        cause,
      });
    });
  }
  if (done !== "nothing") await syncFolder(fs, parent);
  return done;
}

function isOldOf(name: string, base: string): boolean {
  const id = name.slice(base.length + OLD.length);
  return name.startsWith(base + OLD) && id.length === 16 && [...id].every((c) => "0123456789abcdef".includes(c));
}

/** Paths of those that are folders and not links. */
async function foldersOf(fs: Fs, path: PathCalls, parent: string, names: string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const name of names.sort()) {
    const whole = path.join(parent, name);
    if (await isFolder(fs, whole)) paths.push(whole);
  }
  return paths;
}

async function isThere(fs: Fs, path: string): Promise<boolean> {
  return await lookAt(fs, path) !== null;
}

async function isFolder(fs: Fs, path: string): Promise<boolean> {
  return (await lookAt(fs, path))?.isDirectory() ?? false;
}

async function lookAt(fs: Fs, path: string): Promise<Awaited<ReturnType<Fs["promises"]["lstat"]>> | null> {
  try {
    return await fs.promises.lstat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw saveError("RENAME_FAILED", path, "while looking for it", error);
  }
}

async function namesIn(fs: Fs, folder: string, shown: string): Promise<string[]> {
  try {
    return await fs.promises.readdir(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw saveError("RENAME_FAILED", shown, "while looking for its leftovers", error);
  }
}

/** The entries of new folders must reach the disk before the folder is put in place. */
async function syncBelow(fs: Fs, path: PathCalls, folder: string): Promise<void> {
  for (const entry of await fs.promises.readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncBelow(fs, path, path.join(folder, entry.name));
  }
  await syncNames(fs, folder);
}

async function runAll(steps: readonly (() => unknown)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch {
      // A folder that was created on the way but is no longer empty stays.
    }
  }
}
