/**
 * Converts a model to a different file layout.
 *
 * @module
 */
import { quote, ValueError, type Warning } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import { combinedFile, infoFile, programEnding, programFile, scatteredFiles } from "../io/models/model_out_files.ts";
import type { FolderEntry } from "../io/open/open_source.ts";
import { notAPlace } from "../io/argument_errors.ts";
import { folderAt, placeOf } from "../io/open/place.ts";
import { endsInSlash } from "../io/url_text.ts";
import type { ProgressEvent } from "../io/progress.ts";
import { saveFiles } from "../io/save/save_files.ts";
import { parametersOf } from "../model/model_values.ts";
import { checkOptions } from "../options.ts";
import { InferenceModel } from "./inference_model.ts";
import { openInferenceModel } from "./load_inference_model.ts";

/**
 * The layout of a model's files.
 *
 * - `prefix`: `m.pdmodel` (or `m.json`), `m.pdiparams` and, if known, `m.pdiparams.info`: Paddle 2 and 3
 * - `folder`: `__model__` and one file per parameter: Paddle 1.x
 * - `combined`: `__model__` and one file for all parameters, `__params__`: Paddle 1.x
 */
export type Layout = "prefix" | "folder" | "combined";

/** Options of {@linkcode relayout}. */
export interface RelayoutOptions {
  /** @default {"prefix"} */
  layout?: Layout;
  /** Name of the program's file, in `folder` and `combined`. @default {"__model__"}, for PIR `__model__.json` */
  modelFilename?: string | undefined;
  /** Name of the file with the parameters, in `combined`. @default {"__params__"} */
  paramsFilename?: string | undefined;
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /**
   * Also write `<prefix>.pdsum`, or `.pdsum` in the folder, last of all: sizes and SHA-256 of the files, by which every later load detects
   * files from different saves. Only in the file system. @default {false}
   */
  manifest?: boolean;
  /**
   * Build the folder next to its path and replace it as a whole: afterwards it has these files and no others. If there was a folder, there
   * is none for a moment; `recoverFolder` finishes a replacement that was interrupted then. Only for a directory at a path, and the layouts
   * `folder` and `combined`. @default {false}
   */
  wholeFolder?: boolean;
  /** Refuse names that are not valid file names on Windows. @default {true} */
  portable?: boolean;
  /** Aborts the call before any file is put in place. */
  signal?: AbortSignal | undefined;
  /** Called as bytes are written. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const OPTIONS = [
  "layout",
  "modelFilename",
  "paramsFilename",
  "manifest",
  "wholeFolder",
  "folder",
  "portable",
  "signal",
  "onProgress",
  "onWarning",
];

const FILE_NAMES = ["modelFilename", "paramsFilename"] as const;

/** What to read: a model, its location, or its location with the names of its files. */
export type ModelFrom = InferenceModel | string | URL | FolderEntry | {
  /** The folder of a 1.x model. */
  path: string | URL | FolderEntry;
  /** Name of the program's file. */
  modelFilename?: string | undefined;
  /** Name of the file with all parameters. */
  paramsFilename?: string | undefined;
};

/**
 * Write a model in another layout: a current prefix from a folder of Paddle 1.x, a folder from a prefix, one file for all parameters or one
 * for each. The program is written as it was read. If the model is given by its location, its parameters are copied from file to file in
 * pieces: memory use does not depend on their size. Of a Layer exported with several methods, only `forward` is written; `jit.load` and
 * `jit.save` take all of them. Returns the names of the files.
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is missing, or differs from what the program says
 * @throws {PathError} `UNSAFE_PATH`, `NAME_COLLISION`: variables have names that cannot be file names (`folder`)
 *
 * @example Convert a model of Paddle 1.8 for current loaders
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 * async function modernize(folder: string, prefix: string) {
 *   await paddle.static.relayout(folder, prefix);
 * }
 * ```
 */
export async function relayout(
  from: ModelFrom,
  to: string | URL | FolderEntry,
  options: RelayoutOptions = {},
): Promise<string[]> {
  checkOptions(options, OPTIONS);
  const { layout = "prefix" } = options;
  if (!["prefix", "folder", "combined"].includes(layout)) {
    throw new TypeError(`Option layout must be "prefix", "folder" or "combined": got ${String(layout)}`);
  }
  if (options.wholeFolder && layout === "prefix") {
    throw new TypeError('Option wholeFolder has no meaning for the layout "prefix": others lie in that folder, too');
  }
  const unused = layout === "combined" ? [] : layout === "folder" ? ["paramsFilename"] as const : FILE_NAMES;
  const given = unused.find((name) => options[name] !== undefined);
  if (given) {
    const wayOut = `the files to read are named by { path, ${given} }`;
    throw new TypeError(`Option ${given} names a file to write that the layout "${layout}" does not have: ${wayOut}`);
  }
  const { model, close } = await modelOf(from, options);
  try {
    return await write(model, to, options);
  } finally {
    await close();
  }
}

async function write(
  model: InferenceModel,
  to: string | URL | FolderEntry,
  options: RelayoutOptions,
): Promise<string[]> {
  const { layout = "prefix", modelFilename, paramsFilename = "__params__", portable } = options;
  const place = await placeOf(to, options);
  if (!place) throw notAPlace("A model is written to a path, a file: URL or { folder, name }", to);
  const values = parametersOf(model.program, model.parameters);
  const programAs = (name: string) => programFile(name, model.program, options.signal);
  if (layout === "prefix") {
    if (place.name === "" || endsInSlash(place.shown)) {
      throw new ValueError("INVALID_VALUE", `The prefix ${quote(place.shown)} ends in no name`);
    }
    const files = values.length > 0 ? [combinedFile(place.name + ".pdiparams", values)] : [];
    if (model.info) files.push(infoFile(place.name + ".pdiparams.info", model.info));
    files.push(await programAs(place.name + programEnding(model.program)));
    return await saveFiles(place.folder, files, options, place.name);
  }
  const name = modelFilename ?? (model.program.form === "json" ? "__model__.json" : "__model__");
  const files = layout === "combined" ? [combinedFile(paramsFilename, values)] : scatteredFiles(values, { portable });
  return await saveFiles(folderAt(place), [...files, await programAs(name)], options, "");
}

/** The model; if it is read here, its values stay in their files until they are written. */
async function modelOf(
  from: ModelFrom,
  { folder, signal }: RelayoutOptions,
): Promise<{ model: InferenceModel; close: () => Promise<void> }> {
  if (from instanceof InferenceModel) return { model: from, close: () => Promise.resolve() };
  if (typeof from === "object" && "path" in from) {
    const { path, modelFilename, paramsFilename } = from;
    return await openInferenceModel(path, { modelFilename, paramsFilename, folder, signal });
  }
  return await openInferenceModel(from, { folder, signal });
}
