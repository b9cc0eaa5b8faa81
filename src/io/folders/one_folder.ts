/**
 * Reads the files of a folder that may be replaced as a whole meanwhile.
 *
 * @module
 */
import { isPaddleError, quote, SourceError } from "../../errors.ts";
import { openFile } from "../disk/opened_file.ts";
import { pathCalls } from "../disk/path.ts";
import { DirectoryFolder } from "./directory_folder.ts";
import { type Folder, innermost } from "../folder.ts";

/**
 * What `read` makes of files in `folder`.
 *
 * @throws {SourceError} `SOURCE_CHANGED`: by then another folder is in its place, so that some files may be from that one
 */
export async function fromOneFolder<T>(folder: Folder, read: () => Promise<T>): Promise<T> {
  const path = directoryOf(folder);
  if (path === null) return await read();
  const before = inodeOf(path);
  let cause: unknown;
  try {
    const value = await read();
    if (inodeOf(path) === before) return value;
  } catch (error) {
    if (!isPaddleError(error) || inodeOf(path) === before) throw error;
    cause = error;
  }
  throw new SourceError("SOURCE_CHANGED", `${quote(path)} was replaced while being read`, { path, cause });
}

/** The path of what is, within all wrappers of ours, a folder of a DirectoryFolder; null if it is another one. */
export function directoryOf(folder: Folder): string | null {
  const { folder: inner, prefix } = innermost(folder);
  return inner instanceof DirectoryFolder ? pathCalls().join(inner.path, prefix) : null;
}

/** The inode of a directory; undefined where a directory cannot be opened. */
function inodeOf(path: string): string | undefined {
  try {
    const file = openFile(path);
    try {
      return file.stat().stamp.split(" ")[2];
    } finally {
      file.close();
    }
  } catch {
    return undefined;
  }
}
