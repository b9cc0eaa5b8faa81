/**
 * Files that are open for reading, and can be closed between two reads.
 *
 * @module
 */

/** For each open file, least recently read first, what closes its handle until the next read; returns false while it is being read. */
export const openHandles: Set<() => boolean> = new Set();

/** Close all handles that are not being read. */
export function closeIdleHandles(): void {
  for (const close of openHandles) close();
}
