/**
 * A file that is open for reading, by what the runtime does at once: a promise for each of these calls would cost more than they do.
 *
 * @module
 */
import { DenoFile } from "./deno_file.ts";
import { fileSystem, type Fs } from "../platform.ts";

/** What tells one state of a file from another. */
export interface FileStat {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly size: number;
  /** Size, time of the last write in nanoseconds, inode. */
  readonly stamp: string;
}

/** A file that is open for reading. */
export interface OpenedFile {
  /** What the handle says of it. */
  stat(): FileStat;
  /** Its path without links. */
  realPath(): string;
  /** Whether there is a file at `path`. */
  exists(path: string): boolean;
  /** Read from `offset` on; how many bytes were read. */
  readSync(offset: number, into: Uint8Array): number;
  /** The same, while others run. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** Let go of it. */
  close(): void;
}

/** Open what lies at `path`, without waiting where it is a pipe; throws the system's error. */
export function openFile(path: string): OpenedFile {
  return DenoFile.open(path) ?? new NodeFile(path, fileSystem(path));
}

/** By `node:fs`, on Node and Bun. */
class NodeFile implements OpenedFile {
  readonly #path: string;
  readonly #fs: Fs;
  readonly #file: number;

  constructor(path: string, fs: Fs) {
    this.#path = path;
    this.#fs = fs;
    // Without O_NONBLOCK the opening of a pipe waits for somebody who writes.
    this.#file = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  }

  stat(): FileStat {
    const stat = this.#fs.fstatSync(this.#file, { bigint: true });
    return {
      isFile: stat.isFile(),
      isDirectory: stat.isDirectory(),
      size: Number(stat.size),
      stamp: `${stat.size} ${stat.mtimeNs} ${stat.ino}`,
    };
  }

  realPath(): string {
    return this.#fs.realpathSync(this.#path);
  }

  exists(path: string): boolean {
    return this.#fs.existsSync(path);
  }

  readSync(offset: number, into: Uint8Array): number {
    return this.#fs.readSync(this.#file, into, 0, into.length, offset);
  }

  read(offset: number, into: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#fs.read(this.#file, into, 0, into.length, offset, (error, n) => error ? reject(error) : resolve(n));
    });
  }

  close(): void {
    this.#fs.closeSync(this.#file);
  }
}
