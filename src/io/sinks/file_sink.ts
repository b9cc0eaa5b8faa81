/**
 * A file at a path, written so that its name always leads to either all old bytes or all new ones (RULES.md SAV-1): they go to a temporary
 * file next to it, which is synced and renamed over it; then the folder is synced.
 *
 * @module
 */
import { PathError, SaveError, type Warning } from "../../errors.ts";
import { Cleanup } from "../disk/cleanup.ts";
import { type FileLock, takeLock } from "../disk/file_lock.ts";
import { makeFolders } from "../disk/make_folders.ts";
import { conflict, type PutOptions, type Unchanged } from "../folder.ts";
import { withRetries } from "../disk/with_retries.ts";
import { type PathCalls, pathCalls } from "../disk/path.ts";
import { type DiskFile, fileSystem, type Fs, hashing, hexOf, isWindows, systemCode } from "../platform.ts";
import { rename, renameError } from "../disk/rename.ts";
import { checkPortable, portableParts } from "../names/safe_name.ts";
import { addFailures, leftover, saveError } from "../disk/save_error.ts";
import { absolute, type OldFile, oldFile, takeTurn } from "../disk/save_target.ts";
import { syncFolder } from "../disk/sync_folder.ts";
import type { Sink } from "../sink.ts";
import { BufferPool } from "../streams/buffer_pool.ts";
import { createTemp } from "../disk/temp_file.ts";
import { tempName } from "../temp_name.ts";
import { within } from "../waiting/within.ts";
import { writeFully } from "../disk/write_fully.ts";
import { recoverFile, replaceFile } from "../disk/undo_journal.ts";

/** Files smaller than this, in bytes, are read back before they replace the old file, unless `verify` says otherwise. */
const VERIFY_BELOW = 64 * 2 ** 20;
/** Bytes read back at a time. */
const PIECE = 2 ** 20;
/** Milliseconds that an aborted save waits for the system to free its file. */
const MOMENT = 20;
/** Whether closing a file blocks everything else: Deno does it on its main thread. */
const CLOSES_AT_ONCE = "Deno" in globalThis;

/** A file being saved. */
export class FileSink implements Sink {
  /** A chunk is not read after its write. */
  readonly keepsChunks = false;
  /** Whether the folder entry has reached the disk; known after {@linkcode FileSink.close}. */
  durable = false;
  /** SHA-256 of the bytes in hex, if they were read back; known after {@linkcode FileSink.prepare}. */
  sha256?: string;
  /** Files that a successful save could not remove; known after {@linkcode FileSink.close}. */
  readonly warnings: Warning[] = [];
  readonly #fs: Fs;
  readonly #path: PathCalls;
  readonly #shown: string;
  readonly #target: string;
  readonly #temp: string;
  readonly #handle: DiskFile;
  readonly #options: PutOptions;
  readonly #cleanup: Cleanup;
  readonly #lock: FileLock | null;
  readonly #hash: ReturnType<typeof hashing> | null;
  /** A second link to the old file; null if there was no old file, undefined if no link was, or could be, made. */
  #old: string | null | undefined = undefined;
  #written = 0;
  /** Of the temporary file, once it is whole. */
  #ino: number | bigint = 0;
  /** Whether the folder was synced after a change in place. */
  #isSynced?: boolean;
  #open = true;
  #prepared = false;

  private constructor(parts: {
    fs: Fs;
    path: PathCalls;
    shown: string;
    target: string;
    temp: string;
    handle: DiskFile;
    options: PutOptions;
    cleanup: Cleanup;
    lock: FileLock | null;
  }) {
    this.#fs = parts.fs;
    this.#path = parts.path;
    this.#shown = parts.shown;
    this.#target = parts.target;
    this.#temp = parts.temp;
    this.#handle = parts.handle;
    const { ifUnchanged } = parts.options;
    this.#options = { ...parts.options, ifUnchanged: ifUnchanged && copyOf(ifUnchanged) };
    this.#cleanup = parts.cleanup;
    this.#lock = parts.lock;
    const { size, verify = size !== undefined && size < VERIFY_BELOW } = parts.options;
    this.#hash = verify ? hashing() : null;
  }

