/**
 * Folders: named files, wherever they are stored.
 *
 * @module
 */
import { quote, SaveError, type Warning } from "../errors.ts";
import { described } from "../words/described.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/**
 * The expected state of a file: as `stat` reported it, or a version as reported when it was opened; a null
 * version means that it must not exist.
 */
export type Unchanged = { size: number; mtimeMs: number; ino?: number | bigint } | { version: string | null };

/** Options of {@linkcode Folder.put}. */
export interface PutOptions {
  /** Number of bytes to be written, if known: a save of another length fails. */
  size?: number | undefined;
  /** Create missing folders above a file at a path. */
  mkdir?: boolean | undefined;
  /** Read the file back and compare it before it replaces the old one. @default {true below 64 MiB, if `size` is given} */
  verify?: boolean | undefined;
  /** Put the file only if it is still in this state. */
  ifUnchanged?: Unchanged | undefined;
  /** Lock out other processes with `<name>.lock`. @default {false} */
  lock?: boolean | undefined;
  /** Throw if the file cannot be guaranteed to have reached a disk. @default {false} */
  requireDurable?: boolean | undefined;
  /** `"inode"`: overwrite the old file itself, so that hard links, access control lists and attributes survive. */
  preserve?: "inode" | undefined;
  /** Refuse names that are not valid on Windows. @default the folder's own rule */
  portable?: boolean | undefined;
  /** Checked before the new file replaces the old one. */
  signal?: AbortSignal | undefined;
}

/** Throws a TypeError for options that only a directory of the file system supports; a bucket supports versions, too. */
export function refuseDiskOptions(
  options: PutOptions | undefined,
  place: string,
  { hasVersions = false }: { hasVersions?: boolean } = {},
): void {
  for (const name of ["verify", "ifUnchanged", "lock", "requireDurable", "preserve"] as const) {
    if (options?.[name] && !(hasVersions && name === "ifUnchanged")) {
      const others = name === "ifUnchanged" ? " or in a bucket" : "";
      throw new TypeError(`Option ${name} has no meaning for ${place}: only a file given by path${others} can have it`);
    }
  }
}

/** Options of {@linkcode Folder.get}. */
export interface GetOptions {
  /** Aborts the call; it rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called with every anomaly that does not stop reading. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/** A set of named files. A folder of your own may be passed as `folder`. */
export interface Folder {
  /** The file `name`, or null if it does not exist. */
  get(name: string, options?: GetOptions): Promise<Source | null>;
  /** A sink whose bytes become the file `name` when it is closed; until then the old file is unchanged. */
  put(name: string, options?: PutOptions): Promise<Sink>;
  /** Names that start with `prefix`. */
  list(prefix?: string): Promise<string[]>;
  /** Remove a file. */
  delete(name: string): Promise<void>;
  /** Whether there is a folder `name`, even an empty one. Without this method, a folder exists if it contains a file. */
  hasFolder?(name: string): Promise<boolean>;
}

/**
 * The ETag that an object must still have, as in its version; null: it must not exist; undefined: any will do.
 *
 * @throws {TypeError} `ifUnchanged` has no ETag
 */
export function expectedEtag(options: PutOptions | undefined): string | null | undefined {
  const wish = options?.ifUnchanged;
  if (wish === undefined) return undefined;
  const version = "version" in wish ? wish.version : undefined;
  if (version === null) return null;
  if (version?.startsWith("etag:")) return version.slice(5);
  throw new TypeError("Option ifUnchanged must have an object's version, which begins with etag:");
}

/** The error of a save that would overwrite another writer's changes. */
export function conflict(shown: string): SaveError {
  return new SaveError("CONFLICT", `${quote(shown)} was changed by someone else; it was left as it is.`, {
    path: shown,
    committed: "no",
  });
}

/** A folder, and what all names in it begin with. */
interface Within {
  readonly folder: Folder;
  readonly prefix: string;
}

const wrapped = new WeakMap<Folder, Within>();

/** Note that `outer` passes everything on to `inner`, with names that begin with `prefix`. */
export function noteWrapper(outer: Folder, inner: Folder, prefix = ""): void {
  wrapped.set(outer, { folder: inner, prefix });
}

/** The folder within all wrappers of ours, and what they put before each name. */
export function innermost(folder: Folder): Within {
  let prefix = "";
  for (let inner; (inner = wrapped.get(folder)) !== undefined;) {
    folder = inner.folder;
    prefix = inner.prefix + prefix;
  }
  return { folder, prefix };
}

let defaultFolder: Folder | null = null;

/**
 * Set the folder that bare names refer to, in a runtime without files of its own (edge workers) or instead of those it has;
 * null restores the runtime's own.
 *
 * @example Names that refer to files in memory
 * ```ts
 * import { fromArray, load, MemoryFolder, save, setDefaultFolder } from "@oarlock/paddle";
 *
 * setDefaultFolder(new MemoryFolder());
 * await save(fromArray([1, 2]), "w.pdparams");
 * await load("w.pdparams");
 * setDefaultFolder(null);
 * ```
 */
export function setDefaultFolder(folder: Folder | null): void {
  defaultFolder = folder && checkedFolder(folder);
}

/** The folder for a call: its own option, or the default. */
export function folderOf(folder: Folder | undefined): Folder | null {
  return folder ?? defaultFolder;
}

/**
 * Check that what the caller passed is a folder.
 *
 * @throws {TypeError} it is not
 */
export function checkedFolder(given: unknown): Folder {
  if (isFolder(given)) return given;
  const way = typeof given === "string"
    ? ": new DirectoryFolder(path) is one"
    : typeof given === "object" && given !== null && "getDirectoryHandle" in given
    ? ": new HandleFolder(handle) is one"
    : "";
  throw new TypeError(`A folder must have get, put, list and delete: got ${described(given)}${way}`);
}

/** Whether a value looks like a folder. One whose properties cannot even be read counts as such: using it then reports why. */
function isFolder(given: unknown): given is Folder {
  try {
    return typeof given === "object" && given !== null && typeof (given as Folder).get === "function";
  } catch {
    return true;
  }
}

/**
 * Check that what the caller passed is a name in a folder.
 *
 * @throws {TypeError} it is not a string
 */
export function checkedName(given: unknown): string {
  if (typeof given === "string") return given;
  throw new TypeError(`The name in a folder must be a string: got ${described(given)}`);
}

/** The error for a folder that is read-only. */
export function readOnly(place: string, name: string): SaveError {
  return new SaveError("READ_ONLY", `${place} is read-only: ${quote(name)} cannot be changed`, {
    path: name,
    committed: "no",
  });
}
