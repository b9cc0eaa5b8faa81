/**
 * What a failed step of a save by path becomes.
 *
 * @module
 */
import { type SaveCode, SaveError } from "../errors.ts";
import { systemCode } from "./platform.ts";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const CLOSED = new Set(["EROFS", "EACCES", "EPERM"]);

/** A SaveError before the commit: `code`, unless the system's own code says more. */
export function saveError(code: SaveCode, shown: string, where: string, cause: unknown): SaveError {
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
    { path: shown, committed: "no", cause },
  );
}
