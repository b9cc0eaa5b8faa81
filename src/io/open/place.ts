/**
 * A name together with the folder in which it and its neighbours are looked up: prefixes and folders of models.
 *
 * @module
 */
import { notAPlace } from "../argument_errors.ts";
import { DirectoryFolder } from "../folders/directory_folder.ts";
import { isPaddleError, quote, SourceError } from "../../errors.ts";
import { checkedFolder, checkedName, type Folder, folderOf, noteWrapper, type PutOptions } from "../folder.ts";
import { HandleFolder } from "../folders/handle_folder.ts";
import { homeFolder, homeName } from "../folders/home_folder.ts";
import { BesideUrl } from "../folders/beside_url.ts";
import { shownUrl } from "../http/http_options.ts";
import { type From, isDirectoryHandle, type SourceOfOptions } from "./open_source.ts";
import { pathCalls } from "../disk/path.ts";
import { hasFileSystem, isDirectory, mayUse, noFileSystem, pathOfUrl, realPath } from "../platform.ts";
import { stoppableFolder } from "../folders/stoppable_folder.ts";
import { endsInSlash, isReadable, urlOf } from "../url_text.ts";

/** A name in a folder. */
export interface Place {
  readonly folder: Folder;
  /** The name; empty for the folder itself. */
  readonly name: string;
  /** What the caller called it, for messages. */
  readonly shown: string;
}

/**
 * The place that `from` names, if it can have neighbours; null for bytes, streams and other sources that are a single file. Its folder can
 * be used until `options.signal` aborts.
 */
export async function placeOf(from: From, options: SourceOfOptions): Promise<Place | null> {
  const place = await findPlace(from, options);
  // File system calls finish promptly: they need no wrapper that obeys the signal.
  if (!place || place.folder instanceof DirectoryFolder) return place;
  return { ...place, folder: stoppableFolder(place.folder, options.signal) };
}

/** The place of a prefix, beside which files are written. As in Paddle, what ends in a slash is a folder, and no prefix. */
export async function placeOfPrefix(what: string, from: From, options: SourceOfOptions): Promise<Place> {
  const place = await placeOf(from, options);
  if (place && place.name !== "" && !endsInSlash(place.shown)) return place;
  throw notAPlace(`${what} must be a path, file: URL or { folder, name } that ends in a name`, from);
}

async function findPlace(from: From, options: SourceOfOptions): Promise<Place | null> {
  const own = folderOf(options.folder);
  const url = typeof from === "string" ? urlOf(from) : from instanceof URL ? from : null;
  if (url && (from instanceof URL || !own || isReadable(url))) {
    if (url.protocol === "file:") return onDisk(pathOfUrl(url));
    return url.protocol.startsWith("http") ? onServer(url, options) : null;
  }
  if (typeof from === "string") {
    if (own) return { folder: own, name: trimmed(from), shown: from };
    const home = hasFileSystem() ? null : await homeFolder();
    return home ? { folder: home, name: trimmed(homeName(from)), shown: from } : onDisk(from);
  }
  if (isDirectoryHandle(from)) return { folder: new HandleFolder(from), name: "", shown: from.name };
  if (typeof from === "object" && from !== null && "folder" in from && "name" in from) {
    const name = checkedName(from.name);
    return { folder: checkedFolder(from.folder), name: trimmed(name), shown: name };
  }
  return null;
}

/** The folder `name` at a place, as a Folder of its own. */
export function folderAt({ folder, name }: Place): Folder {
  if (name === "") return folder;
  if (folder instanceof DirectoryFolder) return folder.below(name);
  return new SubFolder(folder, name + "/");
}

/** The folder that contains a place. */
export function folderAround(place: Place): Folder {
  const slash = place.name.lastIndexOf("/");
  return slash < 0 ? place.folder : folderAt({ ...place, name: place.name.slice(0, slash) });
}

/** Whether there is a folder at the place, as far as its files can be listed. */
export async function isFolder(place: Place): Promise<boolean> {
  const { folder, name } = place;
  if (name === "") return true;
  if (folder.hasFolder) return await folder.hasFolder(name);
  const names = await listed(place);
  return names !== null && names.length > 0;
}

/** Whether there may be files whose names begin like the place's, and this process may look for them: Deno would ask for its folder. */
export function hasNeighbours({ folder, name }: Place): boolean {
  return name !== "" && (!(folder instanceof DirectoryFolder) || mayUse(folder.path, "read"));
}

/** Whether the files at the place can be listed. */
export async function canList(place: Place): Promise<boolean> {
  return place.folder.hasFolder !== undefined || await listed(place) !== null;
}

/** The files in the folder at the place; null if it cannot list them. */
async function listed({ folder, name }: Place): Promise<string[] | null> {
  try {
    return await folder.list(name + "/");
  } catch (error) {
    if (isPaddleError(error) && error.code === "UNSUPPORTED_FEATURE") return null;
    throw error;
  }
}

/** Files next to a URL, such as those of a prefix; a server does not list them. */
function onServer(url: URL, options: SourceOfOptions): Place | null {
  const { fetch, http, onWarning } = options;
  const folder = new BesideUrl(url, { ...http, fetch, onWarning });
  return { folder, name: folder.name, shown: shownUrl(url) };
}

/** A path of the file system. The caller chose it, so links are followed and any name is allowed. */
function onDisk(path: string): Place {
  if (!hasFileSystem()) throw noFileSystem(path);
  const { dirname, basename, resolve } = pathCalls();
  // What is before `..` may be a link.
  const real = (path: string) => path.includes("..") ? realPath(path) : path;
  if (["", ".", ".."].includes(basename(path)) && isDirectory(path)) {
    return { folder: new DirectoryFolder(real(path)), name: "", shown: path };
  }
  let whole: string;
  try {
    whole = resolve(real(dirname(path)), basename(path));
  } catch (cause) {
    throw new SourceError("NOT_FOUND", `Cannot find ${quote(path)}: the working directory of the process is gone`, {
      path,
      cause,
    });
  }
  return { folder: new DirectoryFolder(dirname(whole), { trusted: true }), name: basename(whole), shown: path };
}

function trimmed(name: string): string {
  return name.endsWith("/") ? name.slice(0, -1) : name;
}

/** The files of a folder whose names start with a prefix, which is stripped. */
class SubFolder implements Folder {
  readonly #folder: Folder;
  readonly #prefix: string;

  constructor(folder: Folder, prefix: string) {
    this.#folder = folder;
    this.#prefix = prefix;
    noteWrapper(this, folder, prefix);
  }

  get(name: string, options?: { signal?: AbortSignal }): ReturnType<Folder["get"]> {
    return this.#folder.get(this.#prefix + name, options);
  }

  put(name: string, options?: PutOptions): ReturnType<Folder["put"]> {
    return this.#folder.put(this.#prefix + name, options);
  }

  async list(prefix = ""): Promise<string[]> {
    return (await this.#folder.list(this.#prefix + prefix)).map((name) => name.slice(this.#prefix.length));
  }

  delete(name: string): Promise<void> {
    return this.#folder.delete(this.#prefix + name);
  }
}
