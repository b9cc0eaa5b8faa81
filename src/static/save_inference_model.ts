/**
 * `paddle.static.save_inference_model`.
 *
 * @module
 */
import { inTurns } from "../io/waiting/turns.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import type { Warning } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import { combinedFile, programEnding, programFile, scatteredFiles } from "../io/models/model_out_files.ts";
import type { FolderEntry } from "../io/open/open_source.ts";
import { folderAround, placeOfPrefix } from "../io/open/place.ts";
import type { ProgressEvent } from "../io/progress.ts";
import { saveFiles } from "../io/save/save_files.ts";
import { removeTrainingInfoInSteps } from "../model/remove_training_info.ts";
import { parametersOf, type Scope } from "../model/model_values.ts";
import { applyFormatInSteps } from "../model/program_format.ts";
import { checkOptions } from "../options.ts";
import type { Program } from "../program.ts";
import { normalizeProgramInSteps, type VariableName } from "./normalize_program.ts";

/** Options of {@linkcode saveInferenceModel}. */
export interface SaveInferenceModelOptions {
  /** The program; required, as there is no default program as in Paddle. */
  program: Program;
  /** Values of its persistable variables, by name: the content of Paddle's scope. */
  parameters: Scope;
  /**
   * Drop attributes and outputs that affect no result, and the call stacks of the machine that built the program. Paddle's `clip_extra`,
   * which also drops those that matter in operators fused for inference, such as `fuse_with_relu`. PIR programs have none of these.
   * @default {true}
   */
  clipExtra?: boolean;
  /** Write a ProgramDesc in the format of Paddle 2.4. Paddle's `legacy_format` (2.5). @default {false} */
  legacyFormat?: boolean;
  /** Write a PIR program with line breaks and indentation. Paddle's `readable` (3.0). @default {false} */
  readable?: boolean;
  /**
   * Keep what training needs in a PIR program: which values are persistable, and where gradients stop. Paddle's `trainable` (3.0). Without
   * it Paddle itself finds no parameters in the files. @default {true}
   */
  trainable?: boolean;
  /** Keep operators and variables that no output needs. Paddle's `skip_prune_program`. @default {false} */
  skipPruneProgram?: boolean;
  /**
   * Write each parameter to its own file next to `__model__`, in the folder that contains the prefix, whose last part is not used. Paddle's
   * `separate_parameters` (3.0). @default {false}
   */
  separateParameters?: boolean;
  /** Refuse names of variables that are not valid file names on Windows, if each has its own file. @default {true} */
  portable?: boolean;
  /**
   * Also write `<prefix>.pdsum`, with `separateParameters` `.pdsum` in the folder, last of all: sizes and SHA-256 of the files, by which
   * every later load detects files from different saves. Only in the file system. @default {false}
   */
  manifest?: boolean;
  /** The folder that names refer to. @default where this runtime keeps files */
  folder?: Folder | undefined;
  /** Aborts the call before any file is put in place; the rejection is `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called as bytes are written. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const OPTIONS = [
  "program",
  "parameters",
  "clipExtra",
  "legacyFormat",
  "readable",
  "trainable",
  "skipPruneProgram",
  "separateParameters",
  "portable",
  "manifest",
  "folder",
  "signal",
  "onProgress",
  "onWarning",
];

/**
 * Write `pathPrefix.pdmodel` (or `.json`, for a PIR program) and `pathPrefix.pdiparams`: the program normalized to these inputs and
 * outputs, and the values of the remaining parameters. A program without parameters has no second file. Returns the names of the files.
 *
 * Mirrors `paddle.static.save_inference_model` (2.0 and later).
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is missing, or differs from what the program says; nothing was written
 * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: an option that programs of this form do not have
 * @throws {SaveError} writing failed
 */
export async function saveInferenceModel(
  pathPrefix: string | URL | FolderEntry,
  feedVars: VariableName | readonly VariableName[],
  fetchVars: VariableName | readonly VariableName[],
  options: SaveInferenceModelOptions,
): Promise<string[]> {
  checkOptions(options, OPTIONS);
  const { parameters, clipExtra = true, skipPruneProgram, separateParameters = false } = options;
  const steps = normalizeProgramInSteps(options.program, feedVars, fetchVars, { skipPruneProgram });
  const program = await inTurns(steps, options.signal);
  if (program instanceof ProgramDesc) await inTurns(removeTrainingInfoInSteps(program, clipExtra), options.signal);
  await inTurns(applyFormatInSteps(program, options), options.signal);
  // Only now: the steps have decoded the variables.
  const values = parametersOf(program, parameters);
  const place = await placeOfPrefix("pathPrefix", pathPrefix, options);
  const modelFile = (name: string) => programFile(name, program, options.signal);
  if (separateParameters) {
    const name = program.form === "json" ? "__model__.json" : "__model__";
    const files = [...scatteredFiles(values, options), await modelFile(name)];
    return await saveFiles(folderAround(place), files, options, "");
  }
  const files = values.length > 0 ? [combinedFile(place.name + ".pdiparams", values)] : [];
  files.push(await modelFile(place.name + programEnding(program)));
  return await saveFiles(place.folder, files, options, place.name);
}
