/**
 * Saves several files that belong together (RULES.md SET-1): all are written to temporary files before the first is put in place, and the
 * one that readers look for, the program, is put in place last.
 *
 * @module
 */
import type { Chunk } from "../../words/unread_bytes.ts";
import { PaddleError, quote, SaveError, SourceError, type Warning } from "../../errors.ts";
import { abortSink } from "../sinks/abort_sink.ts";
import { FileSink } from "../sinks/file_sink.ts";
import type { Folder, PutOptions } from "../folder.ts";
import { guardedSink } from "../sinks/guarded_sink.ts";
import { saveCodeOf } from "../disk/save_error.ts";
import { takeFolderTurns } from "./folder_turns.ts";
import { filesOfManifest, isDamagedManifest, manifestName, manifestOf, type SavedFile } from "./manifest.ts";
import { pour } from "./pour.ts";
import { type Progress, type ProgressEvent, progressOf } from "../progress.ts";
import type { Sink } from "../sink.ts";
import { mixtureOf } from "./mixture.ts";
import { sinkFailed } from "../sink_failed.ts";
import { withRetries } from "../disk/with_retries.ts";
import { BufferPool } from "../streams/buffer_pool.ts";
import { stoppable, within } from "../waiting/within.ts";
import { WholeFolder } from "../folders/whole_folder.ts";

/** A file to write. */
export interface OutFile {
  /** Its name in the folder. */
  name: string;
  /** Number of bytes to be written. */
  size: number;
  /** The bytes. */
  chunks: Iterable<Chunk>;
}

/** How files are written. */
export interface SaveFilesOptions {
  signal?: AbortSignal;
  onProgress?: (event: ProgressEvent) => void;
  /** Also write the manifest of the prefix. */
  manifest?: boolean;
  /** Replace the folder as a whole. */
  wholeFolder?: boolean;
  /** Whether names must be valid on Windows; the folder's own rule if not given. */
  portable?: boolean;
  /** Receives what a successful save could not remove. */
  onWarning?: (warning: Warning) => void;
}

/**
 * Write `files` to `folder`; they are put in place in this order, followed by the manifest of `prefix`, if
 * requested. Returns the names written.
 */
export async function saveFiles(
  folder: Folder,
  files: readonly OutFile[],
  options: SaveFilesOptions,
  prefix?: string,
): Promise<string[]> {
  const { signal, onProgress, manifest: hasManifest = false } = options;
  signal?.throwIfAborted();
  const progress = progressOf(onProgress, "save", files.reduce((n, file) => n + file.size, 0));
  const whole = options.wholeFolder ? await WholeFolder.begin(folder, signal) : null;
  if (whole) folder = whole.folder;
  const open: Sink[] = [], left: Warning[] = [], pending: Sink[] = [];
  let leave = () => {};
  try {
    leave = await takeFolderTurns(folder, files.map(({ name }) => name), signal);
    // All of them are on the disk before the first is put in place.
    const saved = await writeAll(folder, files, options, open, progress);
    if (hasManifest && prefix !== undefined) await writeManifest(folder, prefix, saved, options, open);
    const outdated = hasManifest || whole || prefix === undefined
      ? null
      : await outdatedManifest(folder, prefix, files);
    // By one that never takes its place, a load tells that all files are of this save, if it is killed before the outdated one is removed.
    if (outdated !== null && saved.length === files.length) {
      await writeManifest(folder, prefix!, saved, options, pending);
    }
    signal?.throwIfAborted();
    progress?.check();
    left.push(...await placeAll(open, { isRevocable: whole === null, folder, outdated, signal }));
    for (const sink of pending) if (sink instanceof FileSink) left.push(...await sink.settle());
    // Files are saved once they are in place; a folder once it is itself in place.
    if (whole) {
      signal?.throwIfAborted();
      left.push(...await whole.takePlace());
    }
  } catch (error) {
    await abortAll([...open, ...pending], error, signal);
    await whole?.abort(error);
    if (signal?.aborted && error === signal.reason) throw error;
    if (progress?.threw(error)) throw error;
    throw error instanceof PaddleError || error instanceof TypeError ? error : sinkFailed(error);
  } finally {
    leave();
  }
  for (const warning of left) options.onWarning?.(warning);
  await progress?.end();
  return [...files.map(({ name }) => name), ...hasManifest && prefix !== undefined ? [manifestName(prefix)] : []];
}

/** Files of at least this many bytes are written alone, smaller ones several at a time: they mostly wait for the disk. */
const LARGE_FILE = 2 ** 20;
/** Number of small files that are written at a time. */
const AT_A_TIME = 16;

/** Write the temporary files, several at a time; their sinks are added to `open` in the order of the files, even if one fails. */
async function writeAll(
  folder: Folder,
  files: readonly OutFile[],
  { signal, portable, manifest: isHashed = false }: SaveFilesOptions,
  open: Sink[],
  progress: Progress | null,
): Promise<SavedFile[]> {
  const sinks: Sink[] = [], running = new Set<Promise<void>>(), spare = new BufferPool();
  let taken = 0, loaded = 0, failure: { error: unknown } | null = null;
  const write = async ({ name, size, chunks }: OutFile, i: number) => {
    const sink = sinks[i] = await putPart(folder, name, { size, portable, signal }, isHashed);
    await stoppable(() => sink.expect?.(size), signal);
    let before = 0;
    const count = (written: number) => {
      loaded += written - before;
      before = written;
      progress?.at(loaded);
    };
    await pour(chunks, sink, { size, signal, onWritten: count, spare });
    if (sink instanceof FileSink) await sink.prepare(spare);
  };
  for (const [i, file] of files.entries()) {
    // The first one creates the folder for those that follow.
    const weight = file.size < LARGE_FILE && i > 0 ? 1 : AT_A_TIME;
    while (taken + weight > AT_A_TIME && !failure) await Promise.race(running);
    if (failure) break;
    taken += weight;
    const writing: Promise<void> = write(file, i).catch((error) => void (failure ??= { error })).finally(() => {
      taken -= weight;
      running.delete(writing);
    });
    running.add(writing);
  }
  await Promise.all(running);
  for (const sink of sinks) if (sink) open.push(sink);
  if (failure) throw (failure as { error: unknown }).error;
  return files.flatMap(({ name, size }, i) => {
    const sink = sinks[i];
    return sink instanceof FileSink && sink.sha256 !== undefined ? [{ name, size, sha256: sink.sha256 }] : [];
  });
}

