/**
 * `paddle.static.load_program_state`.
 *
 * @module
 */
import { FormatError, isPaddleError, PathError, quote, type Warning } from "../errors.ts";
import { byCodePoint } from "../words/code_point_order.ts";
import { readFile } from "../codec/read_file.ts";
import { readCombined } from "../codec/record/read_combined.ts";
import { driveFrom } from "../io/drive/drive_from.ts";
import { exists, notFound } from "../io/models/find_model.ts";
import type { Folder } from "../io/folder.ts";
import { fromOneFolder } from "../io/folders/one_folder.ts";
import { checkManifest, checkVersions, manifestName } from "../io/save/manifest.ts";
import { readRecordFile } from "../io/models/read_record_folder.ts";
import { notAPlace } from "../io/argument_errors.ts";
import { folderAt, hasNeighbours, isFolder, type Place, placeOf } from "../io/open/place.ts";
import { type FolderEntry, sourceOf } from "../io/open/open_source.ts";
import { Budget, type Limits } from "../limits.ts";
import { limitsOf } from "../io/limits_of.ts";
import { within } from "../io/waiting/within.ts";
import { stateFromPickle } from "../model/from_pickle.ts";
import { fromRecord } from "../model/from_record.ts";
import type { NDArray } from "../ndarray.ts";
import { checkOptions } from "../options.ts";
import type { ProgramVariable } from "../program.ts";

