/**
 * The place where this runtime keeps files, where it has no file system: browsers have one for every origin.
 *
 * @module
 */
import type { DirectoryHandle } from "../file_handle.ts";
import { PathError, quote } from "../../errors.ts";
import type { Folder } from "../folder.ts";
import { HandleFolder } from "./handle_folder.ts";
import { IndexedDbFolder } from "./indexed_db_folder.ts";

let home: Promise<Folder | null> | null = null;

/** The origin private file system, or a database in browsers without one; null where there is neither. */
export function homeFolder(): Promise<Folder | null> {
  home ??= findHome();
  return home;
}

async function findHome(): Promise<Folder | null> {
  const { navigator, FileSystemFileHandle } = globalThis as {
    navigator?: { storage?: { getDirectory?: () => Promise<DirectoryHandle> } };
    FileSystemFileHandle?: { prototype: object };
  };
  // A browser that can write in workers only would have two places, one for pages and one for workers.
  const canWrite = FileSystemFileHandle && "createWritable" in FileSystemFileHandle.prototype;
  if (canWrite && navigator?.storage?.getDirectory) {
    try {
      return new HandleFolder(await navigator.storage.getDirectory());
    } catch {
      // Private windows of some browsers have the function and no place behind it.
    }
  }
  return "indexedDB" in globalThis ? new IndexedDbFolder() : null;
}

/** A path of a program as a name in the home folder: `./a` and `/a` are `a`, `b/../a` too; nothing lies above. */
export function homeName(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      throw new PathError("UNSAFE_PATH", `${quote(path)} leads above the place where this runtime keeps files`, {
        path,
      });
    }
  }
  return parts.join("/");
}
