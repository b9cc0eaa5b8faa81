/**
 * `paddle.static.save` and `load`, and a program's state.
 *
 * @module
 */
import { programGiven } from "../program.ts";
import { quote, quoteSome, ValueError, type Warning } from "../errors.ts";
import { planSaving } from "../save.ts";
import type { Folder } from "../io/folder.ts";
import { programEnding, programFile } from "../io/models/model_out_files.ts";
import type { FolderEntry } from "../io/open/open_source.ts";
import { placeOfPrefix } from "../io/open/place.ts";
import type { ProgressEvent } from "../io/progress.ts";
import { type OutFile, saveFiles } from "../io/save/save_files.ts";
import { type NamedValue, type Scope, valuesOf } from "../model/model_values.ts";
import { splitState } from "../model/state_split.ts";
import { NDArray } from "../ndarray.ts";
import { checkOptions } from "../options.ts";
import type { Program, ProgramVariable } from "../program.ts";
import { DenseTensor } from "../tensor.ts";
import { type LoadProgramStateOptions, readProgramState } from "./load_program_state.ts";

/** Options of {@linkcode save}. */
export interface SaveOptions {
  /** Values of the program's persistable variables, by name: the content of Paddle's scope. */
  parameters: Scope;
  /** Pickle protocol: 2, 3 or 4. @default {4} */
  protocol?: number;
  /**
   * Also write `<prefix>.pdsum`, last of all: sizes and SHA-256 of the files, by which every later load detects files from different saves.
   * Only in the file system. @default {false}
   */
  manifest?: boolean;
  /** The folder that names refer to. @default where this runtime keeps files */
  folder?: Folder | undefined;
  /** Aborts the call before any file is put in place. */
  signal?: AbortSignal | undefined;
  /** Called as bytes are written. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/**
 * Save a training program: `modelPath.pdparams` (its Parameters), `modelPath.pdopt` (the optimizer's variables) and `modelPath.pdmodel` (or
 * `.json`). Returns the names of the files.
 *
 * Programs from before Paddle 2.2 do not mark their Parameters: they are inferred from the operators, and a global variable that the
 * network only reads counts as one.
 *
 * Mirrors `paddle.static.save` (2.0 and later; `fluid.save` of 1.6).
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is missing, or differs from what the program says; nothing was written
 */
export async function save(
  program: Program,
  modelPath: string | URL | FolderEntry,
  options: SaveOptions,
): Promise<string[]> {
  programGiven(program);
  checkOptions(options, ["parameters", "protocol", "manifest", "folder", "signal", "onProgress", "onWarning"]);
  const { parameters, protocol, signal } = options;
  const place = await placeOfPrefix("modelPath", modelPath, options);
  const own = splitState(program);
  const valueOf = ({ name, value }: NamedValue): [string, NDArray] => [name, arrayOf(name, value)];
  const states = [own.parameters, own.optimizer.filter((variable) => !isFed(variable))].map((variables) => {
    return new Map(valuesOf(variables, parameters).map(valueOf));
  });
  // Before anything else is awaited, so that it agrees with the values also if the caller goes on to change it.
  const model = await programFile(place.name + programEnding(program), program, signal);
  const files: OutFile[] = [];
  for (const [i, ending] of [".pdparams", ".pdopt"].entries()) {
    const { size, chunks } = await planSaving(states[i], { protocol, mode: "static", signal });
    files.push({ name: place.name + ending, size, chunks });
  }
  return await saveFiles(place.folder, [...files, model], options, place.name);
}

/** Whether this is an input, whose value Paddle does not save even if it is marked as persistable. */
function isFed(variable: ProgramVariable): boolean {
  return "needCheckFeed" in variable && variable.needCheckFeed === true;
}

function arrayOf(name: string, value: unknown): NDArray {
  if (value instanceof NDArray) {
    return new NDArray(value.dtype, value.shape, value.unread ?? value.bytes);
  }
  throw new ValueError(
    "INVALID_VALUE",
    `The variable ${quote(name)} is not an array, and this layout holds arrays only`,
    { at: name },
  );
}

/** Options of {@linkcode load}. */
export interface LoadOptions extends LoadProgramStateOptions {}

/**
 * The values of all persistable variables of a program, checked against it: what Paddle puts into the scope.
 *
 * Mirrors `paddle.static.load` (2.0 and later): `modelPath.pdparams` and `.pdopt`, or a folder with one file per
 * variable, or one file for all. As in Paddle, a folder may lack variables, such as the optimizer's after `saveParams`: they are left out,
 * with a warning, unless `varList` lists them.
 *
 * @throws {ValueError} `INVALID_VALUE`: a variable has no value, or one that differs from what the program says
 */
export async function load(
  program: Program,
  modelPath: string | URL | FolderEntry,
  options: LoadOptions = {},
): Promise<Map<string, DenseTensor>> {
  const varList = options.varList ?? programGiven(program).parameters();
  const absent = new Set<string>();
  const state = await readProgramState(
    modelPath,
    { ...options, varList },
    options.varList ? undefined : (name) => absent.add(name),
  );
  const wanted = varList.filter((variable) => options.varList || !isFed(variable) || state.has(variable.name));
  const variables = wanted.filter(({ name }) => !absent.has(name));
  if (variables.length < wanted.length) {
    const names = wanted.filter(({ name }) => absent.has(name)).map(({ name }) => name);
    options.onWarning?.({ code: "MISSING_PART", message: `There are no files for the variables ${quoteSome(names)}` });
  }
  return setProgramState(program, state, { variables, onWarning: options.onWarning });
}

/** Options of {@linkcode setProgramState}. */
export interface SetProgramStateOptions {
  /** Variables that must have a value. @default those in the state */
  variables?: readonly ProgramVariable[];
  /** Called with the names of entries that match no variable of the program. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/**
 * The entries of `state` that match variables of a program, checked against their shapes and dtypes.
 *
 * Mirrors `paddle.static.set_program_state` (2.0 and later), which puts them into the scope.
 *
 * @throws {ValueError} `INVALID_VALUE`: an entry differs from what the program says, or a variable has none
 */
export function setProgramState(
  program: Program,
  state: ReadonlyMap<string, NDArray>,
  options: SetProgramStateOptions = {},
): Map<string, DenseTensor> {
  checkOptions(options, ["variables", "onWarning"]);
  const known = new Map(programGiven(program).parameters().map((variable) => [variable.name, variable]));
  const values = new Map<string, DenseTensor>();
  for (const variable of options.variables ?? [...known.values()].filter(({ name }) => state.has(name))) {
    const [{ name, value }] = valuesOf([variable], state);
    values.set(name, tensorOf(value as NDArray, variable));
  }
  const unused = [...state.keys()].filter((name) => !known.has(name));
  if (unused.length > 0) {
    options.onWarning?.({
      code: "UNUSED_STATE",
      message: `The program has no variables ${quoteSome(unused)}`,
    });
  }
  return values;
}

function tensorOf(array: NDArray, { dtype }: ProgramVariable): DenseTensor {
  const lod = array instanceof DenseTensor ? array.lod : [];
  return new DenseTensor(dtype ?? array.dtype, array.shape, array.bytes, { lod });
}
