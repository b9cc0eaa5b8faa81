/**
 * The file that a save by path is to replace: found behind links, and what the new one takes over from it.
 *
 * @module
 */
import { PathError } from "../../errors.ts";
import type { PathCalls } from "./path.ts";
import { type Fs, systemCode } from "../platform.ts";
import { saveError } from "./save_error.ts";

/** What a new file takes over from the old one. */
export interface OldFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Links that follow each other, at most: as many as Linux follows. */
const MOST_LINKS = 40;
/** What processes have open: where the output goes to a file, a save would take that one's place, with all that was written to it. */
const OPEN_FILES = /^\/(?:dev\/(?:fd\/|stdin$|stdout$|stderr$)|proc\/)/;

/**
 * The old file; null where there is none.
 *
 * @throws {PathError} `NOT_A_FILE`: a folder, pipe or device, also at the end of a link
 */
export async function oldFile(fs: Fs, path: PathCalls, shown: string): Promise<OldFile | null> {
  let stat: Awaited<ReturnType<Fs["promises"]["stat"]>>;
  try {
    stat = await fs.promises.stat(shown);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    // A new file must not be open to more people than an old one that cannot be looked at.
    throw saveError("WRITE_FAILED", shown, "when it was looked up", error);
  }
  if (!stat.isFile() || isOpenFile(fs, path, shown)) {
    throw new PathError("NOT_A_FILE", `${JSON.stringify(shown)} is no regular file`, { path: shown });
  }
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

/** Whether a path is one of {@linkcode OPEN_FILES}, or a link to one. */
function isOpenFile(fs: Fs, path: PathCalls, shown: string): boolean {
  let at: string | null = path.resolve(shown);
  for (let links = 0; at !== null && links <= MOST_LINKS; links++) {
    if (OPEN_FILES.test(at)) return true;
    const link = linkAt(fs, at);
    at = link === null ? null : path.resolve(path.dirname(at), link);
  }
  return false;
}

/**
 * Wait for earlier saves of the same file, whatever links and other spellings they came by; what is given lets the next one in. Until the first
 * wait nothing else of this process runs, so that saves come in the order of their calls. `kind` keeps folders and files apart.
 */
export async function takeTurn(
  fs: Fs,
  path: PathCalls,
  shown: string,
  kind = "",
): Promise<{ target: string; leave: () => void }> {
  for (;;) {
    const target = resolveTarget(fs, path, shown);
    const leave = await enter(target + kind);
    try {
      // Those before may have made a folder or led a link elsewhere.
      if (resolveTarget(fs, path, shown) === target) return { target, leave };
    } catch (error) {
      leave();
      throw error;
    }
    leave();
  }
}

/** Saves to one path wait for each other, in the order of the calls. */
const queues = new Map<string, Promise<void>>();

async function enter(target: string): Promise<() => void> {
  const before = queues.get(target);
  let leave = () => {};
  const mine = new Promise<void>((resolve) => leave = resolve);
  queues.set(target, mine);
  await before;
  return () => {
    if (queues.get(target) === mine) queues.delete(target);
    leave();
  };
}

/** The file behind links, so that a link stays a link; the path itself where there is nothing yet. */
export function resolveTarget(fs: Fs, path: PathCalls, shown: string): string {
  let at = shown;
  for (let links = 0; links <= MOST_LINKS; links++) {
    try {
      return fs.realpathSync(at);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw saveError("WRITE_FAILED", shown, "when it was looked up", error);
    }
    const folder = realFolder(fs, path, path.dirname(path.resolve(at)));
    const name = path.join(folder, path.basename(at));
    // A link that leads nowhere: its target is what is made.
    const link = linkAt(fs, name);
    if (link === null) return name;
    at = path.resolve(folder, link);
  }
  throw saveError("WRITE_FAILED", shown, "because its links lead in a circle", undefined);
}

/** A folder behind links, as far as there is one. */
function realFolder(fs: Fs, path: PathCalls, folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch {
    const above = path.dirname(folder);
    return above === folder ? folder : path.join(realFolder(fs, path, above), path.basename(folder));
  }
}

function linkAt(fs: Fs, name: string): string | null {
  try {
    return fs.readlinkSync(name);
  } catch {
    return null;
  }
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
