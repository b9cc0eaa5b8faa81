/**
 * A folder in which every file is one tensor, as `fluid.io.save_params` and the like write without a file name.
 *
 * @module
 */
import type { Cursor, Decoder } from "../../codec/cursor.ts";
import { readAnonymous } from "../../codec/record/read_combined.ts";
import { type RawTensor, readRecord } from "../../codec/record/read_record.ts";
import { FormatError, isPaddleError, type PaddleError, PathError, quote } from "../../errors.ts";
import { Budget } from "../../limits.ts";
import { fromRecord, type FromRecordOptions } from "../../model/from_record.ts";
import type { NDArray } from "../../ndarray.ts";
import { driveFrom } from "../drive/drive_from.ts";
import { prefixesIn, prefixHint } from "./find_model.ts";
import type { Folder } from "../folder.ts";
import { fromOneFolder } from "../folders/one_folder.ts";
import { checkManifest, checkVersions, manifestName } from "../save/manifest.ts";
import { folderAt, type Place } from "../open/place.ts";
import { progressOfFiles } from "../progress.ts";
import type { ReadModelOptions } from "./read_model.ts";
import { closeAll, type Source } from "../source.ts";
import { SpanBytes } from "../lazy/span_bytes.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";

/** Files that operating systems leave in folders. */
const NOT_OURS = new Set(["Thumbs.db", "desktop.ini"]);

/** The content of a folder of records. */
export interface RecordFolder {
  /** Tensors by their path in the folder. */
  values: Map<string, NDArray>;
  /** Files that are still open, with `lazy`. */
  sources: Source[];
  /** The location of each lazy tensor. */
  lazies: Map<NDArray, SpanBytes>;
}

/**
 * Read every file of the folder at `place`; hidden files are skipped with a warning.
 *
 * @throws {PathError} `EXTRA_FILE`: a file is not a tensor, as with a model that is loaded by its prefix
 */
export async function readRecordFolder(place: Place, options: ReadModelOptions): Promise<RecordFolder> {
  const folder = folderAt(place), read: RecordFolder = { values: new Map(), sources: [], lazies: new Map() };
  try {
    return await fromOneFolder(folder, () => readAll(folder, place, options, read));
  } catch (error) {
    await closeAll(read.sources).catch(() => {});
    throw error;
  }
}

async function readAll(
  folder: Folder,
  place: Place,
  options: ReadModelOptions,
  read: RecordFolder,
): Promise<RecordFolder> {
  const progress = progressOfFiles(options.onProgress, "load");
  // A directory may take long to list.
  const names = await within(folder.list(), Infinity, options.signal);
  new Budget(options.limits).check("maxEntries", names.length, 0);
  const [prefix] = prefixesIn(names);
  if (prefix !== undefined) throw prefixMeant(place, prefix);
  if (names.some((name) => name.endsWith(".distcp"))) throw distributedMeant(place);
  const versions = names.includes(manifestName("")) ? await checkManifest(folder, "", options) : new Map();
  const each = { ...options, onProgress: progress?.onProgress };
  const turns = new Turns(options.signal);
  for (const name of names) {
    if (turns.due()) await turns.take();
    if (name === manifestName("")) continue;
    if (isHidden(name)) options.onWarning?.({ code: "HIDDEN_FILE", message: `${quote(name)} was skipped`, at: name });
    else read.values.set(name, await readRecordFile(folder, name, place.shown, each, read));
  }
  await checkVersions(versions, options.signal);
  await progress?.end();
  return read;
}

function prefixMeant({ shown }: Place, prefix: string): PathError {
  const hint = prefixHint(shown, prefix);
  const message = `${quote(shown)} is not a folder of tensors, but holds a model of several files: ${hint}`;
  return new PathError("EXTRA_FILE", message, { path: shown, names: [prefix], hint });
}

function distributedMeant({ shown }: Place): PathError {
  const hint = "distributed.loadMergedStateDict reads it";
  return new PathError("EXTRA_FILE", `${quote(shown)} is a distributed checkpoint: ${hint}`, { path: shown, hint });
}

/** Read the tensor in one file of a folder; sources that stay open are added to `read`. */
export async function readRecordFile(
  folder: Folder,
  name: string,
  shown: string,
  options: ReadModelOptions,
  read: Pick<RecordFolder, "sources" | "lazies">,
): Promise<NDArray> {
  const { limits, signal, onProgress, onWarning, copy, lazy } = options;
  const source = await folder.get(name, { signal });
  if (!source) {
    const message = `${quote(shown)} has the name ${
      quote(name)
    }, but no file behind it: it is gone, or a link to nothing`;
    throw new PathError("MISSING_PART", message, { path: name });
  }
  if (lazy) read.sources.push(source);
  let left: SpanBytes | null = null;
  const shape: Omit<FromRecordOptions, "borrowed"> = {
    ...options,
    lazy: (span, finish, from) => left = new SpanBytes(source, span, finish, from),
  };
  const budget = new Budget(limits);
  try {
    return await driveFrom(source, (cursor) => readFirst(cursor, budget), ({ first, others }, borrowed) => {
      if (others > 0) {
        const message = `${quote(name)} has ${
          others + 1
        } tensors, of which only the first has a name: give the program, too`;
        onWarning?.({ code: "SEVERAL_RECORDS", message, at: name });
      }
      const array = fromRecord(first, { ...shape, borrowed }, name);
      if (!left && lazy && source.edit) left = SpanBytes.at(source, first.offset, array.nbytes);
      if (left) read.lazies.set(array, left);
      return array;
    }, { signal, onProgress, copy, lazy, name });
  } catch (error) {
    throw isForeign(error) ? foreign(name, shown, error) : error;
  }
}

/** Read the first record in a file, and count those that follow, which Paddle ignores (`_load_lod_tensor`). */
function* readFirst(cursor: Cursor, budget: Budget): Decoder<{ first: RawTensor; others: number }> {
  yield cursor.need(1);
  if (cursor.left === 0) throw new FormatError("EMPTY", "The file has no bytes", { offset: 0 });
  const first = yield* readRecord(cursor, { budget });
  return { first, others: (yield* readAnonymous(cursor, budget)).length };
}

function isHidden(name: string): boolean {
  const last = name.slice(name.lastIndexOf("/") + 1);
  return name.startsWith(".") || name.includes("/.") || NOT_OURS.has(last);
}

/** Whether a file does not even begin like a record. */
function isForeign(error: unknown): error is PaddleError {
  return isPaddleError(error) && ["BAD_VERSION", "WRONG_FORMAT"].includes(error.code) && error.offset === 0;
}

function foreign(name: string, shown: string, cause: PaddleError): PathError {
  const what = cause.code === "WRONG_FORMAT" ? `. ${cause.message}` : "";
  const message = `${quote(shown)} has the file ${quote(name)}, which is not a tensor: all files must be${what}`;
  return new PathError("EXTRA_FILE", message, { path: shown, names: [name], cause, hint: cause.hint });
}
