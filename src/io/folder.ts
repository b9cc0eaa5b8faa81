/**
 * Where names live.
 *
 * @module
 */
import { quote, SaveError } from "../errors.ts";
import { described } from "../words/plain_object.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/** What a file must still be: as `stat` saw it, or of a version that was told when it was opened; null: there is none. */
export type Unchanged = { size: number; mtimeMs: number; ino?: number | bigint } | { version: string | null };

/** What a saver wishes of {@linkcode Folder.put}. */
export interface PutOptions {
  /** Bytes that will come, where that is known: a save of another length fails. */
  size?: number;
  /** Make missing folders above a file by path. */
  mkdir?: boolean;
  /** Read the file back and compare, before it takes the old one's place. @default {true below 64 MiB, where `size` is given} */
  verify?: boolean;
  /** Put only if the file is still this. */
  ifUnchanged?: Unchanged;
  /** Keep other processes out by `<name>.lock`. @default {false} */
  lock?: boolean;
  /** Throw where the place cannot promise that the file is on a disk. @default {false} */
  requireDurable?: boolean;
  /** `"inode"`: change the old file itself, so that hard links, access lists and attributes stay. */
  preserve?: "inode";
  /** Refuse names that Windows cannot have. @default the place's own rule */
  portable?: boolean;
  /** Looked at before the new file takes the old one's place. */
  signal?: AbortSignal;
}

/** A TypeError for a wish that only a directory of the file system can fulfil; a bucket has versions. */
export function refuseWishes(options: PutOptions | undefined, place: string, hasVersions = false): void {
  for (const name of ["verify", "ifUnchanged", "lock", "requireDurable", "preserve"] as const) {
    if (options?.[name] && !(hasVersions && name === "ifUnchanged")) {
      throw new TypeError(`Option ${name} has no meaning for ${place}: only a file by path can have it`);
    }
  }
}

/** A place of named files. The user's own may be passed as `folder`. */
export interface Folder {
  /** The file `name`, or null where there is none. */
  get(name: string, options?: { signal?: AbortSignal }): Promise<Source | null>;
  /** A sink whose bytes become the file `name` when it is closed; until then the file is what it was. */
  put(name: string, options?: PutOptions): Promise<Sink>;
  /** Names that start with `prefix`. */
  list(prefix?: string): Promise<string[]>;
  /** Remove a file. */
  delete(name: string): Promise<void>;
  /** Whether there is a folder `name`, be it empty; without it, one that has a file. */
  hasFolder?(name: string): Promise<boolean>;
}

/**
 * The ETag that an object must have still, as the version has it; null: there must be none; undefined: it may be any.
 *
 * @throws {TypeError} what must be unchanged has no ETag
 */
export function wishedEtag(options: PutOptions | undefined): string | null | undefined {
  const wish = options?.ifUnchanged;
  if (wish === undefined) return undefined;
  const version = "version" in wish ? wish.version : undefined;
  if (version === null) return null;
  if (version?.startsWith("etag:")) return version.slice(5);
  throw new TypeError("Option ifUnchanged must have the version of an object, which begins with etag:");
}

/** The error of a save that would undo somebody else's. */
export function conflict(shown: string): SaveError {
  return new SaveError("CONFLICT", `${quote(shown)} was changed by somebody else; it was left as it is.`, {
    path: shown,
    committed: "no",
  });
}

let defaultFolder: Folder | null = null;

/**
 * The place of bare names where a runtime has no files of its own (edge workers), or in place of those it has; null for the runtime's own.
 */
export function setDefaultFolder(folder: Folder | null): void {
  defaultFolder = folder && folderGiven(folder);
}

/** The folder of a call: its own option, or the default. */
export function folderOf(folder: Folder | undefined): Folder | null {
  return folder ?? defaultFolder;
}

/**
 * The folder that a caller gave.
 *
 * @throws {TypeError} it is none
 */
export function folderGiven(given: unknown): Folder {
  if (isFolder(given)) return given;
  const way = typeof given === "string"
    ? ": new DirectoryFolder(path) is one"
    : typeof given === "object" && given !== null && "getDirectoryHandle" in given
    ? ": new HandleFolder(handle) is one"
    : "";
  throw new TypeError(`The folder of a name must have get, put, list and delete: got ${described(given)}${way}`);
}

/** Whether a value has what a folder must have; one whose `get` cannot be looked at says why when it is asked for a file. */
function isFolder(given: unknown): given is Folder {
  try {
    return typeof given === "object" && given !== null && typeof (given as Folder).get === "function";
  } catch {
    return true;
  }
}

/**
 * The name in a folder that a caller gave.
 *
 * @throws {TypeError} it is no text
 */
export function nameGiven(given: unknown): string {
  if (typeof given === "string") return given;
  throw new TypeError(`The name in a folder must be a string: got ${described(given)}`);
}

/** The error of a place that can only be read. */
export function readOnly(place: string, name: string): SaveError {
  return new SaveError("READ_ONLY", `${place} can only be read: ${quote(name)} cannot be changed`, {
    path: name,
    committed: "no",
  });
}
