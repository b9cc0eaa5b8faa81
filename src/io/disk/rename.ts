/**
 * Renaming over a file that others may have open.
 *
 * @module
 */
import { type Fs, isWindows, systemCode } from "../platform.ts";
import { sleep } from "../waiting/within.ts";

/** What Windows reports for a file that another process, such as a virus scanner, has open for a moment. */
const BUSY: ReadonlySet<string | undefined> = new Set(["EPERM", "EACCES", "EBUSY"]);
/** Milliseconds to keep trying on Windows. */
const PATIENCE = 2000;

/**
 * Rename `from`, whose inode is `ino`, to `to`; on Windows retry while another process is in the way (RULES.md SAV-1). A network file system
 * may report a failure although the rename took place, because the answer to a first request was lost: the inode then tells.
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
    }
    await sleep(wait);
  }
}

async function isDone(fs: Fs, from: string, to: string, ino: number | bigint): Promise<boolean> {
  const [source, target] = await Promise.all([from, to].map((name) => fs.promises.lstat(name).catch(systemCode)));
  return source === "ENOENT" && typeof target === "object" && BigInt(target.ino) === BigInt(ino);
}
