/**
 * The file that a save by path is to replace: found behind links, and what the new one takes over from it.
 *
 * @module
 */
import { PathError } from "../errors.ts";
import type { PathCalls } from "./path.ts";
import { type Fs, systemCode } from "./platform.ts";
import { saveError } from "./save_error.ts";

/** What a new file takes over from the old one. */
export interface OldFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The old file; null where there is none.
 *
 * @throws {PathError} `NOT_A_FILE`: a folder, pipe or device, also at the end of a link
 */
export async function oldFile(fs: Fs, shown: string): Promise<OldFile | null> {
  let stat: Awaited<ReturnType<Fs["promises"]["stat"]>>;
  try {
    stat = await fs.promises.stat(shown);
  } catch {
    return null;
  }
  if (!stat.isFile()) throw new PathError("NOT_A_FILE", `${JSON.stringify(shown)} is no regular file`, { path: shown });
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

/** The file behind links, so that a link stays a link; the path itself where there is nothing yet. */
export async function resolveTarget(fs: Fs, path: PathCalls, shown: string): Promise<string> {
  try {
    return await fs.promises.realpath(shown);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw saveError("WRITE_FAILED", shown, "when it was looked up", error);
  }
  // A link that leads nowhere: its target is what is made.
  const link = await fs.promises.readlink(shown).catch(() => null);
  if (link !== null) return path.resolve(path.dirname(shown), link);
  const folder = await fs.promises.realpath(path.dirname(path.resolve(shown))).catch(() =>
    path.dirname(path.resolve(shown))
  );
  return path.join(folder, path.basename(shown));
}

/** Make the folders above a file; what is returned takes those away again that were made, as long as they are empty, the last one first. */
export async function makeFolders(
  fs: Fs,
  path: PathCalls,
  folder: string,
  shown: string,
): Promise<(() => Promise<void>)[]> {
  let first: string | undefined;
  try {
    first = await fs.promises.mkdir(folder, { recursive: true });
  } catch (error) {
    throw saveError("WRITE_FAILED", shown, "when its folder was to be made", error);
  }
  const undo: (() => Promise<void>)[] = [];
  if (first === undefined) return undo;
  for (let made = path.resolve(first), inner = folder; inner.length >= made.length; inner = path.dirname(inner)) {
    undo.unshift(() => fs.promises.rmdir(inner));
    if (inner === made) break;
  }
  return undo;
}
