/**
 * Temporary files of saves: unguessable names next to the target, which no reader takes for a model's files.
 *
 * @module
 */
import { PathError, quote, SourceError } from "../../errors.ts";
import { type PathCalls, pathCalls } from "./path.ts";
import { isTemp, tempName } from "../temp_name.ts";
import { type DiskFile, fileSystem, type Fs, systemCode } from "../platform.ts";
import { saveError } from "./save_error.ts";
import { checkedPath } from "../url_text.ts";
import { shownValue } from "../../words/described.ts";
import { checkNames } from "../../words/option_names.ts";

/** Number of names to try if one is taken. */
const TRIES = 3;

/** Create a new file next to `target`; never opens anything that exists, not even a link. Fails with the system's error. */
export async function createTemp(
  fs: Fs,
  path: PathCalls,
  target: string,
  mode: number,
): Promise<{ temp: string; handle: DiskFile }> {
  for (let attempt = 1;; attempt++) {
    const temp = path.join(path.dirname(target), tempName(path.basename(target)));
    try {
      return { temp, handle: await fs.promises.open(temp, "wx", mode) };
    } catch (error) {
      const isTaken = systemCode(error) === "EEXIST";
      // The file may exist although its creation was reported as failed.
      if (!isTaken) await fs.promises.rm(temp, { force: true }).catch(() => {});
      if (!isTaken || attempt === TRIES) throw error;
    }
  }
}

/**
 * Remove temporary files that killed saves left in a folder: only names that match our own pattern, and only old files.
 *
 * @returns the names removed
 * @throws {SourceError} `NOT_FOUND`, `PERMISSION`, `READ_FAILED`: the folder cannot be listed
 * @throws {SaveError} one of them cannot be removed
 *
 * @example What killed saves left more than a day ago
 * ```ts
 * import { cleanupTemps } from "@oarlock/paddle";
 *
 * async function sweep(folder: string) {
 *   for (const name of await cleanupTemps(folder, { olderThan: 24 * 3600_000 })) console.log(`removed ${name}`);
 * }
 * ```
 */
export async function cleanupTemps(
  folder: string | URL,
  options: { olderThan?: number; signal?: AbortSignal } = {},
): Promise<string[]> {
  checkNames(options, ["olderThan", "signal"]);
  const { olderThan = 3_600_000, signal } = options;
  if (typeof olderThan !== "number" || !(olderThan >= 0)) {
    throw new TypeError(`Option olderThan must be a number from 0 on: got ${shownValue(olderThan)}`);
  }
  signal?.throwIfAborted();
  const shown = checkedPath(folder);
  const fs = fileSystem(shown), path = pathCalls();
  const removed: string[] = [];
  for (const name of await namesIn(fs, shown)) {
    signal?.throwIfAborted();
    if (!isTemp(name)) continue;
    const stat = await fs.promises.lstat(path.join(shown, name)).catch(() => null);
    // A second link to an old file is new, but has the old file's mtime. That of a file of this millisecond may be ahead of the clock.
    if (!stat?.isFile() || [stat.mtimeMs, stat.ctimeMs].some((time) => Math.max(0, Date.now() - time) < olderThan)) {
      continue;
    }
    await fs.promises.rm(path.join(shown, name), { force: true }).catch((error) => {
      throw saveError("WRITE_FAILED", path.join(shown, name), "while removing it", error);
    });
    removed.push(name);
  }
  return removed;
}

async function namesIn(fs: Fs, folder: string): Promise<string[]> {
  try {
    return await fs.promises.readdir(folder);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOTDIR") {
      throw new PathError("NOT_A_FILE", `${quote(folder)} is not a folder`, { path: folder, cause });
    }
    const isMissing = code === "ENOENT", isDenied = code === "EACCES" || code === "EPERM";
    throw new SourceError(
      isMissing ? "NOT_FOUND" : isDenied ? "PERMISSION" : "READ_FAILED",
      isMissing ? `There is no folder ${quote(folder)}` : `Cannot list ${quote(folder)}: ${code ?? "unknown error"}`,
      { path: folder, cause },
    );
  }
}