  /**
   * Begin a save: wait for earlier saves of the same file, make missing folders and take the lock if the options say so, roll back an
   * interrupted change of the old file, and create the temporary file.
   *
   * @throws {SaveError} the folder cannot be written to; `committed` is `"no"`
   * @throws {PathError} `NOT_A_FILE`: the target is a folder, pipe or device
   */
  static async create(shown: string, options: PutOptions): Promise<FileSink> {
    const fs = fileSystem(shown), path = pathCalls();
    if (shown === "" || shown.endsWith("/") || shown.endsWith(path.sep)) {
      throw new PathError("NOT_A_FILE", `${JSON.stringify(shown)} must be folder/filename: the filename is empty`, {
        path: shown,
      });
    }
    if (options.portable) portableParts(path.basename(shown));
    // Node would create a file that no other program can open, or a stream beside a file's bytes.
    else if (isWindows()) checkPortable(path.basename(shown), shown, "rename the file");
    const cleanup = new Cleanup();
    try {
      // The working directory may change while earlier saves are waited for.
      const whole = absolute(path, shown, shown);
      const { target, leave } = await takeTurn(fs, path, whole, { shown, signal: options.signal });
      cleanup.push(leave);
      const before = await oldFile(fs, path, whole, shown);
      if (options.mkdir) {
        for (const undo of await makeFolders(fs, path, path.dirname(target), shown)) {
          cleanup.push(undo, undefined, { onlyOnFailure: true });
        }
      }
      const lock = options.lock ? await takeLock(fs, target, shown) : null;
      if (lock) cleanup.push(() => lock.release(), lock.name);
      // Roll back an interrupted in-place change: its journal must not be applied to the new file.
      if (before) await recoverFile(target, (path) => fs.existsSync(path), { by: "saver", signal: options.signal });
      const { temp, handle } = await createTemp(fs, path, target, before?.mode ?? 0o666).catch((error) => {
        throw saveError("WRITE_FAILED", shown, "before anything was written", error);
      });
      cleanup.push(() => fs.promises.rm(temp, { force: true }), temp);
      if (before) await takeOver(handle, before);
      return new FileSink({ fs, path, shown, target, temp, handle, options, cleanup, lock });
    } catch (error) {
      await cleanup.run(error);
      throw error;
    }
  }

  /** The path, as the caller gave it. */
  get path(): string {
    return this.#shown;
  }

  /** The folder that the file will be in. */
  get folder(): string {
    return this.#path.dirname(this.#target);
  }

