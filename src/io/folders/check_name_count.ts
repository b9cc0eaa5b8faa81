import { PathError } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";

/**
 * Check the number of files that were listed in a folder so far.
 *
 * @throws {PathError} `UNSAFE_PATH` if there are too many
 */
export function checkNameCount(count: number, path: string): void {
  if (count <= DEFAULT_LIMITS.maxEntries) return;
  throw new PathError("UNSAFE_PATH", `There are more than ${DEFAULT_LIMITS.maxEntries} files`, { path });
}
