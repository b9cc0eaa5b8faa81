/**
 * From an inference model back to weights that can be trained.
 *
 * @module
 */
import type { Warning } from "./errors.ts";
import { findModel, notFound } from "./io/models/find_model.ts";
import type { Folder } from "./io/folder.ts";
import { filesOfParts, isModelParts, type ModelParts, type PartFiles } from "./io/models/model_parts.ts";
import type { FolderEntry } from "./io/open_source.ts";
import { notAPlace } from "./io/argument_errors.ts";
import { placeOf } from "./io/place.ts";
import type { ProgressEvent } from "./io/progress.ts";
import { type ReadModel, readModel, type ReadModelOptions } from "./io/models/read_model.ts";
import { closeAll } from "./io/source.ts";
import { type Limits, resolveLimits } from "./limits.ts";
import { foldedIn } from "./model/folded.ts";
import { matchNames } from "./model/match_names.ts";
import {
  foldingNote,
  namelessNote,
  type NameOrigin,
  prunedKeys,
  type RecoverReport,
  storedOtherwise,
  usesOf,
} from "./model/recover.ts";
import { checkOptions } from "./options.ts";
import { NDArray } from "./ndarray.ts";
import type { Program } from "./program.ts";
import { Tensor } from "./tensor.ts";
import type { StateDict } from "./values.ts";
import { quote, ValueError } from "./errors.ts";

/** Options of {@linkcode recoverStateDict}. */
export interface RecoverOptions {
  /** Of a folder: the file of its program. @default {"__model__"} */
  modelFilename?: string;
  /** Of a folder: the file with all its parameters. @default each parameter has a file of its own */
  paramsFilename?: string;
  /** Keys for variables, by their names: counts more than anything else. */
  names?: ReadonlyMap<string, string>;
  /** A state dict of the same network, such as its first checkpoint: its keys are given to variables of the same names and shapes. Where these
   * do not agree for a kind of layer, as in the checkpoint of another process, keys are guesses by kind, number and shape. */
  like?: StateDict;
  /**
   * Leave the numbers in the files of the model: tensors are read when they are touched, `save` passes them on in pieces, and
   * {@linkcode Recovered.close} lets go of the files. @default {false}
   */
  lazy?: boolean;
  /** Where the names are looked for. @default the place where this runtime keeps files */
  folder?: Folder;
  /** Ceilings for what the files may ask. */
  limits?: Partial<Limits>;
  /** Stops the call; the rejection is `signal.reason`. */
  signal?: AbortSignal;
  /** Called as the bytes of each file come in. */
  onProgress?: (event: ProgressEvent) => void;
  /** Called with every oddity that did not stop the call. */
  onWarning?: (warning: Warning) => void;
}

/** What {@linkcode recoverStateDict} gives. */
export interface Recovered {
  /** Tensors, each with the name of its variable, ready for `save`. */
  stateDict: StateDict;
  /** What is exact, what is not, and what cannot be known. */
  report: RecoverReport;
  /** Let go of the files, with `lazy`; else there is nothing to do. */
  close(): Promise<void>;
  /** `await using`: closes. */
  [Symbol.asyncDispose](): Promise<void>;
}

const OPTIONS = [
  "modelFilename",
  "paramsFilename",
  "names",
  "like",
  "lazy",
  "folder",
  "limits",
  "signal",
  "onProgress",
  "onWarning",
];

/**
 * A state dict out of an inference model: `prefix.pdmodel` or `prefix.json`, `prefix.pdiparams` and, if it is there,
 * `prefix.pdiparams.info`; a folder of Paddle 1.x; or these files themselves.
 *
 * With the info the keys are the network's own, and `network.set_state_dict` takes them. Without it (static models, 1.x, and every model
 * of Paddle 3's JSON form) the keys are the names of the variables, which `set_state_dict(state, use_structured_name=False)` takes in a
 * process that made the layers in the same order; `like` or `names` give structured names. Optimizer state is in no inference model, and is
 * never invented.
 *
 * @throws what `load` throws; ValueError `NAME_COLLISION` where two variables get one key
 *
 * @example Weights for further training
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 * async function recover(prefix: string) {
 *   const { stateDict, report } = await paddle.recoverStateDict(prefix);
 *   await paddle.save(stateDict, `${prefix}.pdparams`);
 *   return report.entries.filter((entry) => !entry.exact);
 * }
 * ```
 */
