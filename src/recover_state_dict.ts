/**
 * Recovers trainable weights from an inference model.
 *
 * @module
 */
import type { Warning } from "./errors.ts";
import { findModel, notFound } from "./io/models/find_model.ts";
import type { Folder } from "./io/folder.ts";
import { filesOfParts, isModelParts, type ModelParts, type PartFiles } from "./io/models/model_parts.ts";
import type { FolderEntry } from "./io/open/open_source.ts";
import { notAPlace } from "./io/argument_errors.ts";
import { placeOf } from "./io/open/place.ts";
import type { ProgressEvent } from "./io/progress.ts";
import { type ReadModel, readModel, type ReadModelOptions } from "./io/models/read_model.ts";
import { closeAll } from "./io/source.ts";
import { inTurns } from "./io/waiting/turns.ts";
import type { Limits } from "./limits.ts";
import { limitsOf } from "./io/limits_of.ts";
import { type Folded, foldedInSteps } from "./model/folded.ts";
import { type MatchedName, matchNames, sharedKeys } from "./model/match_names.ts";
import {
  foldingNote,
  keysLeft,
  namelessNote,
  type NameOrigin,
  prunedKeys,
  type RecoverReport,
  storedOtherwise,
  unclearNote,
  unusedNote,
  usesInSteps,
} from "./model/recover.ts";
import { checkOptions } from "./options.ts";
import { NDArray } from "./ndarray.ts";
import type { Program } from "./program.ts";
import { Tensor } from "./tensor.ts";
import type { StateDict } from "./values.ts";
import { quote, ValueError } from "./errors.ts";
import { shownValue } from "./words/described.ts";
import type { Disposed } from "./words/disposed.ts";

