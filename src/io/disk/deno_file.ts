/**
 * A file that is open for reading, by Deno's own calls: the loading of `node:fs` alone takes Deno longer than the structure of a checkpoint
 * does, and a read at once by it ten times as long.
 *
 * @module
 */
import type { FileStat, OpenedFile } from "./opened_file.ts";
import { denoHere } from "../platform.ts";
import { Slots } from "../waiting/slots.ts";

/** Handles for reads that others run beside: a handle has one position, so one read at a time. */
const MOST_HANDLES = 4;

/** By `Deno.openSync` and its like. */
export class DenoFile implements OpenedFile {
  readonly #path: string;
  /** For what is done at once. */
  readonly #file: Deno.FsFile;
  readonly #idle: Deno.FsFile[] = [];
  readonly #slots = new Slots(MOST_HANDLES);
  #closed = false;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Open what lies at `path`; null where this is not Deno. */
  static open(path: string): DenoFile | null {
    if (!denoHere()) return null;
    // There is no O_NONBLOCK: the opening of a pipe would wait for somebody who writes.
    const { isFile, isDirectory } = Deno.statSync(path);
    if (!isFile && !isDirectory) throw Object.assign(new Error(`No regular file: ${path}`), { code: "ENXIO" });
    return new DenoFile(path, Deno.openSync(path));
  }

  stat(): FileStat {
    return statOf(this.#file);
  }

  realPath(): string {
    return Deno.realPathSync(this.#path);
  }

  exists(path: string): boolean {
    try {
      Deno.lstatSync(path);
      return true;
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

  /** One more handle of the file that is open; null where another file has its name now. */
  #another(): Deno.FsFile | null {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path);
    } catch {
      return null;
    }
    if (statOf(file).stamp === this.stat().stamp) return file;
    file.close();
    return null;
  }
}

function statOf(file: Deno.FsFile): FileStat {
  // Deno tells no less than milliseconds, `node:fs` in it neither.
  const { isFile, isDirectory, size, mtime, ino } = file.statSync();
  return { isFile, isDirectory, size, stamp: `${size} ${mtime?.getTime() ?? 0}000000 ${ino}` };
}