export async function recoverStateDict(
  from: string | URL | FolderEntry | ModelParts,
  options: RecoverOptions = {},
): Promise<Recovered> {
  checkOptions(options, OPTIONS);
  options.signal?.throwIfAborted();
  const model = await read(from, options);
  const close = () => closeAll(model.sources);
  try {
    return { ...recover(model, options), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function read(from: string | URL | FolderEntry | ModelParts, options: RecoverOptions): Promise<ReadModel> {
  const limits = resolveLimits(options.limits);
  if (isModelParts(from)) {
    return await readParts(await filesOfParts(from, limits.maxStreamBytes, options), { ...options, limits });
  }
  const place = await placeOf(from, options);
  if (!place) {
    throw notAPlace(
      "A model is named by a path, a file: URL or { folder, name }, or given as { program, params, info }",
      from,
    );
  }
  const { modelFilename, paramsFilename, signal } = options;
  const files = await findModel(place, { modelFilename, paramsFilename, signal });
  if (!files) throw await notFound(place);
  return await readModel(files, { ...options, limits });
}

/** Files that were given one by one are let go of here, as soon as nothing is left in them. */
async function readParts(files: PartFiles, options: ReadModelOptions): Promise<ReadModel> {
  try {
    const model = await readModel(files, options);
    if (!options.lazy) await files.folder.close();
    return { ...model, sources: [files.folder] };
  } catch (error) {
    await files.folder.close();
    throw error;
  }
}

function recover(
  { methods, info }: ReadModel,
  { names, like }: RecoverOptions,
): Pick<Recovered, "stateDict" | "report"> {
  const programs = methods.map(({ program }) => program);
  const folded = programs.map(foldedIn);
  const uses = usesOf(programs, folded);
  const values = new Map(methods.flatMap(({ variables }) => [...variables]));
  const shapes = new Map([...uses].map(([name, { variable }]) => [name, variable.shape]));
  const matched = like ? matchNames(shapes, like) : new Map();
  const nameOf = (variable: string): [string, NameOrigin] | null => {
    const given = names?.get(variable);
    if (given !== undefined) return [given, "given"];
    const known = info?.get(variable);
    if (known) return known.structuredName === undefined ? null : [known.structuredName, "info"];
    const match = matched.get(variable);
    return match ? [match.key, match.isGuess ? "guess" : "given"] : [variable, "variable"];
  };
  const stateDict: StateDict = new Map();
  const report: RecoverReport = {
    entries: [],
    pruned: prunedKeys(info, uses),
    constants: [],
    notes: notesOf(programs, info),
  };
  const folding = foldingNote(folded);
  if (folding) report.notes.unshift(folding);
  for (const [variable, use] of uses) {
    const value = values.get(variable);
    const name = nameOf(variable);
    if (!name || !(value instanceof NDArray)) {
      report.constants.push(variable);
      continue;
    }
    const [key, origin] = name;
    if (stateDict.has(key)) {
      throw new ValueError("NAME_COLLISION", `Two variables would be ${quote(key)} in the state dict`, {
        at: key,
        names: [key, variable],
      });
    }
    const stopGradient = info?.get(variable)?.stopGradient ?? use.variable.stopGradient ?? use.isStatistic;
    stateDict.set(key, Tensor.from(value, { name: variable, stopGradient, persistable: true }));
    const changed = [...use.changed, ...storedOtherwise(use.variable, value.dtype)];
    report.entries.push({ key, variable, name: origin, exact: changed.length === 0, changed });
  }
  const nameless = namelessNote(report.entries);
  if (nameless) report.notes.push(nameless);
  return { stateDict, report };
}

function notesOf(programs: readonly Program[], info: ReadModel["info"]): string[] {
  const notes = ["Optimizer state and learning rate are in no inference model."];
  if (!info) {
    notes.push(
      "Without .pdiparams.info nobody knows the structured names: keys are names of variables. Use set_state_dict(state, use_structured_name=False), or give { like } or { names }.",
      "Parameters that no output needs may have been left out of the file; nothing says which.",
    );
  }
  if (programs.some(({ form }) => form === "pdmodel") && !info) {
    notes.push("Which parameters were frozen is not in the file: only statistics of normalisations are known to be.");
  }
  return notes;
}
