/**
 * A file open for reading, through Deno's own calls: merely loading `node:fs` takes Deno longer than reading the structure of a checkpoint,
 * and a synchronous read through it takes ten times as long.
 *
 * @module
 */
import type { FileStat, OpenedFile } from "./opened_file.ts";
import { denoHere, mayUse } from "../platform.ts";
import { resolved } from "./resolved.ts";
import { Slots } from "../waiting/slots.ts";

/** Maximum number of handles for asynchronous reads: a handle has a single position, and so allows one read at a time. */
const MOST_HANDLES = 4;

/** Through `Deno.openSync` and its siblings. */
export class DenoFile implements OpenedFile {
  readonly #path: string;
  /** The handle for synchronous calls. */
  readonly #file: Deno.FsFile;
  readonly #idle: Deno.FsFile[] = [];
  readonly #slots = new Slots(MOST_HANDLES);
  #closed = false;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Open the file at `path`; null if this is not Deno. */
  static open(path: string): DenoFile | null {
    if (!denoHere()) return null;
    // There is no O_NONBLOCK: opening a pipe would wait for a writer.
    const { isFile, isDirectory } = Deno.statSync(path);
    if (!isFile && !isDirectory) throw Object.assign(new Error(`Not a regular file: ${path}`), { code: "ENXIO" });
    return new DenoFile(path, Deno.openSync(path));
  }

  stat(): FileStat {
    return fileStat(this.#file.statSync());
  }

  realPath(): string {
    return resolved(() => Deno.realPathSync(this.#path), () => this.exists(this.#path));
  }

  exists(path: string): boolean {
    try {
      return mayUse(path, "read") && Deno.lstatSync(path) !== null;
    } catch {
      return false;
    }
  }

  readSync(offset: number, into: Uint8Array): number {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    return this.#file.readSync(into) ?? 0;
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    const release = await this.#slots.take();
    try {
      if (this.#closed) throw new Error(`Closed: ${this.#path}`);
      const file = this.#idle.pop() ?? this.#another();
      if (file === null) return this.readSync(offset, into);
      try {
        file.seekSync(offset, Deno.SeekMode.Start);
        return await file.read(into) ?? 0;
      } finally {
        if (this.#closed) file.close();
        else this.#idle.push(file);
      }
    } finally {
      release();
    }
  }

  close(): void {
    this.#closed = true;
    for (const file of [this.#file, ...this.#idle]) file.close();
  }

  /** Another handle of the open file; null if its path leads to a different file by now. */
  #another(): Deno.FsFile | null {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path);
    } catch {
      return null;
    }
    if (fileStat(file.statSync()).stamp === this.stat().stamp) return file;
    file.close();
    return null;
  }
}

/** What Deno reports of a file. */
export function fileStat({ isFile, isDirectory, size, mtime, ino }: Deno.FileInfo): FileStat {
  // Deno reports no more than milliseconds, and so does its `node:fs`.
  return { isFile, isDirectory, size, stamp: `${size} ${mtime?.getTime() ?? 0}000000 ${ino ?? 0}` };
}
