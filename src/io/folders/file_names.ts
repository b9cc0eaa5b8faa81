/**
 * Names of files that come to lie side by side.
 *
 * @module
 */
import { PathError, quote } from "../../errors.ts";
import { foldedName } from "./folded_name.ts";
import { portableParts, safeParts } from "./safe_name.ts";

/**
 * Whether files of these names can lie side by side, here and elsewhere (RULES.md PATH-2 and PATH-4): looked at before the first is made.
 *
 * @throws {PathError} `UNSAFE_PATH`, `NAME_TOO_LONG`, `NAME_COLLISION`: two names are one on some file systems, or a file and a folder would have one name
 */
export function checkFileNames(names: readonly string[], { portable = true }: { portable?: boolean } = {}): void {
  const seen = new Map<string, string>(), folders = new Map<string, string>();
  for (const name of names) {
    if (portable) portableParts(name, "{ portable: false } lets it pass");
    else safeParts(name);
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
  return new PathError("NAME_COLLISION", `Files ${quote(name)} and ${quote(other)} cannot lie side by side`, {
    names: [other, name],
  });
}
