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
export async function fromOneFolder<T>(folder: Folder, shown: string, read: () => Promise<T>): Promise<T> {
  const before = inodeOf(folder);
  let cause: unknown;
  try {
    const value = await read();
    if (inodeOf(folder) === before) return value;
  } catch (error) {
    if (!isPaddleError(error) || inodeOf(folder) === before) throw error;
    cause = error;
  }
  throw new SourceError("SOURCE_CHANGED", `${quote(shown)} was replaced while being read`, { path: shown, cause });
}

/** The inode of a directory; undefined for other folders, and where a directory cannot be opened. */
function inodeOf(folder: Folder): string | undefined {
  const { folder: inner, prefix } = innermost(folder);
  if (!(inner instanceof DirectoryFolder)) return undefined;
  try {
    const file = openFile(pathCalls().join(inner.path, prefix));
    try {
      return file.stat().stamp.split(" ")[2];
    } finally {
      file.close();
    }
  } catch {
    return undefined;
  }
}
