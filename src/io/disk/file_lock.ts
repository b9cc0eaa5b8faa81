/**
 * `<name>.lock`: keeps other processes that use the lock out of a save, like git's files of that name.
 *
 * @module
 */
import { SaveError } from "../../errors.ts";
import { type DiskFile, type Fs, processId, systemCode } from "../platform.ts";
import { addFailures, saveError } from "./save_error.ts";
import { withRetries } from "./with_retries.ts";

/** A lock that was not touched for so long belongs to a process that died. Milliseconds. */
const STALE = 10 * 60_000;
/** Minimum milliseconds between two touches of a lock. */
const TOUCH = 60_000;

/** A lock that is held. */
export interface FileLock {
  /** The path of the lock file. */
  readonly name: string;
  /** Signal that the owner is alive: called now and then during a long save. */
  touch(): void;
  /** Release the lock. */
  release(): Promise<void>;
}

/**
 * Take the lock of `target`. The lock file contains the owner's process id and the time.
 *
 * @throws {SaveError} `CONFLICT`: another process holds it
 */
export async function takeLock(fs: Fs, target: string, shown: string): Promise<FileLock> {
  const name = target + ".lock";
  const owner = `${processId()} ${new Date().toISOString()} ${crypto.randomUUID()}\n`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const lock = await fs.promises.open(name, "wx");
      await fill(fs, name, lock, owner, shown);
      return held(fs, name, owner);
    } catch (error) {
      if (error instanceof SaveError) throw error;
      if (systemCode(error) !== "EEXIST") throw notMade(shown, error);
      if (!await removeStale(fs, name).catch((cause) => Promise.reject(notMade(shown, cause)))) break;
    }
  }
  throw new SaveError(
    "CONFLICT",
    `${JSON.stringify(shown)} is being saved by another process (${JSON.stringify(name)}).`,
    { path: shown, committed: "no" },
  );
}

/** Write the owner into a new lock. A lock without its owner would keep others out until it is stale, so it is removed. */
async function fill(fs: Fs, name: string, lock: DiskFile, owner: string, shown: string): Promise<void> {
  try {
    try {
      await lock.writeFile(owner);
    } finally {
      await lock.close();
    }
  } catch (cause) {
    const error = notMade(shown, cause);
    await withRetries(() => fs.promises.rm(name, { force: true }))
      .catch((failure) => addFailures(error, [failure], [name]));
    throw error;
  }
}

function notMade(shown: string, cause: unknown): SaveError {
  return saveError("WRITE_FAILED", shown, "while creating its lock", cause);
}

function held(fs: Fs, name: string, owner: string): FileLock {
  let touched = Date.now();
  return {
    name,
    touch() {
      if (Date.now() - touched < TOUCH) return;
      touched = Date.now();
      const now = new Date();
      fs.promises.utimes(name, now, now).catch(() => {});
    },
    async release() {
      // An owner that was taken for dead must not release the lock of its successor.
      const now = await fs.promises.readFile(name, "utf8").catch((error) => {
        if (systemCode(error) !== "ENOENT") throw error;
      });
      if (now === owner) await fs.promises.rm(name, { force: true });
    },
  };
}

/**
 * Remove a lock that was not touched for long; returns whether there is none now. Of several processes that find the same old lock, the
 * one that creates a file named after the time of its last touch may remove it: once that is done, no other does.
 */
async function removeStale(fs: Fs, name: string): Promise<boolean> {
  const touched = await touchedAt(fs, name);
  // It was released meanwhile: another process may have taken it by now, whose lock must not be moved even for a moment.
  if (touched === null) return true;
  if (!isStale(touched)) return false;
  const claim = `${name}.${Math.round(touched)}`;
  try {
    await (await fs.promises.open(claim, "wx")).close();
  } catch {
    const claimed = await touchedAt(fs, claim);
    // Its owner died, too.
    if (claimed !== null && isStale(claimed)) await fs.promises.rm(claim, { force: true });
    return false;
  }
  try {
    const now = await touchedAt(fs, name);
    if (now === touched) await fs.promises.rm(name, { force: true });
    return now === null || now === touched;
  } finally {
    await fs.promises.rm(claim, { force: true });
  }
}

/** When a lock was last touched, in milliseconds since 1970; null if there is none. */
async function touchedAt(fs: Fs, name: string): Promise<number | null> {
  return (await fs.promises.stat(name).catch(() => null))?.mtimeMs ?? null;
}

function isStale(touched: number): boolean {
  return Date.now() - touched >= STALE;
}
