/** Collects dropped files, including those in dropped directories. */
import type { NamedFile } from "./protocol.ts";

/** Maximum number of files in one drop. */
const MOST = 50_000;

/** Files from a file chooser. */
export function chosenFiles(files: Iterable<File>): NamedFile[] {
  return [...files].map((file) => [file.webkitRelativePath || file.name, file]);
}

/** Dropped files. The items must be read before anything is awaited. */
export async function droppedFiles(transfer: DataTransfer): Promise<NamedFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) return chosenFiles(transfer.files);
  const found: NamedFile[] = [];
  const todo = entries.filter((entry) => entry !== null);
  while (todo.length > 0) {
    const entry = todo.shift()!;
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.push([entry.fullPath.slice(1), file]);
      if (found.length > MOST) throw new TypeError(`More than ${MOST} files were dropped`);
    } else todo.push(...await entriesOf(entry as FileSystemDirectoryEntry));
  }
  return found;
}

/** All entries of a directory, which browsers return in batches. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  while (true) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return all;
    all.push(...part);
  }
}
