/**
 * `fluid.io.save_vars`, `save_params`, `save_persistables` of Paddle 1.x, and the functions that load what they save.
 *
 * @module
 */
import { programGiven } from "../../program.ts";
import { readCombined, readVariable } from "../../codec/record/read_combined.ts";
import { readBinaryTensorFile } from "../../codec/record/read_record.ts";
import { byCodePoint } from "../../words/code_point_order.ts";
import { expectEnd } from "../../codec/record/read_combined.ts";
import { driveFrom } from "../../io/drive/drive_from.ts";
import { openPart } from "../../io/models/find_model.ts";
import type { Warning } from "../../errors.ts";
import type { Folder } from "../../io/folder.ts";
import { fromOneFolder } from "../../io/folders/one_folder.ts";
import { checkVersions, findManifest } from "../../io/save/manifest.ts";
import { combinedFile, scatteredFiles } from "../../io/models/model_out_files.ts";
import type { FolderEntry } from "../../io/open/open_source.ts";
import { notAPlace } from "../../io/argument_errors.ts";
import { folderAt, placeOf } from "../../io/open/place.ts";
import type { ProgressEvent } from "../../io/progress.ts";
import { saveFiles } from "../../io/save/save_files.ts";
import { Budget, type Limits } from "../../limits.ts";
import { limitsOf } from "../../io/limits_of.ts";
import { fromRecord, fromSelectedRows } from "../../model/from_record.ts";
import { checkStoredValue, type ParameterValue, type Scope, valuesOf } from "../../model/model_values.ts";
import { splitState } from "../../model/state_split.ts";
import { checkOptions } from "../../options.ts";
import { described } from "../../words/described.ts";
import type { Program, ProgramVariable } from "../../program.ts";

/** Selects variables of a program. */
export interface VariableChoice {
  /** The program; required if `vars` is not given. */
  mainProgram?: Program;
  /** These variables. Paddle's `vars`. */
  vars?: readonly ProgramVariable[];
  /** Only those for which this returns true. Paddle's `predicate`. */
  predicate?: (variable: ProgramVariable) => boolean;
}