/** Options of {@linkcode recoverStateDict}. */
export interface RecoverOptions {
  /** For a folder: the file with the program. @default {"__model__"} */
  modelFilename?: string | undefined;
  /** For a folder: the file with all parameters. @default each parameter has its own file */
  paramsFilename?: string | undefined;
  /** Keys by variable name; they take precedence over any others. */
  names?: ReadonlyMap<string, string> | undefined;
  /**
   * A state dict of the same network, such as its first checkpoint: its keys are used for variables with the same names and shapes. If
   * these do not match for a kind of layer, as in a checkpoint from another process, keys are guessed by kind, number and shape. A
   * parameter that it has under several keys gets all of them.
   */
  like?: StateDict | undefined;
  /**
   * Leave the data in the files of the model: tensors are read on access, `save` copies them in pieces, and {@linkcode Recovered.close}
   * closes the files. @default {false}
   */
  lazy?: boolean | undefined;
  /** The folder in which names are looked up. @default where this runtime keeps files */
  folder?: Folder | undefined;
  /** Limits on what the files may request. */
  limits?: Partial<Limits> | undefined;
  /** Aborts the call, which rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called as the bytes of each file come in. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Called with each warning, about something odd that did not stop the call. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/** The result of {@linkcode recoverStateDict}; disposing of it, such as with `await using`, closes it. */
export interface Recovered extends Disposed {
  /** Tensors, each with the name of its variable, ready for `save`. */
  stateDict: StateDict;
  /** What is exact, what is not, and what cannot be known. */
  report: RecoverReport;
  /** Close the files that `lazy` leaves open; otherwise this does nothing. */
  close(): Promise<void>;
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
 * Recover a state dict from an inference model: `prefix.pdmodel` or `prefix.json`, `prefix.pdiparams` and, if present,
 * `prefix.pdiparams.info`; a folder of Paddle 1.x; or these files themselves.
 *
 * With the info, the keys are the network's own, which `network.set_state_dict` accepts. Without it (static models, 1.x, and all models in
 * Paddle 3's JSON form), the keys are the names of the variables, which `set_state_dict(state, use_structured_name=False)` accepts in a
 * process that created the layers in the same order; `like` or `names` provide structured names. No inference model contains optimizer
 * state, and none is made up.
 *
 * @throws what `load` throws; ValueError `NAME_COLLISION` if two variables get the same key
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
  checkMaps(options);
  options.signal?.throwIfAborted();
  const model = await read(from, options);
  const close = () => closeAll(model.sources);
  try {
    return { ...await inTurns(recover(model, options), options.signal), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function checkMaps({ names, like }: RecoverOptions): void {
  for (const [name, map] of Object.entries({ names, like })) {
    if (map === undefined || map === null || map instanceof Map) continue;
    throw new TypeError(`Option ${name} must be a Map, such as toMap makes of an object: got ${shownValue(map)}`);
  }
  for (const [variable, key] of names ?? []) {
    if (typeof key === "string") continue;
    throw new TypeError(`Option names must have a string for ${quote(String(variable))}: got ${shownValue(key)}`);
  }
}

async function read(from: string | URL | FolderEntry | ModelParts, options: RecoverOptions): Promise<ReadModel> {
  const limits = limitsOf(options.limits);
  if (isModelParts(from)) {
    return await readParts(await filesOfParts(from, limits.maxStreamBytes, options), { ...options, limits });
  }
  const place = await placeOf(from, options);
  if (!place) {
    throw notAPlace(
      "A model is given by a path, a file: URL or { folder, name }, or by { program, params, info }",
      from,
    );
  }
  const { modelFilename, paramsFilename, signal } = options;
  const files = await findModel(place, { modelFilename, paramsFilename, signal, stacked: true });
  if (!files) throw await notFound(place, signal);
  return await readModel(files, { ...options, limits });
}

/** Read a model from files given one by one, which are closed as soon as no unread data is left in them. */
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

function* recover(
  { methods, info }: ReadModel,
  { names, like }: RecoverOptions,
): Generator<void, Pick<Recovered, "stateDict" | "report">> {
  const programs = methods.map(({ program }) => program);
  const folded: Folded[] = [];
  for (const program of programs) folded.push(yield* foldedInSteps(program));
  const uses = yield* usesInSteps(programs, folded);
  const values = new Map(methods.flatMap(({ variables }) => [...variables]));
  const shapes = new Map([...uses].map(([name, { variable }]) => [name, variable.shape]));
  const nameOf = namer(names, info, like ? matchNames(shapes, like) : new Map());
  const stateDict: StateDict = new Map();
  const report: RecoverReport = { entries: [], pruned: prunedKeys(info, uses), constants: [], notes: [] };
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
  const { entries } = report;
  if (like) addShared(like, stateDict, entries);
  const left = like && !info ? keysLeft(like, stateDict, entries) : { pruned: [], unclear: [] };
  report.pruned.push(...left.pruned);
  const notes = [
    foldingNote(folded),
    ...notesOf(programs, info, entries, like !== undefined),
    namelessNote(entries),
    unclearNote(left.unclear),
    unusedNote(names?.keys() ?? [], uses),
  ];
  report.notes.push(...notes.filter((note) => note !== null));
  return { stateDict, report };
}

/** Add the other keys of parameters that `like` has under several: loaders that require every key need these, too. */
function addShared(like: StateDict, stateDict: StateDict, entries: RecoverReport["entries"]): void {
  const entryOf = new Map(entries.map((entry) => [entry.key, entry]));
  for (const keys of sharedKeys(like)) {
    const entry = keys.map((key) => entryOf.get(key)).find((entry) => entry !== undefined);
    if (!entry) continue;
    for (const key of keys) {
      if (stateDict.has(key)) continue;
      stateDict.set(key, stateDict.get(entry.key)!);
      entries.push({ ...entry, key, changed: [...entry.changed] });
    }
  }
}

/** Returns what gives a variable's key and where the key comes from; null for a variable that is not in the state dict. */
function namer(
  names: RecoverOptions["names"],
  info: ReadModel["info"],
  matched: ReadonlyMap<string, MatchedName>,
): (variable: string) => [string, NameOrigin] | null {
  return (variable) => {
    const given = names?.get(variable);
    if (given !== undefined) return [given, "given"];
    const known = info?.get(variable);
    if (known) return known.structuredName === undefined ? null : [known.structuredName, "info"];
    const match = matched.get(variable);
    return match ? [match.key, match.isGuess ? "guess" : "given"] : [variable, "variable"];
  };
}

function notesOf(
  programs: readonly Program[],
  info: ReadModel["info"],
  entries: RecoverReport["entries"],
  isLikeGiven: boolean,
): string[] {
  const notes = ["No inference model holds optimizer state or a learning rate."];
  if (!info) {
    if (entries.some(({ name }) => name === "variable")) {
      notes.push(
        "Without .pdiparams.info the structured names are unknown: keys are variable names. Use set_state_dict(state, use_structured_name=False), or pass { like } or { names }.",
      );
    }
    if (!isLikeGiven) {
      notes.push("Parameters that no output needs may have been left out of the file; which ones is unknown.");
    }
  }
  if (programs.some(({ form }) => form === "pdmodel") && !info) {
    notes.push("Which parameters were frozen is not in the file: only statistics of normalisations are known to be.");
  }
  return notes;
}
