/**
 * `<name>.lock`: other processes that ask for it stay out of a save, as with git's files of that name.
 *
 * @module
 */
import { SaveError } from "../../errors.ts";
import { type Fs, processId, systemCode } from "../platform.ts";
import { saveError } from "./save_error.ts";

/** A lock that nobody touched for so long belongs to a process that died. Milliseconds. */
const STALE = 10 * 60_000;
/** How often one that is held is touched. */
const TOUCH = 60_000;

/** A lock that is held. */
export interface FileLock {
  /** Where it lies. */
  readonly name: string;
  /** Say that its owner lives: called now and then during a long save. */
  touch(): void;
  /** Let others in. */
  release(): Promise<void>;
}

/**
 * Take the lock of `target`. It holds the owner's process and the time.
 *
 * @throws {SaveError} `CONFLICT`: another process has it
 */
export async function takeLock(fs: Fs, target: string, shown: string): Promise<FileLock> {
  const name = target + ".lock";
  const owner = `${processId()} ${new Date().toISOString()} ${crypto.randomUUID()}\n`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await fs.promises.writeFile(name, owner, { flag: "wx" });
      return held(fs, name, owner);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") {
        throw saveError("WRITE_FAILED", shown, "when its lock was to be made", error);
      }
      if (!await removeStale(fs, name)) break;
    }
  }
  throw new SaveError(
    "CONFLICT",
    `${JSON.stringify(shown)} is being saved by another process (${JSON.stringify(name)}).`,
    { path: shown, committed: "no" },
  );
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
      // Who was taken for dead must not let a third one in.
      const now = await fs.promises.readFile(name, "utf8").catch((error) => {
        if (systemCode(error) !== "ENOENT") throw error;
      });
      if (now === owner) await fs.promises.rm(name, { force: true });
    },
  };
}

/** Take a lock away that nobody touched for long; whether there is none now. */
async function removeStale(fs: Fs, name: string): Promise<boolean> {
  if (!await isStale(fs, name)) return false;
  // Another process may do the same and have a new lock by now: what is taken away is looked at first.
  const aside = `${name}.${crypto.randomUUID()}`;
  try {
    await fs.promises.rename(name, aside);
  } catch {
    return true;
  }
  const isOld = await isStale(fs, aside);
  if (!isOld) await fs.promises.link(aside, name).catch(() => {});
  await fs.promises.rm(aside, { force: true });
  return isOld;
}

async function isStale(fs: Fs, name: string): Promise<boolean> {
  const stat = await fs.promises.stat(name).catch(() => null);
  return stat === null || Date.now() - stat.mtimeMs >= STALE;
}
