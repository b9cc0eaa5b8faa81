/**
 * Where a runtime without a file system keeps files: browsers have such a place for every origin.
 *
 * @module
 */
import type { DirectoryHandle } from "../file_handle.ts";
import { PathError, quote } from "../../errors.ts";
import type { Folder } from "../folder.ts";
import { HandleFolder } from "./handle_folder.ts";
import { IndexedDbFolder } from "./indexed_db_folder.ts";

let home: Promise<Folder | null> | null = null;

/** The origin private file system, or IndexedDB in browsers without one; null if there is neither. */
export function homeFolder(): Promise<Folder | null> {
  home ??= findHome();
  return home;
}

async function findHome(): Promise<Folder | null> {
  const { navigator, FileSystemFileHandle } = globalThis as {
    navigator?: { storage?: { getDirectory?: () => Promise<DirectoryHandle> } };
    FileSystemFileHandle?: { prototype: object };
  };
  // A browser that can write only in workers would end up with two places, one for pages and one for workers.
  const canWrite = FileSystemFileHandle && "createWritable" in FileSystemFileHandle.prototype;
  if (canWrite && navigator?.storage?.getDirectory) {
    try {
      return new HandleFolder(await navigator.storage.getDirectory());
    } catch {
      // In private windows of some browsers the function exists but does not work.
    }
  }
  return "indexedDB" in globalThis ? new IndexedDbFolder() : null;
}

/**
 * Turns a path into a name in the home folder: `./a`, `/a` and `b/../a` are all `a`; `a/` stays the name of a folder. A path must not lead
 * above the folder.
 */
export function homeName(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      throw new PathError("UNSAFE_PATH", `${quote(path)} leads above the folder where this runtime keeps files`, {
        path,
      });
    }
  }
  return parts.join("/") + (parts.length > 0 && path.endsWith("/") ? "/" : "");
}
