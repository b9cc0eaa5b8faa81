/**
 * A file at a path, on Deno, Bun and Node.
 *
 * @module
 */
import { isPaddleError, type PaddleError, PathError, SourceError } from "../../errors.ts";
import { type FileStat, type OpenedFile, openFile, statAt } from "../disk/opened_file.ts";
import { openHandles } from "../disk/open_handles.ts";
import { pathCalls } from "../disk/path.ts";
import { isSameInode } from "../disk/same_inode.ts";
import { fileSystem, systemCode } from "../platform.ts";
import type { Source } from "../source.ts";
import { recoverFile, replaceBytes } from "../disk/undo_journal.ts";

/** Maximum number of open handles: some systems allow a process no more than 256. */
const MOST_OPEN = 100;

/**
 * A file at a path. Its size, mtime and inode are those of the handle when it was opened. When too many are open, the least recently read
 * ones close their handles and reopen them at the next read.
 */
export class FileSource implements Source {
  readonly size: number;
  readonly name: string;
  #file: OpenedFile | null;
  /** The path: absolute, so that it leads to the same file if the working directory changes. */
  readonly path: string;
  readonly #real: string;
  #stamp: string;
  #closed = false;
  /** Number of reads and edits in progress. */
  #reading = 0;
  readonly #leaving: (() => void)[] = [];
  /** Closes the handle, unless it is being read. */
  readonly #doze = (): boolean => {
    if (this.#reading > 0) return false;
    this.#rest();
    return true;
  };
  /** Settles once the last edit is over; null if none is in progress. */
  #editing: Promise<void> | null = null;

  private constructor(name: string, path: string, real: string, file: OpenedFile, { size, stamp }: FileStat) {
    this.name = name;
    this.path = path;
    this.#real = real;
    this.#file = file;
    this.size = size;
    this.#stamp = stamp;
    this.#wake();
  }

