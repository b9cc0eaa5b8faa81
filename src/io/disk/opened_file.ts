/**
 * A file open for reading, through synchronous calls: a promise for each of them would cost more than the call.
 *
 * @module
 */
import type { BigIntStats } from "node:fs";
import { DenoFile, fileStat } from "./deno_file.ts";
import { denoHere, fileSystem, type Fs, realPathBy } from "../platform.ts";
import { resolved } from "./resolved.ts";

/** Bytes read at a time: Node refuses 2 GiB or more. */
const MOST = 2 ** 30;

/** What identifies one state of a file. */
export interface FileStat {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly size: number;
  /** Size in bytes, mtime in nanoseconds, and inode. */
  readonly stamp: string;
}

/** A file that is open for reading. */
export interface OpenedFile {
  /** The state of the open file. */
  stat(): FileStat;
  /** Its path with all links resolved. */
  realPath(): string;
  /** Whether there is a file at `path`. */
  exists(path: string): boolean;
  /** Read bytes from `offset` on; returns the number of bytes read. */
  readSync(offset: number, into: Uint8Array): number;
  /** The same, asynchronously. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** Close the file. */
  close(): void;
}

/** Open the file at `path`, without waiting if it is a pipe; throws the system's error. */
export function openFile(path: string): OpenedFile {
  return DenoFile.open(path) ?? new NodeFile(path, fileSystem(path));
}

/** The state of the file at `path`, which is not opened; throws the system's error. */
export function statAt(path: string): FileStat {
  const deno = denoHere();
  return deno ? fileStat(deno.statSync(path)) : nodeStat(fileSystem(path).statSync(path, { bigint: true }));
}

/** Through `node:fs`, on Node and Bun. */
class NodeFile implements OpenedFile {
  readonly #path: string;
  readonly #fs: Fs;
  readonly #file: number;

  constructor(path: string, fs: Fs) {
    this.#path = path;
    this.#fs = fs;
    // Without O_NONBLOCK, opening a pipe waits for a writer.
    this.#file = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  }

  stat(): FileStat {
    return nodeStat(this.#fs.fstatSync(this.#file, { bigint: true }));
  }

  realPath(): string {
    return resolved(() => realPathBy(this.#fs, this.#path), () => this.exists(this.#path));
  }

  exists(path: string): boolean {
    try {
      return this.#fs.existsSync(path);
    } catch {
      // Node 20 with its permission model: as in Deno, what this process may not see is not there.
      return false;
    }
  }

  readSync(offset: number, into: Uint8Array): number {
    return this.#fs.readSync(this.#file, into, 0, Math.min(MOST, into.length), offset);
  }

  read(offset: number, into: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = Math.min(MOST, into.length);
      this.#fs.read(this.#file, into, 0, length, offset, (error, n) => error ? reject(error) : resolve(n));
    });
  }

  close(): void {
    this.#fs.closeSync(this.#file);
  }
}

function nodeStat(stat: BigIntStats): FileStat {
  return {
    isFile: stat.isFile(),
    isDirectory: stat.isDirectory(),
    size: Number(stat.size),
    stamp: `${stat.size} ${stat.mtimeNs} ${stat.ino}`,
  };
}
