/**
 * Makes the names in a folder durable.
 *
 * @module
 */
import { type Fs, mayUse, systemCode } from "../platform.ts";

/** What a system reports that can sync folders, but could not sync this one. */
const LOST: ReadonlySet<string | undefined> = new Set([
  "EIO",
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "ESTALE",
  "EMFILE",
  "ENFILE",
]);

/** Sync a folder, that is, its names, to the disk; whether that worked: some systems cannot sync a folder. */
export async function syncFolder(fs: Fs, folder: string): Promise<boolean> {
  try {
    await sync(fs, folder);
    return true;
  } catch {
    return false;
  }
}

/** {@linkcode syncFolder}, if the next step relies on the names: fails with the system's error, unless the system cannot sync folders. */
export async function syncNames(fs: Fs, folder: string): Promise<void> {
  try {
    await sync(fs, folder);
  } catch (error) {
    if (LOST.has(systemCode(error))) throw error;
  }
}

async function sync(fs: Fs, folder: string): Promise<void> {
  if (!mayUse(folder, "read")) throw new Error("no permission");
  const handle = await fs.promises.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
