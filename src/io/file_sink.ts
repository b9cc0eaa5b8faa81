/**
 * A file by path, written so that its name always leads to the whole old bytes or the whole new ones (hardening 7.2): a temporary file
 * beside it, synced, then renamed over it, then the folder synced.
 *
 * @module
 */
import { PathError, type SaveCode, SaveError } from "../errors.ts";
import { fileSystem, type Fs, type Path, pathModule, systemCode } from "./platform.ts";
import type { Sink } from "./sink.ts";

/** How a file is saved. */
export interface FileSinkOptions {
  /** Create missing folders. @default {false} */
  mkdir?: boolean;
  /** Save only if the target is still this: bytes, and milliseconds. */
  ifUnchanged?: { size: number; mtimeMs: number };
  /** Keep other processes out by `<name>.lock`. @default {false} */
  lock?: boolean;
  /** Throw where the folder cannot be synced. @default {false} */
  requireDurable?: boolean;
  /** Bytes that will come, where that is known: the temporary file must have them. */
  size?: number;
  /** Looked at before the new file takes the old one's place. */
  signal?: AbortSignal;
}

type Handle = Awaited<ReturnType<Fs["promises"]["open"]>>;

/** Ends of temporary names. */
const TEMP = ".pdtmp";
/** A lock file older than this belongs to a process that died. Milliseconds. */
const STALE_LOCK = 10 * 60_000;
const TRIES = 3;

/** Saves to one path wait for each other, in the order of the calls. */
const queues = new Map<string, Promise<void>>();

/** A file being saved. */
export class FileSink implements Sink {
  /** Whether the folder entry is on the disk; known after {@linkcode FileSink.close}. */
  durable = false;
  readonly #fs: Fs;
  readonly #path: Path;
  readonly #shown: string;
  readonly #target: string;
  readonly #temp: string;
  readonly #handle: Handle;
  readonly #options: FileSinkOptions;
  readonly #cleanup: Cleanup;
  #written = 0;
  #open = true;

  private constructor(parts: {
    fs: Fs;
    path: Path;
    shown: string;
    target: string;
    temp: string;
    handle: Handle;
    options: FileSinkOptions;
    cleanup: Cleanup;
  }) {
    this.#fs = parts.fs;
    this.#path = parts.path;
    this.#shown = parts.shown;
    this.#target = parts.target;
    this.#temp = parts.temp;
    this.#handle = parts.handle;
    this.#options = parts.options;
    this.#cleanup = parts.cleanup;
  }

  /**
   * Begin a save: wait for earlier saves of the same file, then make the temporary one. Nothing else is touched.
   *
   * @throws {SaveError} the folder cannot be written; `committed` is `"no"`
   * @throws {PathError} `NOT_A_FILE`: the target is a folder, pipe or device
   */
  static async create(shown: string, options: FileSinkOptions): Promise<FileSink> {
    const fs = fileSystem(shown), path = pathModule();
    if (shown === "" || shown.endsWith("/") || shown.endsWith(path.sep)) {
      throw new PathError("NOT_A_FILE", `${JSON.stringify(shown)} must be folder/filename: the filename is empty`, {
        path: shown,
      });
    }
    const cleanup = new Cleanup();
    // Before anything is waited for, so that saves of one name come in the order of their calls.
    const name = path.resolve(shown);
    const entered = enter(name);
    try {
      cleanup.push(await entered);
      const target = await resolveTarget(fs, path, shown);
      const folder = path.dirname(target);
      if (options.mkdir) await makeFolders(fs, path, folder, shown, cleanup);
      if (target !== name) cleanup.push(await enter(target));
      const mode = await modeOf(fs, target, shown);
      if (options.lock) await takeLock(fs, target, shown, cleanup);
      const { temp, handle } = await createTemp(fs, path, target, mode, shown);
      cleanup.push(() => fs.promises.rm(temp, { force: true }), temp);
      return new FileSink({ fs, path, shown, target, temp, handle, options, cleanup });
    } catch (error) {
      await cleanup.run();
      throw error;
    }
  }

