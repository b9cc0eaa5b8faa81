/**
 * Checks that files with given names can coexist.
 *
 * @module
 */
import { PathError, quote } from "../../errors.ts";
import { isTemp } from "../temp_name.ts";
import { foldedName } from "./folded_name.ts";
import { portableParts, safeParts } from "./safe_name.ts";

/**
 * Check that files with these names can coexist, here and on other systems (RULES.md PATH-2 and PATH-4),
 * before the first one is created.
 *
 * @throws {PathError} `UNSAFE_PATH`, `NAME_TOO_LONG`, `NAME_COLLISION`: two names are the same on some file systems, or a file
 *   and a folder would share a name
 */
export function checkFileNames(names: readonly string[], { portable = true }: { portable?: boolean } = {}): void {
  const seen = new Map<string, string>(), folders = new Map<string, string>();
  for (const name of names) {
    const parts = portable ? portableParts(name, "{ portable: false } allows it") : safeParts(name);
    if (parts.some(isTemp)) {
      const rule = "temporary files of saves have such names, and readers skip them";
      throw new PathError("UNSAFE_PATH", `The name ${quote(name)} cannot be used: ${rule}`, { path: name });
    }
    const folded = foldedName(name);
    const other = seen.get(folded) ?? folders.get(folded);
    if (other !== undefined) throw collision(name, other);
    seen.set(folded, name);
    for (let slash = folded.lastIndexOf("/"); slash > 0; slash = folded.lastIndexOf("/", slash - 1)) {
      const above = folded.slice(0, slash);
      if (seen.has(above)) throw collision(name, seen.get(above)!);
      folders.set(above, name);
    }
  }
}

function collision(name: string, other: string): PathError {
  return new PathError("NAME_COLLISION", `Files ${quote(name)} and ${quote(other)} cannot exist side by side`, {
    names: [other, name],
  });
}