/** Options of {@linkcode loadProgramState}. */
export interface LoadProgramStateOptions {
  /** The variables to read; required for a file of several tensors, which has no names. Paddle's `var_list`. */
  varList?: readonly ProgramVariable[];
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Limits on what the files may demand. */
  limits?: Partial<Limits> | undefined;
  /** Aborts the call; the rejection is `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called for every irregularity, such as a file in the folder that is not a tensor. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const SUFFIXES = [".pdparams", ".pdopt", ".pdmodel", ".json"];

/**
 * A program's parameters and optimizer variables by name: from `prefix.pdparams` and `prefix.pdopt`, from a folder with one file
 * per variable, or from one file for all (with `varList`). Other contents of the two files are returned as they are: the name
 * table of a file that was saved in dynamic graph mode (`StructuredToParameterName@@`), the state of a scheduler (`LR_Scheduler`),
 * nested Tensors as (name, array).
 *
 * Mirrors `paddle.static.load_program_state` (2.0 and later; `fluid.io.load_program_state` of 1.7).
 *
 * @throws {SourceError} `NOT_FOUND`: there are no files; Paddle returns an empty dict
 * @throws {TypeError} one file for all requires `varList`
 * @throws {FormatError} a file is damaged; `WRONG_FORMAT`: it does not contain a dict
 */
export async function loadProgramState(
  modelPath: string | URL | FolderEntry,
  options: LoadProgramStateOptions = {},
): Promise<Map<string, NDArray>> {
  return await readProgramState(modelPath, options);
}

/** {@linkcode loadProgramState}; with `onAbsent`, a folder may have files for some of the variables only: it is called for the others. */
export async function readProgramState(
  modelPath: string | URL | FolderEntry,
  options: LoadProgramStateOptions,
  onAbsent?: (name: string) => void,
): Promise<Map<string, NDArray>> {
  checkOptions(options, ["varList", "folder", "limits", "signal", "onWarning"]);
  const { varList, folder, limits, signal } = options;
  signal?.throwIfAborted();
  const place = await placeOf(modelPath, { folder, signal });
  if (!place) throw notAPlace("A model is given by a path, a file: URL or { folder, name }", modelPath);
  const suffix = SUFFIXES.find((end) => place.name.endsWith(end));
  // 1.6 stripped no suffix, and so wrote m.pdparams.pdparams for m.pdparams.
  const isWhole = suffix === undefined || await exists(place.folder, place.name + ".pdparams", signal);
  const base: Place = !isWhole ? { ...place, name: place.name.slice(0, -suffix!.length) } : place;
  if (hasNeighbours(base) && await exists(base.folder, base.name + ".pdparams", signal)) {
    const versions = await checkManifest(base.folder, base.name, { signal });
    const state = new Map<string, NDArray>();
    for (const end of [".pdparams", ".pdopt"]) {
      if (!await exists(base.folder, base.name + end, signal)) continue;
      const part = await readState(base.folder, base.name + end, options);
      for (const [name, value] of part) state.set(name, value);
    }
    await checkVersions(versions, signal);
    return state;
  }
  const resolved = limitsOf(limits);
  if (await isFolder(place)) {
    return await fromOneFolder(folderAt(place), () => fromFolder(place, { ...options, limits: resolved }, onAbsent));
  }
  const source = place.name === "" ? null : await place.folder.get(place.name, { signal });
  if (!source) return await nothing(place, options);
  if (!varList) {
    await source.close?.();
    throw new TypeError("varList must be given for a file that holds all variables: it has no names");
  }
  const sorted = varList.toSorted((a, b) => byCodePoint(a.name, b.name));
  return await driveFrom(
    source,
    (cursor) => readCombined(cursor, sorted, new Budget(resolved)),
    (raws, borrowed) => {
      const state = new Map<string, NDArray>();
      for (const [name, raw] of raws) {
        if (!("words" in raw)) state.set(name, fromRecord(raw, { returnNumpy: true, borrowed }));
      }
      return state;
    },
    { signal },
  );
}

/** The unpickled content of one file, which Paddle does not convert here. */
async function readState(
  folder: Folder,
  name: string,
  { limits, signal, onWarning }: LoadProgramStateOptions,
): Promise<Map<string, NDArray>> {
  const opened = await sourceOf({ folder, name }, { signal });
  const resolved = limitsOf(limits);
  const { value, warnings } = await driveFrom(
    opened,
    (cursor) => readFile(cursor, { limits: resolved }),
    (content, borrowed) => {
      const pickle = content.kind === "pickle" ? content.pickle : null;
      const value = pickle && stateFromPickle(pickle, { borrowed });
      if (!(value instanceof Map)) {
        throw new FormatError("WRONG_FORMAT", `${quote(name)} does not hold a dict`, { offset: 0 });
      }
      return { value: value as Map<string, NDArray>, warnings: pickle!.warnings };
    },
    { signal },
  );
  for (const warning of warnings) onWarning?.(warning);
  return value;
}

/** There are files of a model, but none of these: an empty state, as in Paddle. */
async function nothing(place: Place, { onWarning, signal }: LoadProgramStateOptions): Promise<Map<string, NDArray>> {
  for (const end of [...SUFFIXES, ".pdiparams"]) {
    if (place.name === "" || !await exists(place.folder, place.name + end, signal)) continue;
    const message = `${quote(place.shown)} has no .pdparams, but ${
      quote(place.name + end)
    }: that is read by other functions`;
    onWarning?.({ code: "MISSING_PART", message });
    return new Map();
  }
  throw await notFound(place, signal);
}

/** Read every file that is a tensor; others are skipped with a warning, as in Paddle. */
async function fromFolder(
  place: Place,
  { varList, onWarning, limits, signal }: LoadProgramStateOptions & { limits: Readonly<Limits> },
  onAbsent?: (name: string) => void,
): Promise<Map<string, NDArray>> {
  const folder = folderAt(place);
  const wanted = varList && new Set(varList.map(({ name }) => name));
  const state = new Map<string, NDArray>();
  const names = await within(folder.list(), Infinity, signal);
  const versions = names.includes(manifestName("")) ? await checkManifest(folder, "", { signal }) : new Map();
  for (const name of names) {
    if (name === manifestName("") || (wanted && !wanted.has(name))) continue;
    try {
      const options = { limits, signal, onWarning, returnNumpy: true };
      state.set(name, await readRecordFile(folder, name, place.shown, options, { sources: [], lazies: new Map() }));
    } catch (error) {
      if (!isNoTensor(error)) throw error;
      onWarning?.({ code: "EXTRA_FILE", message: `The file ${quote(name)} is not a tensor: it was skipped`, at: name });
    }
  }
  await checkVersions(versions, signal);
  for (const { name } of varList ?? []) {
    if (state.has(name)) continue;
    if (onAbsent && state.size > 0) onAbsent(name);
    else {
      throw new PathError("MISSING_PART", `There is no file for the variable ${quote(name)}`, { names: [name] });
    }
  }
  return state;
}

/** Whether a file does not begin like a tensor, or ends before that can be determined. */
function isNoTensor(error: unknown): boolean {
  if (!isPaddleError(error)) return false;
  return error.code === "EXTRA_FILE" || error.code === "EMPTY" || (error.code === "TRUNCATED" && error.offset === 0);
}
