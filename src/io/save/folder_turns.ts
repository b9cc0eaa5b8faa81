/**
 * Turns of saves of several files, for those that may write the same ones: two saves that each hold a file the other waits for would never
 * end, and in folders that hold no files, those of both saves would be mixed.
 *
 * @module
 */
import { pathCalls } from "../disk/path.ts";
import { resolveTarget, takeTurn } from "../disk/save_target.ts";
import { PathError, quote } from "../../errors.ts";
import { type Folder, innermost } from "../folder.ts";
import { DirectoryFolder } from "../folders/directory_folder.ts";
import { HandleFolder } from "../folders/handle_folder.ts";
import { fileSystem, type Fs } from "../platform.ts";
import { takeHandleTurn } from "../waiting/handle_turns.ts";
import { within } from "../waiting/within.ts";

/**
 * Wait for earlier saves of several files that may write some of `names`, too; the returned function lets the next ones in.
 *
 * @throws {PathError} `NAME_COLLISION`: two of the names lead to one file
 */
export async function takeFolderTurns(
  folder: Folder,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<() => void> {
  refuseTwins(names, names);
  const { folder: inner, prefix } = innermost(folder);
  if (inner instanceof HandleFolder) return await takeHandleTurn({ handle: inner.handle }, signal);
  if (inner instanceof DirectoryFolder) return await takePathTurns(inner.path, names, signal);
  return await takeNameTurn(inner, names.map((name) => prefix + name), signal);
}

/** Check that `places`, to which `names` lead, are distinct: otherwise the save would wait for itself. */
function refuseTwins(places: readonly string[], names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const [i, place] of places.entries()) {
    const other = seen.get(place), name = names[i];
    if (other !== undefined) {
      const message = `Files ${quote(other)} and ${quote(name)} are to be saved in one place`;
      throw new PathError("NAME_COLLISION", message, { names: [other, name] });
    }
    seen.set(place, name);
  }
}

async function takePathTurns(
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<() => void> {
  const path = pathCalls(), fs = fileSystem(folder), leaves: (() => void)[] = [];
  const leave = () => leaves.forEach((leave) => leave());
  const resolved = (place: string) => {
    try {
      return resolveTarget(fs, path, place);
    } catch {
      // Putting the file fails, too, and says why.
      return place;
    }
  };
  const parents = new Map<string, string>();
  const targets = names.map((name) => {
    const file = path.join(folder, name), above = path.dirname(file);
    if (!parents.has(above)) parents.set(above, resolved(above));
    return isLink(fs, file) ? resolved(file) : path.join(parents.get(above)!, path.basename(file));
  });
  refuseTwins(targets, names);
  try {
    // All saves take them in the same order, so that no two wait for each other.
    for (const place of [...new Set([resolved(folder), ...targets.map(path.dirname)])].sort()) {
      leaves.push((await takeTurn(fs, path, place, { kind: path.sep, signal })).leave);
    }
    return leave;
  } catch (error) {
    leave();
    throw error;
  }
}

function isLink(fs: Fs, path: string): boolean {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch {
    // As above.
    return false;
  }
}

/** A save that is waiting or under way. */
interface Turn {
  readonly names: ReadonlySet<string>;
  readonly over: Promise<void>;
}

const turns = new WeakMap<Folder, Set<Turn>>();

async function takeNameTurn(
  folder: Folder,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<() => void> {
  const others = turns.get(folder) ?? new Set();
  turns.set(folder, others);
  const before = [...others].filter((other) => names.some((name) => other.names.has(name)));
  let end = () => {};
  const turn = { names: new Set(names), over: new Promise<void>((resolve) => end = resolve) };
  others.add(turn);
  const leave = () => {
    others.delete(turn);
    end();
  };
  try {
    for (const { over } of before) await within(over, Infinity, signal);
    return leave;
  } catch (error) {
    leave();
    throw error;
  }
}
