/**
 * Saves to the same browser handle wait for each other in the order of their calls, as saves to the same path do.
 *
 * @module
 */
import type { DirectoryHandle, FileHandle } from "../file_handle.ts";
import { within } from "./within.ts";

/** What is written: a file, a name in a directory that may not exist yet, or several files below a directory. */
interface Written {
  readonly handle: FileHandle | DirectoryHandle;
  readonly name?: string;
}

const turns = new Set<{ written: Written; over: Promise<void> }>();

/** Wait until all earlier writers of the same file are done; the returned function lets the next one proceed. */
export async function takeHandleTurn(written: Written, signal?: AbortSignal): Promise<() => void> {
  const before = [...turns];
  let end = () => {};
  const turn = { written, over: new Promise<void>((resolve) => end = resolve) };
  turns.add(turn);
  const leave = () => {
    turns.delete(turn);
    end();
  };
  try {
    for (const { written: other, over } of before) {
      if (await isSame(other, written)) await within(over, Infinity, signal);
    }
  } catch (error) {
    leave();
    throw error;
  }
  return leave;
}

/** Whether both write the same file, or several files in directories one of which contains the other. */
async function isSame(a: Written, b: Written): Promise<boolean> {
  if (isDirectory(a) && isDirectory(b)) return await contains(a.handle, b.handle) || await contains(b.handle, a.handle);
  if (a.name !== undefined && b.name !== undefined) return a.name === b.name && await isSameEntry(a.handle, b.handle);
  const [first, second] = await Promise.all([entryOf(a), entryOf(b)]);
  return first !== null && second !== null && await isSameEntry(first, second);
}

function isDirectory({ handle, name }: Written): boolean {
  return name === undefined && "getFileHandle" in handle;
}

async function contains(directory: object, other: object): Promise<boolean> {
  if (directory === other) return true;
  const { resolve } = directory as { resolve?: (descendant: object) => Promise<string[] | null> };
  if (typeof resolve !== "function") return await isSameEntry(directory, other);
  try {
    return await resolve.call(directory, other) !== null;
  } catch {
    // As below.
    return false;
  }
}

/** The handle of a file; null if a directory has no file of that name yet. */
async function entryOf({ handle, name }: Written): Promise<object | null> {
  if (name === undefined) return handle;
  try {
    return await (handle as DirectoryHandle).getFileHandle(name);
  } catch {
    return null;
  }
}

async function isSameEntry(a: object, b: object): Promise<boolean> {
  if (a === b) return true;
  const { isSameEntry } = a as { isSameEntry?: (other: unknown) => Promise<boolean> };
  try {
    return typeof isSameEntry === "function" && await isSameEntry.call(a, b);
  } catch {
    // A caller's own implementation of a handle may not know the other's class.
    return false;
  }
}