  /** Write a chunk whole: the system may take less of it at a time. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      let n: number;
      try {
        n = (await this.#handle.write(chunk, done, chunk.length - done, this.#written)).bytesWritten;
      } catch (error) {
        throw saveError("WRITE_FAILED", this.#shown, `after ${this.#written} bytes`, error);
      }
      if (n <= 0) throw saveError("WRITE_FAILED", this.#shown, `no byte was taken after ${this.#written}`, undefined);
      done += n;
      this.#written += n;
    }
  }

  /** Sync, check, rename: the new file takes the old one's place. */
  async close(): Promise<void> {
    await this.#sync();
    await this.#shut();
    const { ifUnchanged, signal } = this.#options;
    signal?.throwIfAborted();
    if (ifUnchanged) await this.#compare(ifUnchanged);
    try {
      await this.#fs.promises.rename(this.#temp, this.#target);
    } catch (error) {
      throw saveError("RENAME_FAILED", this.#shown, "when the new file was to take its place", error);
    }
    // From here on the save has happened.
    this.#cleanup.forget(this.#temp);
    this.#cleanup.commit();
    this.durable = await this.#syncFolder();
    await this.#cleanup.run();
    if (!this.durable && this.#options.requireDurable) {
      throw new SaveError(
        "SYNC_FAILED",
        `The folder of ${JSON.stringify(this.#shown)} could not be synced; the new file is in its place.`,
        {
          path: this.#shown,
          committed: "yes",
        },
      );
    }
  }

  /** Remove the temporary file; the old file was never touched. */
  async abort(): Promise<string[]> {
    await this.#shut().catch(() => {});
    return await this.#cleanup.run();
  }

  /** The written bytes, read back in pieces of at most `size`. */
  async *readBack(size: number): AsyncGenerator<Uint8Array> {
    const fs = this.#fs;
    const handle = await fs.promises.open(this.#temp, "r");
    try {
      const buffer = new Uint8Array(size);
      for (let at = 0;;) {
        const { bytesRead } = await handle.read(buffer, 0, size, at);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }

  async #sync(): Promise<void> {
    try {
      // Only once: after a failed sync the system may have dropped the pages, and a second one would succeed for nothing.
      await this.#handle.sync();
      const { size } = await this.#handle.stat();
      if (size !== (this.#options.size ?? this.#written)) {
        throw saveError(
          "WRITE_FAILED",
          this.#shown,
          `the temporary file has ${size} bytes, not ${this.#options.size ?? this.#written}`,
          undefined,
        );
      }
    } catch (error) {
      throw error instanceof SaveError
        ? error
        : saveError("SYNC_FAILED", this.#shown, "when its bytes were to go to the disk", error);
    }
  }

  async #shut(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      await this.#handle.close();
    } catch (error) {
      throw saveError("WRITE_FAILED", this.#shown, "when it was closed", error);
    }
  }

  async #compare(expected: { size: number; mtimeMs: number }): Promise<void> {
    const now = await this.#fs.promises.stat(this.#target).catch(() => null);
    if (now && now.size === expected.size && Math.abs(now.mtimeMs - expected.mtimeMs) < 1) return;
    throw new SaveError(
      "CONFLICT",
      `${JSON.stringify(this.#shown)} was changed by somebody else; it was left as it is.`,
      {
        path: this.#shown,
        committed: "no",
      },
    );
  }

  async #syncFolder(): Promise<boolean> {
    try {
      const handle = await this.#fs.promises.open(this.#path.dirname(this.#target), "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
      return true;
    } catch {
      // Some systems cannot sync a folder: the caller is told by `durable`.
      return false;
    }
  }
}

/** What has to be undone, last first. */
class Cleanup {
  #steps: { undo: () => unknown; name?: string; onlyOnFailure: boolean }[] = [];

  push(undo: () => unknown, name?: string, onlyOnFailure = false): void {
    this.#steps.push({ undo, name, onlyOnFailure });
  }

  forget(name: string): void {
    this.#steps = this.#steps.filter((step) => step.name !== name);
  }

  commit(): void {
    this.#steps = this.#steps.filter((step) => !step.onlyOnFailure);
  }

  /** Undo everything; names of temporary files that could not be removed. */
  async run(): Promise<string[]> {
    const leftovers: string[] = [];
    for (const { undo, name } of this.#steps.splice(0).reverse()) {
      try {
        await undo();
      } catch {
        if (name) leftovers.push(name);
      }
    }
    return leftovers;
  }
}

/** The file behind links, so that a link stays a link; the path itself where there is nothing yet. */
async function resolveTarget(fs: Fs, path: Path, shown: string): Promise<string> {
  try {
    return await fs.promises.realpath(shown);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw saveError("WRITE_FAILED", shown, "when it was looked up", error);
  }
  // A link that leads nowhere: its target is what is made.
  const link = await fs.promises.readlink(shown).catch(() => null);
  if (link !== null) return path.resolve(path.dirname(shown), link);
  const folder = await fs.promises.realpath(path.dirname(path.resolve(shown))).catch(() =>
    path.dirname(path.resolve(shown))
  );
  return path.join(folder, path.basename(shown));
}

async function makeFolders(fs: Fs, path: Path, folder: string, shown: string, cleanup: Cleanup): Promise<void> {
  let first: string | undefined;
  try {
    first = await fs.promises.mkdir(folder, { recursive: true });
  } catch (error) {
    throw saveError("WRITE_FAILED", shown, "when its folder was to be made", error);
  }
  if (first === undefined) return;
  // Folders made for a save that fails are taken away again, as long as they are empty.
  for (let made = path.resolve(first), inner = folder; inner.length >= made.length; inner = path.dirname(inner)) {
    cleanup.push(() => fs.promises.rmdir(inner), undefined, true);
    if (inner === made) break;
  }
}

/** Wait for earlier saves of the same file; what is returned lets the next one in. */
async function enter(target: string): Promise<() => void> {
  const before = queues.get(target);
  let leave = () => {};
  const mine = new Promise<void>((resolve) => leave = resolve);
  queues.set(target, mine);
  await before;
  return () => {
    if (queues.get(target) === mine) queues.delete(target);
    leave();
  };
}

/** The old file's mode; undefined where there is none. */
async function modeOf(fs: Fs, target: string, shown: string): Promise<number | undefined> {
  let stat: Awaited<ReturnType<Fs["promises"]["stat"]>>;
  try {
    stat = await fs.promises.stat(target);
  } catch {
    return undefined;
  }
  if (!stat.isFile()) throw new PathError("NOT_A_FILE", `${JSON.stringify(shown)} is no regular file`, { path: shown });
  return stat.mode & 0o7777;
}

async function takeLock(fs: Fs, target: string, shown: string, cleanup: Cleanup): Promise<void> {
  const name = target + ".lock";
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await fs.promises.open(name, "wx");
      await handle.close();
      cleanup.push(() => fs.promises.rm(name, { force: true }), name);
      return;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw saveError("WRITE_FAILED", shown, "when its lock was to be made", error);
      const stat = await fs.promises.stat(name).catch(() => null);
      if (stat && Date.now() - stat.mtimeMs < STALE_LOCK) break;
      await fs.promises.rm(name, { force: true });
    }
  }
  throw new SaveError(
    "CONFLICT",
    `${JSON.stringify(shown)} is being saved by another process (${JSON.stringify(name)}).`,
    {
      path: shown,
      committed: "no",
    },
  );
}