/** Write the manifest of the files, which takes its place after them. */
async function writeManifest(
  folder: Folder,
  prefix: string,
  saved: readonly SavedFile[],
  { portable, signal }: SaveFilesOptions,
  open: Sink[],
): Promise<void> {
  const manifest = manifestOf(saved, prefix);
  const sink = await folder.put(manifestName(prefix), { size: manifest.length, portable, signal });
  open.push(sink);
  await sink.write(manifest);
  if (sink instanceof FileSink) await sink.prepare();
}

/** How files are put in place. */
interface Placing {
  /** Whether files at a path are put back if a later one fails. */
  isRevocable: boolean;
  folder: Folder;
  /** The manifest of an earlier save of these files. */
  outdated: string | null;
  signal: AbortSignal | undefined;
}

/**
 * Put one file after the other in place, then remove the outdated manifest: until then it tells that the files are from two saves. If a
 * step fails, the files before it are put back, if they are files at a path and `isRevocable`, and all files at a path are left in `open`.
 * If some cannot be put back, the error's `committed` is unknown. Returns warnings about what cannot be removed.
 *
 * @throws {SaveError} `CONFLICT`: another process saved some of the files meanwhile
 */
async function placeAll(open: Sink[], { isRevocable, folder, outdated, signal }: Placing): Promise<Warning[]> {
  const placed: FileSink[] = [], isAlone = open.length === 1 && outdated === null;
  let isBack = true, mixture: SaveError | null = null;
  try {
    for (; open.length > 0; open.shift()) {
      const [sink] = open;
      if (!(sink instanceof FileSink)) {
        await closeInTime(sink, signal);
        isBack = false;
      } else {
        if (isRevocable && !isAlone) await sink.keepOld();
        await sink.takePlace();
        placed.push(sink);
      }
    }
    if (isRevocable && placed.length > 1) mixture = await mixtureOf(placed);
    if (mixture) throw mixture;
    if (outdated !== null) await removeManifest(folder, outdated);
  } catch (error) {
    // What another process saved meanwhile must not be undone.
    const revocable = mixture ? [] : placed;
    for (const sink of [...revocable].reverse()) isBack = await sink.takeBack(error) && isBack;
    // Folders that were made for them are removed once the others are gone, too.
    open.unshift(...placed);
    // Nobody has seen a folder that has not taken its place.
    if (!isBack && isRevocable && error instanceof SaveError) {
      Object.defineProperty(error, "committed", { value: "unknown", enumerable: true });
    }
    throw error;
  }
  // The folders within one that has not taken its place are synced when it does.
  const folders = new Map(isRevocable ? placed.map((sink) => [sink.folder, sink]) : []);
  for (const sink of folders.values()) await sink.syncFolder();
  return (await Promise.all(placed.map((sink) => sink.settle()))).flat();
}

/** Milliseconds that a closing sink is still given when the call is aborted: its file is as good as in place. */
const MOMENT = 20;

async function closeInTime(sink: Sink, signal: AbortSignal | undefined): Promise<void> {
  const closing = (async () => await sink.close())();
  try {
    await within(closing, Infinity, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    await within(closing, MOMENT).catch(() => signal.throwIfAborted());
  }
}

/** Leave nothing behind: folders that were created are removed once no file is left in them. */
async function abortAll(open: readonly Sink[], error: unknown, signal: AbortSignal | undefined): Promise<void> {
  await Promise.allSettled(open.map(async (sink) => {
    if (sink instanceof FileSink) return await sink.discard();
    await abortSink(sink, error, signal);
  }));
  for (const sink of [...open].reverse()) if (sink instanceof FileSink) await sink.abort(error);
}

/** The manifest of an earlier save, if it is about these files and so does not match what is written now. */
async function outdatedManifest(folder: Folder, prefix: string, files: readonly OutFile[]): Promise<string | null> {
  const name = manifestName(prefix);
  try {
    const listed = await filesOfManifest(folder, prefix);
    return listed && files.some(({ name }) => listed.has(name)) ? name : null;
  } catch (error) {
    if (isDamagedManifest(error)) return name;
    throw stuck(name, error);
  }
}

async function removeManifest(folder: Folder, name: string): Promise<void> {
  try {
    await withRetries(() => folder.delete(name));
  } catch (error) {
    throw stuck(name, error);
  }
}

function stuck(name: string, error: unknown): unknown {
  if (!(error instanceof SourceError)) return error;
  return new SaveError(
    saveCodeOf(error.cause, "WRITE_FAILED"),
    `Cannot remove ${quote(name)}, which is left from an earlier save`,
    { path: error.path ?? name, committed: "no", cause: error },
  );
}

/** Open one file. To be hashed for the manifest, it must be a file at a path: those are read back before they are put in place. */
async function putPart(folder: Folder, name: string, options: PutOptions, isHashed: boolean): Promise<Sink> {
  if (!isHashed) return guardedSink(await folder.put(name, options));
  try {
    return await folder.put(name, { ...options, verify: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError("Option manifest has no meaning here: only files given by path can have one", { cause: error });
  }
}
