/**
 * Errors for failed steps of a save to a path.
 *
 * @module
 */
import { quote, type SaveCode, SaveError, type Warning } from "../../errors.ts";
import { systemCode } from "../platform.ts";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const CLOSED = new Set(["EROFS", "EACCES", "EPERM"]);

/** What the system's error means for a save: no room, no permission, or `otherwise`. */
export function saveCodeOf(cause: unknown, otherwise: SaveCode): SaveCode {
  const system = systemCode(cause) ?? "";
  return FULL.has(system) ? "DISK_FULL" : CLOSED.has(system) ? "READ_ONLY" : otherwise;
}

/** A SaveError for a failure before the commit: `code`, unless the system's own code is more specific. */
export function saveError(code: SaveCode, shown: string, where: string, cause: unknown): SaveError {
  const system = systemCode(cause), real = saveCodeOf(cause, code);
  const what = real === "DISK_FULL"
    ? "Disk full while writing"
    : real === "READ_ONLY"
    ? "No permission to write"
    : "Cannot write";
  return new SaveError(
    real,
    `${what} ${JSON.stringify(shown)} (${system ? system + " " : ""}${where}). An existing file is unchanged.`,
    { path: shown, committed: "no", cause },
  );
}

/** Add what failed during clean-up to the error of a failed save: the first failure keeps the message (RULES.md ERR-5). */
export function addFailures(error: unknown, failures: readonly unknown[], leftovers: readonly string[]): void {
  if (!(error instanceof SaveError) || failures.length + leftovers.length === 0) return;
  const all = error.cause === undefined ? failures : [error.cause, ...failures];
  const cause = new AggregateError(all, "The save failed, and so did cleaning up after it");
  Object.defineProperty(error, "cause", { value: cause, configurable: true, writable: true });
  if (leftovers.length === 0) return;
  const value = [...error.leftovers ?? [], ...leftovers.filter((name) => !error.leftovers?.includes(name))];
  Object.defineProperty(error, "leftovers", { value, enumerable: true, configurable: true });
}

/** The warning that a save succeeded, but could not remove `name`. */
export function leftover(shown: string, name: string): Warning {
  return { code: "LEFTOVER", message: `${quote(shown)} is saved, but ${quote(name)} cannot be removed` };
}
