/**
 * `fluid.io.save_inference_model` of Paddle 1.x.
 *
 * @module
 */
import type { Warning } from "../../errors.ts";
import type { Folder } from "../../io/folder.ts";
import type { FolderEntry } from "../../io/open/open_source.ts";
import type { ProgressEvent } from "../../io/progress.ts";
import type { Scope } from "../../model/model_values.ts";
import { checkOptions } from "../../options.ts";
import type { Program } from "../../program.ts";
import { InferenceModel } from "../../static/inference_model.ts";
import { namesOf, normalizeProgram, type VariableName } from "../../static/normalize_program.ts";
import { relayout } from "../../static/relayout.ts";
import { programFile } from "../../io/models/model_out_files.ts";
import { notAPlace } from "../../io/argument_errors.ts";
import { folderAt, placeOf } from "../../io/open/place.ts";
import { saveFiles } from "../../io/save/save_files.ts";

/** Options of {@linkcode saveInferenceModel}. */
export interface SaveInferenceModelOptions {
  /** The program. */
  mainProgram: Program;
  /** Values of its persistable variables, by name. */
  parameters: Scope;
  /** Name of the program's file; only the last part of a path is used. @default {"__model__"} */
  modelFilename?: string | undefined;
  /** Name of a single file for all parameters; if not given, each has its own. Only the last part of a path is used. */
  paramsFilename?: string | undefined;
  /**
   * If false, write the unchanged program, for further training, to `__model__.main_program`, with all its persistable variables next to
   * it. Paddle's `export_for_deployment`. @default {true}
   */
  exportForDeployment?: boolean;
  /** Write only the program. @default {false} */
  programOnly?: boolean;
  /**
   * Also write `.pdsum` in the folder, last of all: sizes and SHA-256 of the files, by which every later load detects files from different
   * saves. Only in the file system. @default {false}
   */
  manifest?: boolean;
  /**
   * Build the folder next to its path and replace it as a whole: afterwards it has these files and no others. If there was a
   * folder, there is none for a moment; `recoverFolder` finishes a replacement that was interrupted then. Only for a
   * directory at a path. @default {false}
   */
  wholeFolder?: boolean;
  /** Refuse names of variables that are not valid file names on Windows, if each has its own file. @default {true} */
  portable?: boolean;
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Aborts the call before any file is put in place. */
  signal?: AbortSignal | undefined;
  /** Called as bytes are written. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const OPTIONS = [
  "mainProgram",
  "parameters",
  "modelFilename",
  "paramsFilename",
  "exportForDeployment",
  "programOnly",
  "manifest",
  "wholeFolder",
  "portable",
  "folder",
  "signal",
  "onProgress",
  "onWarning",
];

/**
 * Write `dirname/__model__`, and the parameters next to it: one file each, or a single one with `paramsFilename`.
 * Returns the names of the outputs.
 *
 * Mirrors `fluid.io.save_inference_model` (1.6 to 1.8, and 2.x inside Paddle).
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is missing, or differs from what the program says
 */
export async function saveInferenceModel(
  dirname: string | URL | FolderEntry,
  feededVarNames: readonly string[],
  targetVars: VariableName | readonly VariableName[],
  options: SaveInferenceModelOptions,
): Promise<string[]> {
  checkOptions(options, OPTIONS);
  const { mainProgram, parameters, exportForDeployment = true, programOnly = false } = options;
  const { folder, manifest, wholeFolder, portable, signal, onProgress, onWarning } = options;
  const basis = baseName(options.modelFilename ?? "__model__");
  const modelFilename = exportForDeployment ? basis : basis + ".main_program";
  const program = exportForDeployment ? normalizeProgram(mainProgram, feededVarNames, targetVars) : mainProgram;
  if (programOnly) {
    const place = await placeOf(dirname, options);
    if (!place) throw notAPlace("dirname must be a path, file: URL or { folder, name }", dirname);
    await saveFiles(
      folderAt(place),
      [await programFile(modelFilename, program, signal)],
      { wholeFolder, manifest, signal, onProgress, onWarning },
      "",
    );
    return namesOf(targetVars);
  }
  const paramsFilename = options.paramsFilename === undefined ? undefined : baseName(options.paramsFilename);
  const layout = paramsFilename === undefined ? "folder" : "combined";
  const model = new InferenceModel(program, parameters);
  await relayout(model, dirname, {
    layout,
    modelFilename,
    paramsFilename,
    manifest,
    wholeFolder,
    portable,
    folder,
    signal,
    onProgress,
    onWarning,
  });
  return namesOf(targetVars);
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
