/**
 * `<prefix>.pdsum`, or `.pdsum` for a folder as a whole: lists the files that were saved together (RULES.md SET-2). It is put in place
 * last, so that files of two saves, mixed by a crash between two renames or by copying, can be told from those of one.
 *
 * ```json
 * {"pdsum":1,"id":"<16 hex digits>","files":[{"name":"m.pdiparams","size":1024,"sha256":"<64 hex digits>"}]}
 * ```
 *
 * @module
 */
import { FormatError, isPaddleError, PathError, quote, SourceError } from "../../errors.ts";
import { pathCalls } from "../disk/path.ts";
import type { Folder } from "../folder.ts";
import { directoryOf } from "../folders/one_folder.ts";
import { fillNow } from "../lazy/span_bytes.ts";
import { canHash, fileSystem, hashing, hexOf, mayUse } from "../platform.ts";
import { FileSource } from "../sources/file_source.ts";
import { readFully } from "../sources/read_fully.ts";
import { safeParts } from "../names/safe_name.ts";
import { closing, type Source } from "../source.ts";
import { isTempOf } from "../temp_name.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";

/** One file of a save. */
export interface SavedFile {
  /** Its name in the folder. */
  readonly name: string;
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
}

const END = ".pdsum";
/** Maximum size of a manifest in bytes. */
const LONGEST = 2 ** 24;
/** Bytes hashed at a time. */
const PIECE = 2 ** 20;
/** Maximum bytes of a file that is read synchronously. */
const AT_ONCE = 2 ** 18;
/** With `lazy`, files are hashed until they exceed this many bytes in total. */
const SMALL = 64 * 2 ** 20;
/** Milliseconds after which a save that did not put its manifest in place counts as interrupted. */
const ABANDONED = 60_000;

/** Name of the manifest of a prefix; for a folder as a whole `.pdsum`. */
export function manifestName(prefix: string): string {
  return prefix + END;
}

/** The prefix whose manifest has this name; null if it is no manifest's name. */
export function prefixOfManifest(name: string): string | null {
  return name.endsWith(END) ? name.slice(0, -END.length) : null;
}

/**
 * The names in `folder` that the manifest of `prefix` lists; null if there is no manifest.
 *
 * @throws {FormatError} it is damaged: see {@linkcode isDamagedManifest}
 * @throws {PathError} `UNSAFE_PATH`, `NAME_TOO_LONG`: so are its names
 */
export async function filesOfManifest(folder: Folder, prefix: string): Promise<Set<string> | null> {
  const files = await filesIn(folder, manifestName(prefix));
  return files && new Set(files.map(({ name }) => baseOf(prefix) + name));
}

/** Whether this is the error of a manifest that lists nothing: it is damaged, or has names that no file can have. */
export function isDamagedManifest(error: unknown): boolean {
  return error instanceof FormatError ||
    (error instanceof PathError && (error.code === "UNSAFE_PATH" || error.code === "NAME_TOO_LONG"));
}

/** The folder part of `prefix`, with its slash. */
function baseOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf("/") + 1);
}

/** A manifest of `files`, which are in the folder of `prefix`. */
export function manifestOf(files: readonly SavedFile[], prefix: string): Uint8Array {
  const id = hexOf(crypto.getRandomValues(new Uint8Array(8))), base = baseOf(prefix);
  const beside = files.map(({ name, size, sha256 }) => ({ name: name.slice(base.length), size, sha256 }));
  return new TextEncoder().encode(JSON.stringify({ pdsum: 1, id, files: beside }) + "\n");
}

/** Files at a path, by name: closed, they still know their versions. */
export type Versions = Map<string, FileSource>;

/** How files are checked against a manifest. */
export interface CheckOptions {
  /** Open the files without reading them. */
  lazy?: boolean;
  /** Ignore a manifest that lists no file with this ending: it is about other files. */
  having?: string;
  signal?: AbortSignal;
}

/**
 * Check the files of a prefix against its manifest, if there is one. The prefix of a folder as a whole is its name with a trailing slash,
 * or `""`. With `lazy`, only the size of large files is checked. A save that was interrupted when only its manifest was not in place yet is
 * finished.
 *
 * @throws {FormatError} `MIXED_SAVE`: a file is from another save; `BAD_JSON`, `BAD_FIELD`: the manifest is damaged
 */
export async function checkManifest(folder: Folder, prefix: string, how: CheckOptions = {}): Promise<Versions> {
  const { having = "", signal } = how, path = manifestName(prefix);
  for (let files = await filesIn(folder, path, signal);;) {
    if (!files?.some(({ name }) => name.endsWith(having))) return new Map();
    try {
      return await checkFiles(folder, prefix, files, how);
    } catch (error) {
      if (!isPaddleError(error) || error.code !== "MIXED_SAVE") throw error;
      const versions = await finish(folder, prefix, error.path!, signal);
      if (versions) return versions;
      // Another save, or another load that finished one, may have put its manifest in place meanwhile.
      const now = await filesIn(folder, path, signal);
      if (JSON.stringify(now) === JSON.stringify(files)) throw error;
      files = now;
    }
  }
}

/**
 * Check that the files are still those that {@linkcode checkManifest} found: whoever read them meanwhile has nothing of another save.
 *
 * @throws {SourceError} `SOURCE_CHANGED`
 */
export async function checkVersions(versions: Versions, signal?: AbortSignal): Promise<void> {
  const turns = new Turns(signal);
  for (const [name, file] of versions) {
    if (turns.due()) await turns.take();
    if (file.isInPlace()) continue;
    throw new SourceError("SOURCE_CHANGED", `${quote(name)} was replaced while being read`, { path: name });
  }
}

