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
  const found: NamedFile[] = [], todo: FileSystemEntry[] = [];
  const add = (name: string, file: File) => {
    found.push([name, file]);
    if (found.length > MOST) throw new TypeError(`More than ${MOST} files were dropped`);
  };
  for (const item of transfer.items) {
    const entry = item.webkitGetAsEntry?.() ?? null;
    // WebKit cannot get the file from the entry if it is not on a disk.
    const file = entry?.isDirectory ? null : item.getAsFile();
    if (file) add(file.name, file);
    else if (entry) todo.push(entry);
  }
  while (todo.length > 0) {
    const entry = todo.shift()!;
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      add(entry.fullPath.slice(1), file);
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
