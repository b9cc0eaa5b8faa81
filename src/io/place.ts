/**
 * A name, and the folder in which it and its neighbours are looked for: prefixes and folders of models.
 *
 * @module
 */
import { DirectoryFolder } from "./directory_folder.ts";
import { type Folder, folderOf } from "./folder.ts";
import type { From } from "./open_source.ts";
import { fileSystem, pathModule, pathOfUrl } from "./platform.ts";

/** A name in a folder. */
export interface Place {
  readonly folder: Folder;
  /** The name; empty for the folder itself. */
  readonly name: string;
  /** How the caller called it. */
  readonly shown: string;
}

/** Where `from` names something that can have neighbours; null for bytes, streams and other sources that are one file. */
export async function placeOf(from: From, folder: Folder | undefined): Promise<Place | null> {
  if (from instanceof URL || (typeof from === "string" && from.startsWith("file:"))) {
    const url = new URL(from);
    return url.protocol === "file:" ? await onDisk(pathOfUrl(url)) : null;
  }
  if (typeof from === "string") {
    const own = folderOf(folder);
    return own ? { folder: own, name: trimmed(from), shown: from } : await onDisk(from);
  }
  if (typeof from === "object" && from !== null && "folder" in from && "name" in from) {
    return { folder: from.folder, name: trimmed(String(from.name)), shown: String(from.name) };
  }
  return null;
}

/** The folder `name` of a place, as a Folder of its own. */
export function folderAt({ folder, name }: Place): Folder {
  if (name === "") return folder;
  if (folder instanceof DirectoryFolder) return new DirectoryFolder(pathModule().join(folder.path, name));
  return new SubFolder(folder, name + "/");
}

/** Whether there is a folder at the place. */
export async function isFolder({ folder, name }: Place): Promise<boolean> {
  if (name === "") return true;
  if (folder.hasFolder) return await folder.hasFolder(name);
  return (await folder.list(name + "/")).length > 0;
}

/** A path of the file system. The caller chose it, so its links are followed, and its name may be any. */
async function onDisk(path: string): Promise<Place> {
  const { dirname, basename, resolve } = pathModule();
  const stat = await fileSystem(path).promises.stat(path).catch(() => null);
  if (stat?.isDirectory() && ["", ".", ".."].includes(basename(path))) {
    return { folder: new DirectoryFolder(path), name: "", shown: path };
  }
  const whole = resolve(path);
  return { folder: new DirectoryFolder(dirname(whole), { trusted: true }), name: basename(whole), shown: path };
}

function trimmed(name: string): string {
  return name.endsWith("/") ? name.slice(0, -1) : name;
}

/** The names of a folder that begin with a prefix, without it. */
class SubFolder implements Folder {
  readonly #folder: Folder;
  readonly #prefix: string;

  constructor(folder: Folder, prefix: string) {
    this.#folder = folder;
    this.#prefix = prefix;
  }

  get(name: string): ReturnType<Folder["get"]> {
    return this.#folder.get(this.#prefix + name);
  }

  put(name: string): ReturnType<Folder["put"]> {
    return this.#folder.put(this.#prefix + name);
  }

  async list(prefix = ""): Promise<string[]> {
    return (await this.#folder.list(this.#prefix + prefix)).map((name) => name.slice(this.#prefix.length));
  }

  delete(name: string): Promise<void> {
    return this.#folder.delete(this.#prefix + name);
  }
}
