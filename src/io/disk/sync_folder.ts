/**
 * Makes the names in a folder durable.
 *
 * @module
 */
import type { Fs } from "../platform.ts";

/** Sync a folder, that is, its names, to the disk; whether that worked: some systems cannot sync a folder. */
export async function syncFolder(fs: Fs, folder: string): Promise<boolean> {
  try {
    const handle = await fs.promises.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  } catch {
    return false;
  }
}
