/**
 * Directory operations: through Deno's own calls, as loading `node:fs` takes Deno longer than listing a folder, and
 * through `node:fs` on Node and Bun.
 *
 * @module
 */
import type { Dirent, Stats } from "node:fs";
import { denoHere, fileSystem } from "../platform.ts";
import { resolvedLater } from "./resolved.ts";

/** An entry of a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

/** The operations; they fail with the system's errors. */
export interface DirectoryCalls {
  /** The path with all links resolved. */
  realPath(path: string): Promise<string>;
  entries(path: string): Promise<DirectoryEntry[]>;
  /** Whether `path` itself is a link. */
  isLink(path: string): Promise<boolean>;
  /** Remove anything but a folder. */
  remove(path: string): Promise<void>;
}

/** The operations for this runtime. */
export function directoryCalls(path: string): DirectoryCalls {
  const deno = denoHere();
  return deno ? byDeno(deno) : byNode(path);
}

function byDeno(deno: typeof Deno): DirectoryCalls {
  return {
    realPath: (path) => resolvedLater(() => deno.realPath(path), () => isThere(() => deno.lstatSync(path))),
    entries: (path) =>
      Array.fromAsync(
        deno.readDir(path),
        ({ name, isDirectory, isSymlink }) => ({ name, isFolder: isDirectory, isLink: isSymlink }),
      ),
    isLink: async (path) => (await deno.lstat(path)).isSymlink,
    async remove(path) {
      // Deno removes empty folders as well.
      if ((await deno.lstat(path)).isDirectory) throw Object.assign(new Error(`A folder: ${path}`), { code: "EISDIR" });
      await deno.remove(path);
    },
  };
}

// Not through `fs.promises`: creating that takes longer than these calls.
function byNode(place: string): DirectoryCalls {
  const fs = fileSystem(place);
  const call = <T>(run: (done: (error: Error | null, value?: T) => void) => void) =>
    new Promise<T>((resolve, reject) => run((error, value) => error ? reject(error) : resolve(value as T)));
  return {
    realPath: (path) =>
      resolvedLater(
        () => call<string>((done) => fs.realpath.native(path, done)),
        () => isThere(() => fs.lstatSync(path)),
      ),
    async entries(path) {
      const entries = await call<Dirent[]>((done) => fs.readdir(path, { withFileTypes: true }, done));
      return entries.map((entry) => ({
        name: entry.name,
        isFolder: entry.isDirectory(),
        isLink: entry.isSymbolicLink(),
      }));
    },
    isLink: async (path) => (await call<Stats>((done) => fs.lstat(path, done))).isSymbolicLink(),
    remove: (path) => call<void>((done) => fs.unlink(path, done)),
  };
}

function isThere(look: () => unknown): boolean {
  try {
    look();
    return true;
  } catch {
    return false;
  }
}