async function createTemp(
  fs: Fs,
  path: Path,
  target: string,
  mode: number | undefined,
  shown: string,
): Promise<{ temp: string; handle: Handle }> {
  for (let attempt = 0;; attempt++) {
    const temp = path.join(path.dirname(target), tempName(path.basename(target)));
    try {
      const handle = await fs.promises.open(temp, "wx", mode ?? 0o666);
      // The mask of the process does not apply to a mode that was there before.
      if (mode !== undefined) await handle.chmod(mode).catch(() => {});
      return { temp, handle };
    } catch (error) {
      if (systemCode(error) !== "EEXIST" || attempt + 1 === TRIES) {
        throw saveError("WRITE_FAILED", shown, "before anything was written", error);
      }
    }
  }
}

/** An unguessable name for what will be `base` when it is whole. */
export function tempName(base: string): string {
  return `.${shortName(base)}.${randomHex()}${TEMP}`;
}

/** At most 64 bytes of a name. */
function shortName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  return bytes.length <= 64 ? name : new TextDecoder().decode(bytes.subarray(0, 60)).replaceAll("\ufffd", "");
}

function randomHex(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
}

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const CLOSED = new Set(["EROFS", "EACCES", "EPERM"]);

function saveError(code: SaveCode, shown: string, where: string, cause: unknown): SaveError {
  const system = systemCode(cause);
  const real = system && FULL.has(system) ? "DISK_FULL" : system && CLOSED.has(system) ? "READ_ONLY" : code;
  const what = real === "DISK_FULL"
    ? "Disk full while writing"
    : real === "READ_ONLY"
    ? "Not allowed to write"
    : "Cannot write";
  return new SaveError(
    real,
    `${what} ${JSON.stringify(shown)} (${system ? system + " " : ""}${where}). An existing file is unchanged.`,
    {
      path: shown,
      committed: "no",
      cause,
    },
  );
}

/**
 * Remove temporary files that killed saves left in a folder: only names of our own pattern, and only old ones.
 *
 * @returns the names removed
 */
export async function cleanupTemps(
  folder: string,
  { olderThan = 3_600_000 }: { olderThan?: number } = {},
): Promise<string[]> {
  const fs = fileSystem(folder), path = pathModule();
  const removed: string[] = [];
  for (const name of await fs.promises.readdir(folder)) {
    if (!isTemp(name)) continue;
    const stat = await fs.promises.lstat(path.join(folder, name)).catch(() => null);
    if (!stat?.isFile() || Date.now() - stat.mtimeMs < olderThan) continue;
    await fs.promises.rm(path.join(folder, name), { force: true });
    removed.push(name);
  }
  return removed;
}

/** Whether a name is one of our temporary ones: `.name.0123456789abcdef.pdtmp`. */
export function isTemp(name: string): boolean {
  if (!name.startsWith(".") || !name.endsWith(TEMP)) return false;
  const hex = name.slice(-TEMP.length - 16, -TEMP.length);
  return hex.length === 16 && [...hex].every((c) => "0123456789abcdef".includes(c)) &&
    name[name.length - TEMP.length - 17] === ".";
}
