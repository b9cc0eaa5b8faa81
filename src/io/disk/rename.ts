/**
 * Renaming over a file that others may have open.
 *
 * @module
 */
import { SaveError } from "../../errors.ts";
import { closeIdleHandles } from "./open_handles.ts";
import { type Fs, isWindows, systemCode } from "../platform.ts";
import { saveError } from "./save_error.ts";
import { sleep } from "../waiting/within.ts";

/** What Windows reports for a file that is open: here, or for a moment in another process, such as a virus scanner. */
const BUSY: ReadonlySet<string | undefined> = new Set(["EPERM", "EACCES", "EBUSY"]);
/** Milliseconds to keep trying on Windows. */
const PATIENCE = 2000;

/**
 * Rename `from`, whose inode is `ino`, to `to`; on Windows close what this process has open, and retry while another one is in the way
 * (RULES.md SAV-1). A network file system may report a failure although the rename took place, because the answer to a first request was
 * lost: the inode then tells.
 */
export async function rename(
  fs: Fs,
  from: string,
  to: string,
  ino?: number | bigint,
  insists = isWindows(),
): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (let wait = 10;; wait = Math.min(2 * wait, 200)) {
    try {
      return await fs.promises.rename(from, to);
    } catch (error) {
      if (ino && await isDone(fs, from, to, ino)) return;
      if (!insists || !BUSY.has(systemCode(error)) || performance.now() + wait > end) throw error;
      closeIdleHandles();
    }
    await sleep(wait);
  }
}

/** The error of a save for which {@linkcode rename} failed. On Windows, what looks like a lack of permission mostly is an open file. */
export function renameError(shown: string, where: string, cause: unknown, insists = isWindows()): SaveError {
  const system = systemCode(cause);
  if (!insists || !BUSY.has(system)) return saveError("RENAME_FAILED", shown, where, cause);
  const message = `Cannot write ${JSON.stringify(shown)} (${system} ${where}): another program may have it open`;
  return new SaveError("RENAME_FAILED", `${message}. An existing file is unchanged.`, {
    path: shown,
    committed: "no",
    cause,
  });
}

async function isDone(fs: Fs, from: string, to: string, ino: number | bigint): Promise<boolean> {
  const [source, target] = await Promise.all([from, to].map((name) => fs.promises.lstat(name).catch(systemCode)));
  return source === "ENOENT" && typeof target === "object" && BigInt(target.ino) === BigInt(ino);
}
