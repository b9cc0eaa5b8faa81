/**
 * A rename over what others may look at.
 *
 * @module
 */
import { type Fs, isWindows, systemCode } from "../platform.ts";
import { sleep } from "../waiting/within.ts";

/** What Windows says of a file that somebody has open for a moment, such as a scanner of viruses. */
const BUSY: ReadonlySet<string | undefined> = new Set(["EPERM", "EACCES", "EBUSY"]);
/** So long it is tried there. Milliseconds. */
const PATIENCE = 2000;

/** Give what is called `from` the name `to`; on Windows again and again where somebody is in the way (RULES.md SAV-1). */
export async function rename(fs: Fs, from: string, to: string, insists = isWindows()): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (let wait = 10;; wait = Math.min(2 * wait, 200)) {
    try {
      return await fs.promises.rename(from, to);
    } catch (error) {
      if (!insists || !BUSY.has(systemCode(error)) || performance.now() + wait > end) throw error;
    }
    await sleep(wait);
  }
}
