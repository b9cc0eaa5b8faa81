/**
 * A file by path, on Deno, Bun and Node.
 *
 * @module
 */
import { PathError, SourceError } from "../errors.ts";
import { fileSystem, systemCode } from "./platform.ts";
import type { Source } from "./source.ts";
import { recoverFile, replaceBytes } from "./undo_journal.ts";

type Fs = typeof import("node:fs");

/** A file by path. Its size, time and inode are those of the handle, taken when it was opened. */
export class FileSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly #file: number;
  readonly #fs: Fs;
  readonly #real: string;
  #stamp: string;
  #closed = false;

  private constructor(path: string, real: string, file: number, fs: Fs, size: number, stamp: string) {
    this.name = path;
    this.#real = real;
    this.#file = file;
    this.#fs = fs;
    this.size = size;
    this.#stamp = stamp;
  }

  /**
   * Open a regular file. The system is asked at once, as a file's structure is read at once: a promise for each of these calls would cost
   * more than they do.
   *
   * @throws {SourceError} `NOT_FOUND`, `PERMISSION`, `READ_FAILED`; `HOT_JOURNAL`: a change of it was cut off and cannot be taken back
   * @throws {PathError} `NOT_A_FILE`: a folder, pipe, socket or device
   */
  static async open(path: string): Promise<FileSource> {
    const fs = fileSystem(path);
    let file: number;
    try {
      // Without O_NONBLOCK the opening of a pipe waits for somebody who writes.
      file = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    } catch (error) {
      throw openError(path, error);
    }
    try {
      const stat = fs.fstatSync(file, { bigint: true });
      if (!stat.isFile()) throw notAFile(path, stat.isDirectory());
      const real = fs.realpathSync(path);
      await recoverFile(fs, real);
      const now = fs.fstatSync(file, { bigint: true });
      return new FileSource(path, real, file, fs, Number(now.size), stampOf(now));
    } catch (error) {
      fs.closeSync(file);
      throw error;
    }
  }

  /** When it was last written. */
  get version(): string {
    return `mtime:${this.#stamp.split(" ")[1]}`;
  }

  /** Read from `offset` on. */
  read(offset: number, into: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#fs.read(this.#file, into, 0, into.length, offset, (error, n) => {
        if (error) reject(this.#readError(offset, error));
        else resolve(n);
      });
    });
  }

  /** Read from `offset` on, at once. */
  readSync(offset: number, into: Uint8Array): number {
    try {
      return this.#fs.readSync(this.#file, into, 0, into.length, offset);
    } catch (error) {
      throw this.#readError(offset, error);
    }
  }

  /** `SOURCE_CHANGED` where the file grew, shrank or was written since it was opened. */
  verify(): Promise<void> {
    return new Promise((resolve) => {
      if (stampOf(this.#fs.fstatSync(this.#file, { bigint: true })) !== this.#stamp) {
        throw new SourceError("SOURCE_CHANGED", `${JSON.stringify(this.name)} was changed while it was read`, {
          path: this.name,
        });
      }
      resolve();
    });
  }

  /**
   * Replace bytes in place: a crash leaves all of the old or all of the new ones.
   *
   * @throws {SourceError} `SOURCE_CHANGED`
   * @throws {SaveError}
   */
  async edit(offset: number, bytes: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    await this.verify();
    const inode = this.#stamp.split(" ")[2];
    // A save puts another file in the place of the one that is open: that one is not ours to change.
    const there = await this.#fs.promises.stat(this.#real, { bigint: true }).catch(() => null);
    if (String(there?.ino) !== inode) {
      throw new SourceError("SOURCE_CHANGED", `${JSON.stringify(this.name)} was replaced since it was opened`, {
        path: this.name,
      });
    }
    await replaceBytes(this.#fs, this.#real, offset, bytes, signal);
    this.#stamp = stampOf(this.#fs.fstatSync(this.#file, { bigint: true }));
  }

  /** Close the file. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#fs.closeSync(this.#file);
    }
    return Promise.resolve();
  }

  #readError(offset: number, cause: unknown): SourceError {
    return new SourceError("READ_FAILED", `Cannot read ${JSON.stringify(this.name)} at byte ${offset}`, {
      path: this.name,
      offset,
      cause,
    });
  }
}

function stampOf(stat: { size: bigint; mtimeNs: bigint; ino: bigint }): string {
  return `${stat.size} ${stat.mtimeNs} ${stat.ino}`;
}

function notAFile(path: string, isFolder: boolean): PathError {
  return new PathError("NOT_A_FILE", `${JSON.stringify(path)} is ${isFolder ? "a folder" : "no regular file"}`, {
    path,
  });
}

function openError(path: string, cause: unknown): SourceError | PathError {
  const code = systemCode(cause);
  if (code === "EISDIR") return notAFile(path, true);
  if (code === "ENXIO") return notAFile(path, false);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SourceError("NOT_FOUND", `There is no file ${JSON.stringify(path)}`, {
      path,
      cause,
      hint: "give the full file name",
    });
  }
  const denied = code === "EACCES" || code === "EPERM";
  return new SourceError(
    denied ? "PERMISSION" : "READ_FAILED",
    `Cannot open ${JSON.stringify(path)}: ${code ?? "unknown error"}`,
    {
      path,
      cause,
    },
  );
}