  /** Write all of the chunk, even if the system takes less of it at a time. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#lock?.touch();
    try {
      const writing = writeFully(this.#handle, chunk, this.#written);
      // Hash while the system writes.
      this.#hash?.update(chunk);
      await writing;
    } catch (error) {
      throw saveError("WRITE_FAILED", this.#shown, `after ${this.#written} bytes`, error);
    }
    this.#written += chunk.length;
  }

  /** Sync all bytes to the disk and verify them, so that {@linkcode FileSink.close} only has to rename the file. */
  async prepare(spare: BufferPool = new BufferPool()): Promise<void> {
    if (this.#prepared) return;
    this.#lock?.touch();
    await this.#sync();
    await this.#shut();
    if (this.#hash) await this.#readBack(this.#hash, spare);
    this.#prepared = true;
  }

  /** Replace the old file with the new one, durably. */
  async close(): Promise<void> {
    await this.prepare();
    this.#options.signal?.throwIfAborted();
    await this.takePlace();
    // Never retried, like the sync of the file.
    this.durable = this.#isSynced ?? await this.syncFolder();
    const error = this.durable || !this.#options.requireDurable ? null : new SaveError(
      "SYNC_FAILED",
      `The folder of ${JSON.stringify(this.#shown)} could not be synced; the new file is in place.`,
      { path: this.#shown, committed: "yes" },
    );
    this.warnings.push(...await this.settle(error));
    if (error) throw error;
  }

  /**
   * {@linkcode FileSink.close} without syncing the folder, which the caller does once for many files, and whatever the signal says, as some
   * of them may be in place already. Then the caller {@linkcode FileSink.settle}s, or {@linkcode FileSink.abort}s after
   * {@linkcode FileSink.takeBack}.
   */
  async takePlace(): Promise<void> {
    await this.prepare();
    const { ifUnchanged } = this.#options;
    if (ifUnchanged) await this.#compare(ifUnchanged);
    await this.#rename();
  }

  /** Keep a second link to the old file until {@linkcode FileSink.settle}, so that the replacement can be undone. */
  async keepOld(): Promise<void> {
    const name = this.#path.join(this.folder, tempName(this.#path.basename(this.#target)));
    // The link may exist although its creation was reported as failed.
    this.#cleanup.push(() => this.#fs.promises.rm(name, { force: true }), name);
    try {
      await this.#fs.promises.link(this.#target, name);
      this.#old = name;
    } catch (error) {
      if (systemCode(error) !== "ENOENT") return;
      this.#old = null;
      this.#cleanup.forget(name);
    }
  }

  /** After {@linkcode FileSink.takePlace}: whether the name still leads to the new file, as far as the system tells. */
  async isInPlace(): Promise<boolean> {
    const now = await this.#fs.promises.lstat(this.#target).catch(systemCode);
    if (typeof now !== "object") return now !== "ENOENT";
    return !this.#ino || BigInt(now.ino) === BigInt(this.#ino);
  }

  /**
   * Put the old file back, if {@linkcode FileSink.keepOld} was able to keep it; whether that worked. If it fails, the link to the old file
   * stays, and `error` names it: there is no other copy.
   */
  async takeBack(error: unknown): Promise<boolean> {
    const old = this.#old;
    if (old === undefined) return false;
    if (old !== null) this.#cleanup.forget(old);
    try {
      if (old === null) await withRetries(() => this.#fs.promises.rm(this.#target, { force: true }));
      else await withRetries(() => rename(this.#fs, old, this.#target));
      return true;
    } catch (failure) {
      addFailures(error, [failure], [old ?? this.#target]);
      return false;
    }
  }

  /** Make the replacement final. Returns warnings about files that cannot be removed. */
  async settle(error?: SaveError | null): Promise<Warning[]> {
    this.#cleanup.commit();
    return (await this.#cleanup.run(error)).map((name) => leftover(this.#shown, name));
  }

  /** Remove only the temporary file: {@linkcode FileSink.abort} does the rest. */
  async discard(): Promise<void> {
    await this.#giveUp();
    await withRetries(() => this.#fs.promises.rm(this.#temp, { force: true })).catch(() => {});
  }

  /** Remove the temporary file; the old file was never touched, or taken back. What cannot be removed is reported with `error`. */
  async abort(error?: unknown): Promise<void> {
    await this.#giveUp();
    await this.#cleanup.run(error);
  }

  /**
   * Close the temporary file. After an abort its name is removed, too: the system frees the bytes, maybe many GB, with the second of these
   * two steps, which may also have to wait for a sync under way, and so is not waited for.
   */
  async #giveUp(): Promise<void> {
    const shut = () => this.#shut().catch(() => {});
    if (!this.#open || !this.#options.signal?.aborted) return await shut();
    const remove = () => this.#fs.promises.rm(this.#temp, { force: true }).catch(() => {});
    const [first, second] = CLOSES_AT_ONCE ? [shut, remove] : [remove, shut];
    await first();
    const freeing = second();
    await within(freeing, MOMENT).catch(() => {});
    if (this.#fs.existsSync(this.#temp)) await freeing;
    else this.#cleanup.forget(this.#temp);
  }

  async #sync(): Promise<void> {
    try {
      // Never retried: after a failed sync the system may have dropped the dirty pages, and a second sync would succeed without them.
      await within(this.#handle.sync(), Infinity, this.#options.signal);
      const { size, ino } = await this.#handle.stat();
      this.#ino = ino;
      if (size !== (this.#options.size ?? this.#written)) {
        const expected = this.#options.size ?? this.#written;
        throw saveError(
          "WRITE_FAILED",
          this.#shown,
          `the temporary file has ${size} bytes, not ${expected}`,
          undefined,
        );
      }
    } catch (error) {
      if (this.#options.signal?.aborted) throw this.#options.signal.reason;
      throw error instanceof SaveError ? error : saveError("SYNC_FAILED", this.#shown, "while syncing it", error);
    }
  }

  async #shut(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      await this.#handle.close();
    } catch (error) {
      throw saveError("WRITE_FAILED", this.#shown, "while closing it", error);
    }
  }

  /** Compare the content of the temporary file with what was written to it. */
  async #readBack(written: ReturnType<typeof hashing>, spare: BufferPool): Promise<void> {
    const read = hashing();
    let length = 0;
    try {
      const handle = await this.#fs.promises.open(this.#temp, "r");
      try {
        const buffer = spare.take(Math.min(PIECE, this.#written + 1));
        for (let n; (n = (await handle.read(buffer, 0, buffer.length, length)).bytesRead) > 0; length += n) {
          this.#options.signal?.throwIfAborted();
          read.update(buffer.subarray(0, n));
        }
        spare.give(buffer);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (this.#options.signal?.aborted) throw this.#options.signal.reason;
      throw saveError("WRITE_FAILED", this.#shown, "while reading it back", error);
    }
    const expected = hexOf(written.digest()), actual = hexOf(read.digest());
    if (actual !== expected) {
      throw new SaveError(
        "WRITE_FAILED",
        `The temporary file of ${
          JSON.stringify(this.#shown)
        } does not hold what was written to it, or the value changed meanwhile. An existing file is unchanged.`,
        { path: this.#shown, committed: "no", expected, actual },
      );
    }
    this.sha256 = actual;
  }

  async #compare(wish: Unchanged): Promise<void> {
    const now = await this.#fs.promises.stat(this.#target).catch((error) => {
      if (systemCode(error) === "ENOENT") return null;
      throw saveError("WRITE_FAILED", this.#shown, "while comparing it with what it was", error);
    });
    if (!isSame(now, wish)) throw conflict(this.#shown);
  }

  /** The commit point: from here on, the name leads to the new bytes. */
  async #rename(): Promise<void> {
    const { preserve, signal } = this.#options;
    if (preserve === "inode" && await oldFile(this.#fs, this.#path, this.#target, this.#shown)) {
      this.#isSynced = await replaceFile(this.#fs, this.#target, this.#temp, signal);
      return;
    }
    try {
      await rename(this.#fs, this.#temp, this.#target, this.#ino);
    } catch (error) {
      throw renameError(this.#shown, "while moving the new file into place", error);
    }
    this.#cleanup.forget(this.#temp);
  }

  /** Sync the folder, that is, its names, to the disk; whether that worked. */
  async syncFolder(): Promise<boolean> {
    return await syncFolder(this.#fs, this.folder);
  }
}

/** The caller may change the object while the file is written. */
function copyOf(wish: Unchanged): Unchanged {
  return "version" in wish ? { version: wish.version } : { size: wish.size, mtimeMs: wish.mtimeMs, ino: wish.ino };
}

/** Whether the file has not changed. Runtimes report its mtime in milliseconds or finer. */
function isSame(now: { size: number; mtimeMs: number; ino: number | bigint } | null, wish: Unchanged): boolean {
  if (!("version" in wish)) {
    return now !== null && now.size === wish.size && Math.abs(now.mtimeMs - wish.mtimeMs) < 1 &&
      (wish.ino === undefined || Number(now.ino) === Number(wish.ino));
  }
  if (wish.version === null || now === null) return wish.version === now;
  const written = /^mtime:([0-9]{1,20})$/.exec(wish.version);
  return written !== null && Math.abs(now.mtimeMs - Number(written[1]) / 1e6) < 1;
}

/** Give the new file the old one's mode and, if allowed, its owner. */
async function takeOver(handle: DiskFile, { mode, uid, gid }: OldFile): Promise<void> {
  const now = await handle.stat().catch(() => null);
  if (now && (now.uid !== uid || now.gid !== gid)) await handle.chown(uid, gid).catch(() => {});
  // The process's umask must not apply to an existing mode, and changing the owner clears some of its bits.
  await handle.chmod(mode).catch(() => {});
}
