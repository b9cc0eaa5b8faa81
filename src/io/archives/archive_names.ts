/**
 * The names of an archive's members: each one identifies exactly one member.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { FormatError, PathError, quote } from "../../errors.ts";
import { Budget, type Limits } from "../../limits.ts";
import { foldedName } from "../names/folded_name.ts";
import { safeParts } from "../names/safe_name.ts";

/** How names are checked. */
export interface ArchiveNamesOptions {
  limits: Readonly<Limits>;
  /** Names are keys, not paths: any string is allowed, but only once (`.npz`). @default {false} */
  keys?: boolean;
}

/** Members by name, in the order in which they were found. */
export class ArchiveNames<T> {
  readonly files: Map<string, T> = new Map();
  readonly #folders = new Map<string, string>();
  /** Names by the form in which a case-insensitive file system compares them. */
  readonly #folded = new Map<string, string>();
  readonly #options: ArchiveNamesOptions;
  readonly #budget: Budget;
  #count = 0;

  constructor(options: ArchiveNamesOptions) {
    this.#options = options;
    this.#budget = new Budget(options.limits);
  }

  /** Count a member that begins at `offset`, before anything is allocated for it. */
  count(offset: number, nameBytes: number): void {
    this.#budget.check("maxEntries", ++this.#count, offset);
    this.#budget.check("maxNameBytes", nameBytes, offset);
    this.#budget.charge(256 + 2 * nameBytes, offset);
  }

  /** Add a file. Its path may begin with `./`, as `tar` writes it. */
  addFile(path: string, member: T, offset: number): void {
    const name = this.#options.keys ? path : path.replace(/^\.\//, "");
    if (this.#options.keys) {
      if (this.files.has(name)) {
        throw new FormatError("DUPLICATE_KEY", `The archive has ${quote(name)} twice`, { offset, at: name });
      }
    } else {
      const parts = safeParts(name, offset);
      this.#budget.check("maxFolderDepth", parts.length, offset);
      this.#addFolders(parts.slice(0, -1), offset);
      const twin = this.#folded.get(foldedName(name)) ?? this.#folders.get(foldedName(name));
      if (twin !== undefined) throw collision(name, twin, offset);
      this.#folded.set(foldedName(name), name);
    }
    this.files.set(name, member);
  }

  /** Add a folder, with or without a trailing slash. */
  addFolder(path: string, offset: number): void {
    const name = path.replace(/^\.\//, "").replace(/\/$/, "");
    if (name === "" || name === ".") return;
    const parts = safeParts(name, offset);
    this.#budget.check("maxFolderDepth", parts.length, offset);
    this.#addFolders(parts, offset);
  }

  /** Names of files that start with `prefix`, in code point order. */
  list(prefix: string): string[] {
    return [...this.files.keys()].filter((name) => name.startsWith(prefix)).sort(byCodePoint);
  }

  /** Whether there is a folder `name`. */
  hasFolder(name: string): boolean {
    return this.#folders.get(foldedName(name)) === name;
  }

  #addFolders(parts: readonly string[], offset: number): void {
    for (let n = parts.length; n > 0; n--) {
      const name = parts.slice(0, n).join("/"), key = foldedName(name);
      const known = this.#folders.get(key);
      if (known === name) return;
      const twin = known ?? this.#folded.get(key);
      if (twin !== undefined) throw collision(name, twin, offset);
      this.#budget.charge(256 + 2 * name.length, offset);
      this.#folders.set(key, name);
    }
  }
}

function collision(name: string, twin: string, offset: number): PathError {
  return new PathError(
    "NAME_COLLISION",
    `The archive has both ${quote(twin)} and ${quote(name)}, which are one name on some systems`,
    { offset, path: name, names: [twin, name] },
  );
}
