/**
 * A directory of the file system as a Folder, on Deno, Bun and Node.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { isPaddleError, PathError, quote, SourceError } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import { directoryCalls, type DirectoryEntry } from "../disk/directory_calls.ts";
import { saveError } from "../disk/save_error.ts";
import { FileSink } from "../sinks/file_sink.ts";
import { accessError, FileSource } from "../sources/file_source.ts";
import type { Folder, GetOptions, PutOptions } from "../folder.ts";
import { pathCalls } from "../disk/path.ts";
import { resolvedDots } from "../disk/resolved_dots.ts";
import { isDirectory, isWindows, systemCode } from "../platform.ts";
import { portableParts, safeParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { checkNames } from "../../words/option_names.ts";
import { checkedPath } from "../url_text.ts";
import { isTemp } from "../temp_name.ts";
import { checkNameCount } from "./check_name_count.ts";

/** Maximum attempts to resolve a path while the directory changes. */
const LOOKS = 3;

/** How a DirectoryFolder behaves. */
export interface DirectoryFolderOptions {
  /**
   * Names come from the caller and not from a file: any name that the file system accepts is allowed, and links may lead out of the
   * directory, as in download caches. @default {false}
   */
  trusted?: boolean | undefined;
  /** Refuse to put names that are not valid on Windows. @default {true} */
  portable?: boolean | undefined;
}

/**
 * A directory of the file system. Names may contain `/`, but cannot lead out of the directory, not even through a link.
 *
 * @example Names from a request, which cannot lead out of the directory
 * ```ts
 * import { DirectoryFolder, open } from "@oarlock/paddle";
 * const folder = new DirectoryFolder("models");
 * async function names(requested: string) {
 *   const file = await open(requested, { folder });
 *   return file.names();
 * }
 * ```
 */
export class DirectoryFolder implements Folder {
  /** Path of the directory. */
  readonly path: string;
  readonly #trusted: boolean;
  readonly #portable: boolean;
  /** What links must not lead out of. */
  #root: string;

  /** The directory need not exist before a file is put there. */
  constructor(path: string | URL, options: DirectoryFolderOptions = {}) {
    checkNames(options, ["trusted", "portable"]);
    this.path = this.#root = resolvedDots(checkedPath(path));
    this.#trusted = options.trusted ?? false;
    this.#portable = options.portable ?? true;
  }

  /**
   * The file `name`.
   *
   * @throws {PathError} `UNSAFE_PATH`, `LINK_ESCAPE`: the name leads out of the directory; `NOT_A_FILE`
   * @throws {SourceError} `PERMISSION`, `READ_FAILED`
   */
  async get(name: string, { signal }: GetOptions = {}): Promise<Source | null> {
    const path = this.#join(name);
    await this.#stayInside(name, path);
    try {
      return await FileSource.open(path, { signal });
    } catch (error) {
      if (isPaddleError(error) && error.code === "NOT_FOUND") return null;
      throw error;
    }
  }

