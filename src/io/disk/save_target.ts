/**
 * The file that a save to a path replaces: found behind links, and what the new file inherits from it.
 *
 * @module
 */
import { PathError } from "../../errors.ts";
import type { PathCalls } from "./path.ts";
import { type Fs, isWindows, realPathBy, systemCode } from "../platform.ts";
import { saveError } from "./save_error.ts";
import { within } from "../waiting/within.ts";

/** What a new file inherits from the old one. */
export interface OldFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Maximum number of links to follow, as on Linux. */
const MOST_LINKS = 40;
/**
 * Paths of a process's open files: if output is redirected to a file, saving there would replace that file, and all that was written to it.
 */
const OPEN_FILES = /^\/(?:dev\/(?:fd\/|stdin$|stdout$|stderr$)|proc\/)/;

/**
 * The old file at the path `at`, or null if there is none; errors name `shown`.
 *
 * @throws {PathError} `NOT_A_FILE`: a folder, pipe or device, even at the end of a link
 */
export async function oldFile(fs: Fs, path: PathCalls, at: string, shown: string): Promise<OldFile | null> {
  let stat: Awaited<ReturnType<Fs["promises"]["stat"]>>;
  try {
    stat = await fs.promises.stat(at);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    // Without the old file's mode, a new file could be accessible to more users.
    throw saveError("WRITE_FAILED", shown, "while looking it up", error);
  }
  if (!stat.isFile() || isOpenFile(fs, path, at)) {
    throw new PathError("NOT_A_FILE", `${JSON.stringify(shown)} is not a regular file`, { path: shown });
  }
  // On Windows a file with this attribute cannot be replaced either.
  if (isWindows() && (stat.mode & 0o222) === 0) throw saveError("READ_ONLY", shown, "it is read-only", undefined);
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

/** Whether a path matches {@linkcode OPEN_FILES}, or is a link to one that does. */
function isOpenFile(fs: Fs, path: PathCalls, file: string): boolean {
  let at: string | null = path.resolve(file);
  for (let links = 0; at !== null && links <= MOST_LINKS; links++) {
    if (OPEN_FILES.test(at)) return true;
    const link = linkAt(fs, at);
    at = link === null ? null : path.resolve(path.dirname(at), link);
  }
  return false;
}

/**
 * Wait for earlier saves of the same file, even if they reached it through other links or spellings; the returned `leave` lets the next one
 * in. Nothing is awaited before queueing, so saves run in the order of their calls. `kind` keeps folders and files apart, errors name
 * `shown`, and an abort of `signal` ends the wait.
 */
export async function takeTurn(
  fs: Fs,
  path: PathCalls,
  at: string,
  { kind = "", shown, signal }: { kind?: string; shown?: string; signal?: AbortSignal } = {},
): Promise<{ target: string; leave: () => void }> {
  for (;;) {
    const target = resolveTarget(fs, path, at, shown);
    const leave = await enter(target + kind, signal);
    try {
      // An earlier save may have created a folder, or a link may lead elsewhere by now.
      if (resolveTarget(fs, path, at, shown) === target) return { target, leave };
    } catch (error) {
      leave();
      throw error;
    }
    leave();
  }
}

/** The last save in the queue of each path: saves of a path wait for each other, in the order of their calls. */
const queues = new Map<string, Promise<void>>();

async function enter(target: string, signal: AbortSignal | undefined): Promise<() => void> {
  const before = queues.get(target) ?? Promise.resolve();
  let done = () => {};
  const mine = new Promise<void>((resolve) => done = resolve);
  queues.set(target, mine);
  const leave = () => {
    if (queues.get(target) === mine) queues.delete(target);
    done();
  };
  try {
    await within(before, Infinity, signal);
    return leave;
  } catch (error) {
    // Saves queued behind this one still wait for those before it.
    before.then(leave);
    throw error;
  }
}

/** The file behind links, so that a link stays a link; the path itself if there is no file yet. */
export function resolveTarget(fs: Fs, path: PathCalls, at: string, shown = at): string {
  for (let links = 0; links <= MOST_LINKS; links++) {
    try {
      return realPathBy(fs, at);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw saveError("WRITE_FAILED", shown, "while looking it up", error);
    }
    const folder = realFolder(fs, path, path.dirname(absolute(path, at, shown)));
    const name = path.join(folder, path.basename(at));
    // A dangling link: its target will be created.
    const link = linkAt(fs, name);
    if (link === null) return name;
    at = below(path, folder, link);
  }
  throw saveError("WRITE_FAILED", shown, "because its links form a cycle", undefined);
}

/** A path as an absolute one. */
export function absolute(path: PathCalls, at: string, shown: string): string {
  try {
    return below(path, path.resolve(""), at);
  } catch (error) {
    throw saveError("WRITE_FAILED", shown, "because the working directory of the process is gone", error);
  }
}

/** A path as an absolute one. Except on Windows, it is not normalized if it has `..`, since what is before that may be a link. */
function below(path: PathCalls, folder: string, at: string): string {
  if (path.sep !== "/" || !at.includes("..")) return path.resolve(folder, at);
  return at.startsWith("/") ? at : `${folder}/${at}`;
}

/** A folder with links resolved as far as it exists. */
function realFolder(fs: Fs, path: PathCalls, folder: string): string {
  try {
    return realPathBy(fs, folder);
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
