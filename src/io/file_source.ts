/**
 * A file by path, on Deno, Bun and Node.
 *
 * @module
 */
import { PathError, SourceError } from "../errors.ts";
import { type FileStat, type OpenedFile, openFile } from "./opened_file.ts";
import { fileSystem, systemCode } from "./platform.ts";
import type { Source } from "./source.ts";
import { recoverFile, replaceBytes } from "./undo_journal.ts";

/** A file by path. Its size, time and inode are those of the handle, taken when it was opened. */
export class FileSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly #file: OpenedFile;
  readonly #real: string;
  #stamp: string;
  #closed = false;

  private constructor(path: string, real: string, file: OpenedFile, { size, stamp }: FileStat) {
    this.name = path;
    this.#real = real;
    this.#file = file;
    this.size = size;
    this.#stamp = stamp;
  }

  /**
   * Open a regular file.
   *
   * @throws {SourceError} `NOT_FOUND`, `PERMISSION`, `READ_FAILED`; `HOT_JOURNAL`: a change of it was cut off and cannot be taken back
   * @throws {PathError} `NOT_A_FILE`: a folder, pipe, socket or device
   */
  static async open(path: string): Promise<FileSource> {
    let file: OpenedFile;
    try {
      file = openFile(path);
    } catch (error) {
      throw openError(path, error);
    }
    try {
      const stat = file.stat();
      if (!stat.isFile) throw notAFile(path, stat.isDirectory);
      const real = file.realPath();
      const isOther = await recoverFile(real, (beside) => file.exists(beside));
      return new FileSource(path, real, file, isOther ? file.stat() : stat);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** When it was last written. */
  get version(): string {
    return `mtime:${this.#stamp.split(" ")[1]}`;
  }

  /** Read from `offset` on. */
  read(offset: number, into: Uint8Array): Promise<number> {
    return this.#file.read(offset, into).catch((error) => {
      throw this.#readError(offset, error);
    });
  }

  /** Read from `offset` on, at once. */
  readSync(offset: number, into: Uint8Array): number {
    try {
      return this.#file.readSync(offset, into);
    } catch (error) {
      throw this.#readError(offset, error);
    }
  }

  /** `SOURCE_CHANGED` where the file grew, shrank or was written since it was opened. */
  verify(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#file.stat().stamp !== this.#stamp) {
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
    const fs = fileSystem(this.name);
    const there = await fs.promises.stat(this.#real, { bigint: true }).catch(() => null);
    if (String(there?.ino) !== inode) {
      throw new SourceError("SOURCE_CHANGED", `${JSON.stringify(this.name)} was replaced since it was opened`, {
        path: this.name,
      });
    }
    await replaceBytes(fs, this.#real, offset, bytes, signal);
    this.#stamp = this.#file.stat().stamp;
  }

  /** Close the file. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#file.close();
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