  /** A sink whose bytes become the file `name` when it is closed; missing folders are created. */
  async put(name: string, options: PutOptions = {}): Promise<Sink> {
    if (options.portable ?? (this.#portable && !this.#trusted)) portableParts(name);
    const path = this.#join(name);
    // A save follows a link to its target, which must lie inside, too; the target of a dangling link could be anywhere.
    try {
      await this.#stayInside(name, path);
      if (!this.#trusted && await isDangling(path)) throw this.#escape(name, path);
    } catch (error) {
      throw error instanceof SourceError ? saveError("WRITE_FAILED", path, "while looking it up", error.cause) : error;
    }
    return await FileSink.create(path, { mkdir: true, ...options, portable: false });
  }

  /**
   * Names of the files in all folders below that start with `prefix`, in code point order. Temporary files of saves are left out. What
   * {@linkcode DirectoryFolder.get} refuses is listed, too: files of any name, and each link that leads out of the directory as one file.
   */
  async list(prefix = ""): Promise<string[]> {
    const slash = prefix.lastIndexOf("/");
    const start = slash < 0 ? "" : prefix.slice(0, slash);
    if (start || this.#root !== this.path) await this.hasFolder(start);
    const names: string[] = [];
    await this.#walk(start, start ? this.#join(start) : this.path, prefix, names, []);
    return names.sort(byCodePoint);
  }

  /** Remove a file, if it exists. */
  async delete(name: string): Promise<void> {
    const path = this.#join(name);
    await this.#stayInside(name, pathCalls().dirname(path));
    try {
      await directoryCalls(path).remove(path);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw accessError("remove", path, error);
    }
  }

  /** Whether there is a folder `name`, even an empty one; without a name, the directory itself. */
  async hasFolder(name = ""): Promise<boolean> {
    const path = name ? this.#join(name) : this.path;
    await this.#stayInside(name || path, path);
    return isDirectory(path);
  }

  /** The folder `name` as a DirectoryFolder of its own, whose names cannot lead out of this one. */
  below(name: string): DirectoryFolder {
    const folder = new DirectoryFolder(this.#join(name), { portable: this.#trusted || this.#portable });
    // Who trusts this one chose the name: the folder may be anywhere, but its files are in it.
    if (!this.#trusted) folder.#root = this.#root;
    return folder;
  }

  #join(name: string): string {
    // On Windows, the names that it does not allow may still lead somewhere: to a device, or to a stream beside a file's bytes.
    const parts = this.#trusted ? [name] : isWindows() ? portableParts(name, "rename the file") : safeParts(name);
    return pathCalls().join(this.path, ...parts);
  }

  async #walk(folder: string, path: string, prefix: string, names: string[], parents: string[]): Promise<void> {
    if (parents.length > DEFAULT_LIMITS.maxFolderDepth) {
      throw new PathError("UNSAFE_PATH", `Folders are nested deeper than ${DEFAULT_LIMITS.maxFolderDepth}`, { path });
    }
    const real = await realPath(path);
    // A link to a parent folder would loop.
    if (real === null || parents.includes(real)) return;
    for (const entry of await entriesOf(path)) {
      const name = folder ? `${folder}/${entry.name}` : entry.name;
      if (isTemp(entry.name) || !(name.startsWith(prefix) || prefix.startsWith(name + "/"))) continue;
      const below = pathCalls().join(path, entry.name);
      if (entry.isFolder || (entry.isLink && await this.#leadsToFolder(name, below))) {
        await this.#walk(name, below, prefix, names, [...parents, real]);
      } else if (name.startsWith(prefix)) names.push(name);
      checkNameCount(names.length, path);
    }
  }

  /** Whether a link leads to a folder inside. */
  async #leadsToFolder(name: string, link: string): Promise<boolean> {
    try {
      await this.#stayInside(name, link);
    } catch (error) {
      if (isPaddleError(error) && error.code === "LINK_ESCAPE") return false;
      throw error;
    }
    return isDirectory(link);
  }

  /** Links must not lead out of the directory (RULES.md PATH-5). */
  async #stayInside(name: string, path: string, attempt = 1): Promise<void> {
    if (this.#trusted) return;
    const { sep, dirname } = pathCalls();
    const root = await realPath(this.#root);
    let real = await realPath(path);
    for (let up = path; real === null && dirname(up) !== up;) {
      up = dirname(up);
      real = await realPath(up);
    }
    if (root === null || real === null || real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      return;
    }
    // If the directory was replaced or removed meanwhile, such as by a save with `wholeFolder`, try again.
    if (attempt < LOOKS && await realPath(this.#root) !== root) return await this.#stayInside(name, path, attempt + 1);
    throw this.#escape(name, path);
  }

  #escape(name: string, path: string): PathError {
    return new PathError("LINK_ESCAPE", `${quote(name)} is a link that leads out of ${JSON.stringify(this.#root)}`, {
      path,
    });
  }
}

async function isDangling(path: string): Promise<boolean> {
  try {
    return await directoryCalls(path).isLink(path) && await realPath(path) === null;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw accessError("look at", path, error);
  }
}

/** Null if nothing is there. Any other failure is an error: the path may lead anywhere. */
async function realPath(path: string): Promise<string | null> {
  try {
    return await directoryCalls(path).realPath(path);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw accessError("look at", path, error);
  }
}

async function entriesOf(path: string): Promise<DirectoryEntry[]> {
  try {
    return await directoryCalls(path).entries(path);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw accessError("list", path, error);
  }
}

/** Whether a system error says that nothing is there, or that a link leads to itself. */
function isAbsence(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].includes(systemCode(error) ?? "");
}
