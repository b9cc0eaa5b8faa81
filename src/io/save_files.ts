/**
 * Several files that belong together (hardening 7.3): all are written beside their places before the first takes its place, and the one
 * that readers look for, the program, takes its place last.
 *
 * @module
 */
import type { Chunk } from "../unread_bytes.ts";
import { PaddleError, PathError, quote } from "../errors.ts";
import { FileSink } from "./file_sink.ts";
import type { Folder } from "./folder.ts";
import { manifestName, manifestOf, type SavedFile } from "./manifest.ts";
import { pour } from "./pour.ts";
import { type ProgressEvent, progressOf } from "./progress.ts";
import { safeParts } from "./safe_name.ts";
import type { Sink } from "./sink.ts";
import { sinkFailed } from "./sink_failed.ts";
import { WholeFolder } from "./whole_folder.ts";
import { within } from "./within.ts";

/** A file to be written. */
export interface OutFile {
  /** Its name in the folder. */
  name: string;
  /** Bytes that will come. */
  size: number;
  /** The bytes. */
  chunks: Iterable<Chunk>;
}

/** Milliseconds that sinks have to leave nothing behind when a call was stopped. */
const PATIENCE = 20;

/** How files are written. */
export interface SaveFilesOptions {
  signal?: AbortSignal;
  onProgress?: (event: ProgressEvent) => void;
  /** Write the manifest of the prefix, too. */
  manifest?: boolean;
  /** The folder takes its place as a whole. */
  wholeFolder?: boolean;
}

/**
 * Write `files` into `folder`; they take their places in this order, and then, where it is wanted, the manifest of `prefix`. The names written
 * are returned.
 */
export async function saveFiles(
  folder: Folder,
  files: readonly OutFile[],
  options: SaveFilesOptions,
  prefix?: string,
): Promise<string[]> {
  const { signal, onProgress, manifest: hasManifest = false } = options;
  signal?.throwIfAborted();
  const whole = options.wholeFolder ? await WholeFolder.begin(folder) : null;
  if (whole) folder = whole.folder;
  const progress = progressOf(onProgress, "save", files.reduce((n, file) => n + file.size, 0));
  const open: Sink[] = [], saved: SavedFile[] = [];
  let done = 0;
  try {
    for (const { name, size, chunks } of files) {
      const sink = await putPart(folder, name, size, hasManifest);
      open.push(sink);
      await pour(chunks, sink, signal, (written) => progress?.at(done + written), size);
      // All of them are on the disk before the first takes its place.
      if (sink instanceof FileSink) {
        await sink.prepare();
        if (sink.sha256 !== undefined) saved.push({ name, size, sha256: sink.sha256 });
      }
      done += size;
    }
    if (hasManifest && prefix !== undefined) {
      const manifest = manifestOf(saved);
      const sink = await folder.put(manifestName(prefix), { size: manifest.length });
      open.push(sink);
      await sink.write(manifest);
    } else if (prefix !== undefined) await removeManifest(folder, prefix);
    signal?.throwIfAborted();
    progress?.check();
    const folders = new Map<string, FileSink>();
    // One that fails while it is closed is aborted with those behind it.
    for (; open.length > 0; open.shift()) {
      const sink = open[0];
      if (!(sink instanceof FileSink)) await sink.close();
      else {
        await sink.takePlace();
        folders.set(sink.folder, sink);
      }
    }
    for (const sink of folders.values()) await sink.syncFolder();
    signal?.throwIfAborted();
    await whole?.takePlace();
  } catch (error) {
    await Promise.allSettled(open.map(async (sink) => {
      const aborting = Promise.resolve(sink.abort(error));
      await (signal?.aborted && !(sink instanceof FileSink) ? within(aborting, PATIENCE) : aborting);
    }));
    await whole?.abort();
    if (signal?.aborted && error === signal.reason) throw error;
    if (progress?.threw(error)) throw error;
    throw error instanceof PaddleError || error instanceof TypeError ? error : sinkFailed(error);
  }
  progress?.end();
  return [...files.map(({ name }) => name), ...hasManifest && prefix !== undefined ? [manifestName(prefix)] : []];
}

/** The manifest of an earlier save does not speak of what is written now. */
async function removeManifest(folder: Folder, prefix: string): Promise<void> {
  const old = await folder.get(manifestName(prefix));
  if (!old) return;
  await old.close?.();
  await folder.delete(manifestName(prefix));
}

/** A file that is hashed for the manifest is one by path: it is read back before it takes its place. */
async function putPart(folder: Folder, name: string, size: number, isHashed: boolean): Promise<Sink> {
  if (!isHashed) return await folder.put(name, { size });
  try {
    return await folder.put(name, { size, verify: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError("Option manifest has no meaning here: only files by path can have one", { cause: error });
  }
}

/** Names that Windows keeps for devices. */
const DEVICES = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;

/**
 * Whether files of these names can lie side by side, here and elsewhere (hardening H-PATH-2 and H-PATH-4): looked at before the first is made.
 *
 * @throws {PathError} `UNSAFE_PATH`, `NAME_TOO_LONG`, `NAME_COLLISION`: two names are one on some file systems, or a file and a folder would have one name
 */
export function checkFileNames(names: readonly string[], { portable = true }: { portable?: boolean } = {}): void {
  const seen = new Map<string, string>(), folders = new Map<string, string>();
  for (const name of names) {
    const parts = safeParts(name);
    const odd = portable ? parts.find((part) => /[:<>"|?*]|[. ]$/.test(part) || DEVICES.test(part)) : undefined;
    if (odd !== undefined) {
      throw new PathError(
        "UNSAFE_PATH",
        `The name ${quote(name)} is no file name on Windows: { portable: false } lets it pass`,
        {
          path: name,
        },
      );
    }
    const folded = name.normalize("NFC").toLowerCase();
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