async function checkFiles(
  folder: Folder,
  prefix: string,
  files: readonly SavedFile[],
  { lazy = false, signal }: CheckOptions,
): Promise<Versions> {
  const path = manifestName(prefix), base = baseOf(prefix), versions: Versions = new Map();
  const turns = new Turns(signal);
  let hashed = 0;
  for (const { name, size, sha256 } of files) {
    if (turns.due()) await turns.take();
    const part = await folder.get(base + name, { signal });
    if (!part) throw mixed(path, name, "is not there", size, undefined);
    await closing(part, async (part) => {
      if (part.size !== size) throw mixed(path, name, "has another size", size, part.size);
      if (part instanceof FileSource) versions.set(base + name, part);
      if (!canHash() || (lazy && (hashed += size) >= SMALL)) return;
      const actual = await hashOf(part, signal);
      if (actual !== sha256) throw mixed(path, name, "has other bytes", sha256, actual);
    });
  }
  return versions;
}

/**
 * Finish a save that put all its files in place, but not its manifest: that is beside the old one under a temporary name, and every file is
 * as it says; `wrong` is one that the old one refuses. Returns null if there was none.
 */
async function finish(
  folder: Folder,
  prefix: string,
  wrong: string,
  signal: AbortSignal | undefined,
): Promise<Versions | null> {
  const directory = directoryOf(folder), base = baseOf(prefix), manifest = manifestName(prefix.slice(base.length));
  if (directory === null) return null;
  const { join } = pathCalls(), { promises } = fileSystem(directory), place = join(directory, base);
  for (const name of await promises.readdir(place).catch(() => [])) {
    if (!isTempOf(name, manifest)) continue;
    const from = join(place, name);
    try {
      const { mtimeMs } = await promises.stat(from), files = await filesIn(folder, base + name, signal);
      // That of another prefix, if both are longer than a temporary name.
      if (!files?.some(({ name }) => name === wrong)) continue;
      const versions = await checkFiles(folder, prefix, files, { signal });
      // A save under way does so itself, and who may not write here has checked the files all the same.
      if (Date.now() - mtimeMs > ABANDONED && mayUse(place, "write")) {
        await promises.rename(from, join(place, manifest)).catch(() => {});
      }
      return versions;
    } catch {
      signal?.throwIfAborted();
    }
  }
  return null;
}

/**
 * Like {@linkcode checkManifest}, if it is not known whether there is a manifest. A folder that cannot list its files, such
 * as a base URL, is not checked.
 *
 * @throws whatever {@linkcode checkManifest} throws
 */
export async function findManifest(
  folder: Folder,
  prefix: string,
  how: CheckOptions = {},
): Promise<Versions> {
  const path = manifestName(prefix);
  let names: string[];
  try {
    names = await within(folder.list(path), Infinity, how.signal);
  } catch (error) {
    if (isPaddleError(error) && error.code === "UNSUPPORTED_FEATURE") return new Map();
    throw error;
  }
  return names.includes(path) ? await checkManifest(folder, prefix, how) : new Map();
}

/** The files that the manifest at `path` lists; null if there is none. */
async function filesIn(folder: Folder, path: string, signal?: AbortSignal): Promise<SavedFile[] | null> {
  const source = await folder.get(path, { signal });
  return source && await closing(source, (source) => readManifest(source, path, signal));
}

async function readManifest(source: Source, path: string, signal?: AbortSignal): Promise<SavedFile[]> {
  if (source.size > LONGEST) {
    throw new FormatError("BAD_LENGTH", `${quote(path)} is not a manifest: it has ${source.size} bytes`, { path });
  }
  const bytes = await readFully(source, 0, new Uint8Array(source.size), signal);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new FormatError("BAD_JSON", `${quote(path)} is not a manifest: it is not JSON`, { path, cause });
  }
  const { pdsum, files } = (json ?? {}) as { pdsum?: unknown; files?: unknown };
  if (pdsum !== 1 || !Array.isArray(files) || !files.every(isSavedFile)) {
    throw new FormatError("BAD_FIELD", `${quote(path)} is not a manifest of a known kind`, { path });
  }
  for (const { name } of files) safeParts(name);
  // A file that is listed several times would be hashed several times.
  if (new Set(files.map(({ name }) => name)).size < files.length) {
    throw new FormatError("BAD_FIELD", `${quote(path)} is not a manifest: it lists a file twice`, { path });
  }
  return files;
}

function isSavedFile(file: unknown): file is SavedFile {
  const { name, size, sha256 } = (file ?? {}) as Record<string, unknown>;
  return typeof name === "string" && Number.isSafeInteger(size) &&
    typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
}

async function hashOf(source: Source, signal?: AbortSignal): Promise<string> {
  const hash = hashing(), buffer = new Uint8Array(Math.min(PIECE, source.size));
  // A promise, for which Deno opens the file once more, takes longer than reading a small one.
  const isNow = source.size <= AT_ONCE && source.readSync !== undefined;
  for (let at = 0; at < source.size; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, source.size - at));
    hash.update(isNow ? fillNow(source, at, piece) : await readFully(source, at, piece, signal));
  }
  return hexOf(hash.digest());
}

function mixed(path: string, name: string, what: string, expected: unknown, actual: unknown): FormatError {
  return new FormatError(
    "MIXED_SAVE",
    `These files come from two different saves: ${quote(name)} ${what}, by ${quote(path)}`,
    {
      path: name,
      expected,
      actual,
      hint: "save the model again; without the .pdsum file they are accepted as they are",
    },
  );
}
