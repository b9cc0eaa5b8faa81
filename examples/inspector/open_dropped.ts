/** The files of a drop, those of dropped directories too. */
import type { NamedFile } from "./protocol.ts";

/** Most files of one drop. */
const MOST = 50_000;

/** Files that a chooser gave. */
export function chosenFiles(files: Iterable<File>): NamedFile[] {
  return [...files].map((file) => [file.webkitRelativePath || file.name, file]);
}

/** Files that were dropped. The items must be looked at before anything is awaited. */
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

/** Browsers give the entries of a directory in parts. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  while (true) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return all;
    all.push(...part);
  }
}