  /**
   * Open a regular file. If it is being changed in place, that is waited for until `signal` aborts.
   *
   * @throws {SourceError} `NOT_FOUND`, `PERMISSION`, `READ_FAILED`; `HOT_JOURNAL`: an interrupted change of it cannot be rolled back
   * @throws {PathError} `NOT_A_FILE`: a folder, pipe, socket or device
   */
  static async open(path: string, { signal }: { signal?: AbortSignal } = {}): Promise<FileSource> {
    if (path === "") throw new SourceError("NOT_FOUND", "The path is empty", { path });
    const whole = absolute(path);
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
      const isOther = await recoverFile(real, (beside) => file.exists(beside), { signal });
      return new FileSource(path, whole, real, file, isOther ? file.stat() : stat);
    } catch (error) {
      letGo(file);
      if (signal?.aborted) throw signal.reason;
      throw isPaddleError(error) ? error : openError(path, error);
    }
  }

  /** The modification time. */
  get version(): string {
    return `mtime:${this.#stamp.split(" ")[1]}`;
  }

  /** Whether the path leads to the file as it was when it was opened, or last edited through this source. */
  isInPlace(): boolean {
    try {
      return statAt(this.path).stamp === this.#stamp;
    } catch {
      return false;
    }
  }

  /** Read bytes from `offset` on, all from before an edit or all from after it. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    while (this.#editing) await this.#editing;
    const file = this.#wake();
    this.#reading++;
    let n: number;
    try {
      n = await file.read(offset, into);
    } catch (error) {
      throw this.#readError(offset, error);
    } finally {
      this.#readOver();
    }
    return this.#given(n, offset, into);
  }

  #readOver(): void {
    if (--this.#reading === 0) { for (const leave of this.#leaving.splice(0)) leave(); }
  }

  /** Read bytes from `offset` on, synchronously. */
  readSync(offset: number, into: Uint8Array): number {
    const file = this.#wake();
    let n: number;
    try {
      n = file.readSync(offset, into);
    } catch (error) {
      throw this.#readError(offset, error);
    }
    return this.#given(n, offset, into);
  }

  /** Check the file if nothing was read before its end: then it was truncated. */
  #given(n: number, offset: number, into: Uint8Array): number {
    if (n === 0 && into.length > 0 && offset < this.size) this.verifySync();
    return n;
  }

  /** Throws `SOURCE_CHANGED` if the file grew, shrank or was written since it was opened. */
  async verify(): Promise<void> {
    while (this.#editing) await this.#editing;
    this.verifySync();
  }

  /** The same, synchronously. */
  verifySync(): void {
    this.#compare(this.#wake());
  }

  /**
   * Replace bytes in place: after a crash, either all old or all new bytes are there.
   *
   * @throws {SourceError} `SOURCE_CHANGED`
   * @throws {SaveError}
   */
  async edit(offset: number, bytes: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<void> {
    while (this.#editing) await this.#editing;
    let over = () => {};
    this.#editing = new Promise((resolve) => over = resolve);
    try {
      await this.#reads();
      // A handle that rests meanwhile could not tell this change from another's when it is opened again.
      this.#reading++;
      await this.#edit(offset, bytes, options.signal).finally(() => this.#readOver());
    } finally {
      this.#editing = null;
      over();
    }
  }

  /** Wait for the reads in progress. */
  async #reads(): Promise<void> {
    if (this.#reading > 0) await new Promise<void>((resolve) => this.#leaving.push(resolve));
  }

  async #edit(offset: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const fs = fileSystem(this.name);
    const check = (ino?: bigint) => {
      this.verifySync();
      // A save replaces the open file with another one, which must not be changed here.
      if (ino === undefined || !isSameInode(BigInt(this.#stamp.split(" ")[2]), ino)) throw this.#changed();
    };
    check((await fs.promises.stat(this.#real, { bigint: true }).catch(() => null))?.ino);
    await replaceBytes(fs, this.#real, offset, bytes, { check, signal });
    try {
      this.#stamp = this.#stampOf(this.#wake());
    } catch {
      // The bytes are written. The next read reports that the file changed, or why it cannot be opened.
    }
  }

  /**
   * Close the file once the reads and edits in progress have ended: on a closed descriptor they would read whatever file is given its
   * number next.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#reads();
    this.#rest();
  }

  /** The open handle, reopened if need be, and marked as most recently used. */
  #wake(): OpenedFile {
    if (this.#closed) throw closedError(this.name);
    const file = this.#file ??= this.#openAgain();
    openHandles.delete(this.#doze);
    openHandles.add(this.#doze);
    if (openHandles.size > MOST_OPEN) this.#closeAnother();
    return file;
  }

  #closeAnother(): void {
    for (const close of openHandles) if (close !== this.#doze && close()) return;
  }

  #rest(): void {
    openHandles.delete(this.#doze);
    if (this.#file) letGo(this.#file);
    this.#file = null;
  }

  #openAgain(): OpenedFile {
    let file: OpenedFile;
    try {
      file = openFile(this.path);
    } catch (error) {
      const isGone = systemCode(error) === "ENOENT";
      throw isGone ? this.#changed(error) : openError(this.name, error);
    }
    try {
      this.#compare(file);
      return file;
    } catch (error) {
      letGo(file);
      throw error;
    }
  }

  #compare(file: OpenedFile): void {
    if (this.#stampOf(file) !== this.#stamp) throw this.#changed();
  }

  #stampOf(file: OpenedFile): string {
    try {
      return file.stat().stamp;
    } catch (error) {
      throw openError(this.name, error);
    }
  }

  #changed(cause?: unknown): SourceError {
    return new SourceError("SOURCE_CHANGED", `${JSON.stringify(this.name)} was changed while being read`, {
      path: this.name,
      cause,
    });
  }

  #readError(offset: number, cause: unknown): Error {
    if (this.#closed) return closedError(this.name);
    return new SourceError("READ_FAILED", `Cannot read ${JSON.stringify(this.name)} at byte ${offset}`, {
      path: this.name,
      offset,
      cause,
    });
  }
}

/** The absolute form of a path; not normalized, since what is before `..` may be a link. */
function absolute(path: string): string {
  if (/^(?:[A-Za-z]:)?[\\/]/.test(path)) return path;
  try {
    const { sep, resolve } = pathCalls();
    // On Windows `..` is resolved before links are, and C:name is relative.
    return sep === "/" ? `${resolve("")}/${path}` : resolve(path);
  } catch {
    // The working directory may be gone, or the runtime may not reveal it.
    return path;
  }
}

function closedError(name: string): TypeError {
  return new TypeError(`${JSON.stringify(name)} was closed`);
}

/** Close the file. What was read is valid, whatever the system reports on closing. */
function letGo(file: OpenedFile): void {
  try {
    file.close();
  } catch {
    // No data can be lost.
  }
}

function notAFile(path: string, isFolder: boolean): PathError {
  return new PathError("NOT_A_FILE", `${JSON.stringify(path)} is ${isFolder ? "a folder" : "not a regular file"}`, {
    path,
  });
}

function openError(path: string, cause: unknown): PaddleError {
  if (isPaddleError(cause)) return cause;
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
  return accessError("open", path, cause);
}

/** The error for what the system, or the user of Deno, does not let do with `path`. */
export function accessError(action: string, path: string, cause: unknown): PaddleError {
  if (isPaddleError(cause)) return cause;
  const code = systemCode(cause), denied = code === "EACCES" || code === "EPERM";
  return new SourceError(
    denied ? "PERMISSION" : "READ_FAILED",
    `Cannot ${action} ${JSON.stringify(path)}: ${code ?? "unknown error"}`,
    { path, cause },
  );
}
