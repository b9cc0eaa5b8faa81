/**
 * Where names live.
 *
 * @module
 */
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/** A place of named files. The user's own may be passed as `folder`. */
export interface Folder {
  /** The file `name`, or null where there is none. */
  get(name: string): Promise<Source | null>;
  /** A sink whose bytes become the file `name` when it is closed. */
  put(name: string): Promise<Sink>;
  /** Names that start with `prefix`. */
  list(prefix?: string): Promise<string[]>;
  /** Remove a file. */
  delete(name: string): Promise<void>;
  /** Whether there is a folder `name`, be it empty; without it, one that has a file. */
  hasFolder?(name: string): Promise<boolean>;
}

let defaultFolder: Folder | null = null;

/**
 * The place of bare names where a runtime has no files of its own (edge workers), or in place of those it has; null for the runtime's own.
 */
export function setDefaultFolder(folder: Folder | null): void {
  defaultFolder = folder;
}

/** The folder of a call: its own option, or the default. */
export function folderOf(folder: Folder | undefined): Folder | null {
  return folder ?? defaultFolder;
}
