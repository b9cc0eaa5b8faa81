/**
 * Saves of several files that may be the same wait for each other as a whole: two of them that each hold a file the other waits for would
 * never end.
 *
 * @module
 */
import { pathCalls } from "../disk/path.ts";
import { resolveTarget, takeTurn } from "../disk/save_target.ts";
import { type Folder, innermost } from "../folder.ts";
import { DirectoryFolder } from "../folders/directory_folder.ts";
import { HandleFolder } from "../folders/handle_folder.ts";
import { fileSystem } from "../platform.ts";
import { takeHandleTurn } from "../waiting/handle_turns.ts";

/** Wait for earlier saves of several files in the folders of `names`; the returned function lets the next ones in. */
export async function takeFolderTurns(
  folder: Folder,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<() => void> {
  const inner = innermost(folder);
  if (inner instanceof HandleFolder) return await takeHandleTurn({ handle: inner.handle }, signal);
  return inner instanceof DirectoryFolder ? await takePathTurns(inner.path, names, signal) : () => {};
}

async function takePathTurns(
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<() => void> {
  const path = pathCalls(), fs = fileSystem(folder), leaves: (() => void)[] = [];
  const leave = () => leaves.forEach((leave) => leave());
  const below = new Set(names.map((name) => name.slice(0, name.lastIndexOf("/") + 1)));
  const places = new Set([folder, ...[...below].map((name) => path.join(folder, name))].flatMap((place) => {
    try {
      return [resolveTarget(fs, path, place)];
    } catch {
      // Putting the file fails, too, and says why.
      return [];
    }
  }));
  try {
    // Everybody takes them in the same order.
    for (const place of [...places].sort()) {
      leaves.push((await takeTurn(fs, path, place, { kind: path.sep, signal })).leave);
    }
    return leave;
  } catch (error) {
    leave();
    throw error;
  }
}