/** Options of {@linkcode saveVars}. */
export interface SaveVarsOptions extends VariableChoice {
  /** Values by name: the content of Paddle's scope. */
  parameters: Scope;
  /** Name of a single file for all variables, sorted by name; if not given, each has its own file, named after it. */
  filename?: string;
  /** Refuse names that are not valid file names on Windows. @default {true} */
  portable?: boolean;
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
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Aborts the call before any file is put in place. */
  signal?: AbortSignal | undefined;
  /** Called as bytes are written. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/** Options of {@linkcode loadVars}. */
export interface LoadVarsOptions extends VariableChoice {
  /** Name of the single file for all variables; if not given, each has its own file. */
  filename?: string;
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Limits on what the files may demand. */
  limits?: Partial<Limits> | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
}

const CHOICE = ["mainProgram", "vars", "predicate", "filename", "folder", "signal"];
const SAVE = [...CHOICE, "parameters", "portable", "manifest", "wholeFolder", "onProgress", "onWarning"];
const LOAD = [...CHOICE, "limits"];

/**
 * Write variables to a folder: one file each, or a single one for all with `filename`. Returns the names of the files.
 *
 * Mirrors `fluid.io.save_vars` (1.6 to 1.8).
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is missing, or differs from what the program says
 * @throws {PathError} `UNSAFE_PATH`, `NAME_COLLISION`: variables have names that cannot be file names
 */
export async function saveVars(dirname: string | URL | FolderEntry, options: SaveVarsOptions): Promise<string[]> {
  checkOptions(options, SAVE);
  const { parameters, filename } = options;
  const values = valuesOf(chosen(options), parameters, checkStoredValue);
  const folder = await folderOf(dirname, options);
  const files = filename === undefined ? scatteredFiles(values, options) : [combinedFile(filename, values)];
  return await saveFiles(folder, files, options, "");
}

/** Write the Parameters of a program. Mirrors `fluid.io.save_params` (1.6 to 1.8); otherwise like {@linkcode saveVars}. */
export async function saveParams(dirname: string | URL | FolderEntry, options: SaveVarsOptions): Promise<string[]> {
  checkOptions(options, SAVE);
  return await saveVars(dirname, { ...options, vars: chosen(options, parametersIn) });
}

/** Write all persistable variables of a program. Mirrors `fluid.io.save_persistables` (1.6 to 1.8); otherwise like {@linkcode saveVars}. */
export async function savePersistables(
  dirname: string | URL | FolderEntry,
  options: SaveVarsOptions,
): Promise<string[]> {
  return await saveVars(dirname, options);
}

/**
 * The values of variables in a folder, each checked against its variable.
 *
 * Mirrors `fluid.io.load_vars` (1.6 to 1.8), which puts them into the scope.
 *
 * @throws {PathError} `MISSING_PART`: a file is missing
 * @throws {FormatError} a file is damaged, or belongs to another program
 */
export async function loadVars(
  dirname: string | URL | FolderEntry,
  options: LoadVarsOptions,
): Promise<Map<string, ParameterValue>> {
  checkOptions(options, LOAD);
  const { filename, signal } = options;
  signal?.throwIfAborted();
  const variables = chosen(options);
  const budget = new Budget(limitsOf(options.limits));
  const folder = await folderOf(dirname, options), shown = String(dirname);
  const versions = await findManifest(folder, "", { signal });
  const shape = { mode: "static" as const };
  if (filename !== undefined) {
    const source = await openPart(folder, filename, shown, "the values of all variables", signal);
    return await driveFrom(source, (cursor) => readCombined(cursor, variables, budget), (raws, borrowed) => {
      return new Map(
        [...raws].map(([name, raw]) => [name, "words" in raw ? raw.words : fromRecord(raw, { ...shape, borrowed })]),
      );
    }, { signal });
  }
  return await fromOneFolder(folder, async () => {
    const values = new Map<string, ParameterValue>();
    for (const variable of variables) {
      const { name } = variable;
      const source = await openPart(folder, name, shown, "the value of that variable", signal);
      const value = await driveFrom(source, function* (cursor) {
        if (variable.kind === "selected_rows") return yield* readBinaryTensorFile(cursor, { budget });
        const raw = yield* readVariable(cursor, variable, budget);
        yield* expectEnd(cursor, 1);
        return raw;
      }, (raw, borrowed): ParameterValue => {
        if ("words" in raw) return raw.words;
        return "rows" in raw ? fromSelectedRows(raw, { ...shape, borrowed }) : fromRecord(raw, { ...shape, borrowed });
      }, { signal });
      values.set(name, value);
    }
    await checkVersions(versions, signal);
    return values;
  });
}

/** The Parameters of a program. Mirrors `fluid.io.load_params` (1.6 to 1.8); otherwise like {@linkcode loadVars}. */
export async function loadParams(
  dirname: string | URL | FolderEntry,
  options: LoadVarsOptions,
): Promise<Map<string, ParameterValue>> {
  checkOptions(options, LOAD);
  return await loadVars(dirname, { ...options, vars: chosen(options, parametersIn) });
}

/** All persistable variables of a program. Mirrors `fluid.io.load_persistables` (1.6 to 1.8); otherwise like {@linkcode loadVars}. */
export async function loadPersistables(
  dirname: string | URL | FolderEntry,
  options: LoadVarsOptions,
): Promise<Map<string, ParameterValue>> {
  return await loadVars(dirname, options);
}

/** The selected variables, sorted by name; of a program, those that `rule` returns. */
function chosen(
  { mainProgram, vars, predicate }: VariableChoice,
  rule = (program: Program): readonly ProgramVariable[] => program.parameters(),
): ProgramVariable[] {
  if (!vars && mainProgram === undefined) throw new TypeError("mainProgram or vars must be given");
  if (vars && !Array.isArray(vars)) throw new TypeError(`vars must be a list of variables: got ${described(vars)}`);
  const odd = vars?.find((variable) => typeof variable?.name !== "string");
  if (odd !== undefined) throw new TypeError(`vars must be variables of a Program: got ${described(odd)} among them`);
  const all = vars ?? rule(programGiven(mainProgram));
  return all.filter((variable) => predicate?.(variable) ?? true).toSorted((a, b) => byCodePoint(a.name, b.name));
}

/** The Parameters of a program, without the optimizer's variables. */
function parametersIn(program: Program): readonly ProgramVariable[] {
  return splitState(program).parameters;
}

async function folderOf(dirname: string | URL | FolderEntry, options: { folder?: Folder }): Promise<Folder> {
  const place = await placeOf(dirname, options);
  if (!place) throw notAPlace("dirname must be a path, file: URL or { folder, name }", dirname);
  return folderAt(place);
}
