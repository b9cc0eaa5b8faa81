/** Collects dropped files, including those in dropped directories. */
import type { NamedFile } from "./protocol.ts";

/** Maximum number of files in one drop. */
const MOST = 50_000;

/** Files from a file chooser. */
export function chosenFiles(files: Iterable<File>): NamedFile[] {
  return [...files].map((file) => [file.webkitRelativePath || file.name, file]);
}

/** Entries that are looked at together. */
const TOGETHER = 100;

/** Dropped files, found by the returned function. The items are read right away: later there are none. */
export function droppedFiles(transfer: DataTransfer): (signal?: AbortSignal) => Promise<NamedFile[]> {
  const found: NamedFile[] = [], todo: FileSystemEntry[] = [];
  for (const item of transfer.items) {
    const entry = item.webkitGetAsEntry?.() ?? null;
    // WebKit cannot get the file from the entry if it is not on a disk.
    const file = entry?.isDirectory ? null : item.getAsFile();
    if (file) found.push([file.name, file]);
    else if (entry) todo.push(entry);
  }
  const visit = async (entry: FileSystemEntry) => {
    if (entry.isDirectory) {
      for (const one of await entriesOf(entry as FileSystemDirectoryEntry)) todo.push(one);
      return;
    }
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push([entry.fullPath.slice(1), file]);
  };
  return async (signal) => {
    for (;;) {
      if (found.length + todo.length > MOST) throw new TypeError(`More than ${MOST} files were dropped`);
      if (todo.length === 0) return found;
      signal?.throwIfAborted();
      await Promise.all(todo.splice(0, TOGETHER).map(visit));
    }
  };
}

/** All entries of a directory, which browsers return in batches; of too many, only the first. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  while (all.length <= MOST) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) break;
    // Not push(...part): a batch may be more than the stack holds.
    for (const entry of part) all.push(entry);
  }
  return all;
}
