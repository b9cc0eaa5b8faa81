/**
 * `paddle.jit.save`.
 *
 * @module
 */
import { gotInstead } from "../words/described.ts";
import { type Property, writeProperties } from "../codec/program/properties.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import { byCodePoint } from "../words/code_point_order.ts";
import { quote, SourceError, ValueError, type Warning } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import {
  bytesFile,
  combinedFile,
  infoFile,
  programEnding,
  programFile,
  scatteredFiles,
} from "../io/models/model_out_files.ts";
import type { FolderEntry } from "../io/open/open_source.ts";
import { folderAround, placeOfPrefix } from "../io/open/place.ts";
import type { ProgressEvent } from "../io/progress.ts";
import { type OutFile, saveFiles } from "../io/save/save_files.ts";
import { inTurns } from "../io/waiting/turns.ts";
import { removeTrainingInfoInSteps } from "../model/remove_training_info.ts";
import type { ModelInfo, VariableInfo } from "../model/model_info.ts";
import { type NamedValue, parametersOf } from "../model/model_values.ts";
import { checkOptions } from "../options.ts";
import type { Program } from "../program.ts";
import { normalizeProgramInSteps, type VariableName } from "../static/normalize_program.ts";
import { Tensor } from "../tensor.ts";
import type { StateDict } from "../values.ts";
import { TranslatedLayer } from "./translated_layer.ts";

/** A Layer to export: what tracing produces in Paddle, the caller provides. */
export interface ExportedLayer {
  /** Programs by method; `forward` is the one without a suffix. */
  programs: ReadonlyMap<string, Program> | Readonly<Record<string, Program>>;
  /** Tensors by structured name; each has the name of its variable. */
  stateDict: StateDict | Readonly<Record<string, Tensor>>;
  /** Numbers and strings that the Layer has besides its methods; written with `combineParams`. */
  properties?: ReadonlyMap<string, Property | boolean>;
  /** Name of the class, which prefixes the names of properties. @default {"Layer"} */
  className?: string;
}

/** Options of {@linkcode save}. */
export interface SaveOptions {
  /**
   * Put the parameters of all methods into `path.pdiparams`, and the properties into `.meta`; other methods have a file of their own as
   * well, which newer Paddle loaders read. Paddle's `combine_params`. @default {false}
   */
  combineParams?: boolean;
  /**
   * Drop attributes and outputs that affect no result, and the call stacks of the machine that built the programs. Paddle's `clip_extra`,
   * which also drops those that matter in operators fused for inference, such as `fuse_with_relu`. PIR programs have none of these.
   * @default {true}
   */
  clipExtra?: boolean;
  /**
   * Write each parameter to its own file next to `__model__`, in the folder that contains the prefix, for a Layer with one method. Paddle's
   * `separate_parameters` (3.0), which overwrites each method with the next. @default {false}
   */
  separateParameters?: boolean;
  /** Keep only these outputs of each method, by name or by index: the programs are pruned to them. Paddle's `output_spec`. */
  outputSpec?: readonly (VariableName | number)[];
  /** The inputs that remain after pruning. Paddle's `input_names_after_prune`. @default all */
  inputNamesAfterPrune?: readonly string[];
  /** Keep operators that the outputs of `outputSpec` do not need. Paddle's `skip_prune_program`. @default {false} */
  skipPruneProgram?: boolean;
  /** Do not write `forward`. Paddle's `skip_forward`. @default {false} */
  skipForward?: boolean;
  /**
   * Also write `<prefix>.pdsum`, with `separateParameters` `.pdsum` in the folder, last of all: sizes and SHA-256 of the files, by which
   * every later load detects files from different saves. Only in the file system. @default {false}
   */
  manifest?: boolean;
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Aborts the call before any file is put in place. */
  signal?: AbortSignal | undefined;
  /** Called as bytes are written. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/**
 * Write an exported Layer: `path.pdmodel` (or `.json`) and `path.pdiparams`, for other methods `path.method.pdmodel` and so on, and for
 * programs in the legacy format `path.pdiparams.info` with the structured names. Returns the names of the files.
 *
 * Mirrors `paddle.jit.save` (2.0 and later). There is no tracing here: the caller provides the programs, for example as a
 * {@linkcode TranslatedLayer} that was loaded.
 *
 * @throws {ValueError} `INVALID_VALUE`: a variable of a program has no Tensor, or one that differs from what the program says; an output
 *   needs an input that is not in `inputNamesAfterPrune`; `separateParameters` with several methods
 * @throws {SourceError} `NOT_FOUND`: a program has no such output
 */
export async function save(
  layer: TranslatedLayer | ExportedLayer,
  path: string | URL | FolderEntry,
  options: SaveOptions = {},
): Promise<string[]> {
  checkOptions(options, OPTIONS);
  options.signal?.throwIfAborted();
  const { combineParams = false, separateParameters = false, skipForward = false } = options;
  const { programs, variables, info, properties, className } = partsOf(layer);
  const place = await placeOfPrefix("path", path, options);
  const chosen = [...programs].filter(([method]) => !(skipForward && method === "forward"));
  if (separateParameters && chosen.length !== 1) {
    throw new ValueError(
      "INVALID_VALUE",
      `separateParameters takes one program, the Layer has ${chosen.length}`,
    );
  }
  const base = separateParameters ? place.name.slice(place.name.lastIndexOf("/") + 1) : place.name;
  const methods: Method[] = [];
  for (const [name, given] of chosen.sort(([a], [b]) => byCodePoint(a, b))) {
    const program = await programOf(given, options);
    const isForward = name === "forward", prefix = isForward ? place.name : `${place.name}.${name}`;
    const file = separateParameters ? folderModel(program) : prefix + programEnding(program);
    const values = parametersOf(program, variables);
    methods.push({ prefix, isForward, values, model: await programFile(file, program, options.signal) });
  }
  const params = separateParameters
    ? scatteredFiles(methods[0].values, {})
    : paramFiles(place.name, methods, combineParams);
  const isLegacy = chosen.some(([, program]) => program instanceof ProgramDesc);
  if (isLegacy && info && info.size > 0) params.push(infoFile(base + ".pdiparams.info", info));
  if (combineParams && properties && properties.size > 0) {
    params.push(bytesFile(base + ".meta", writeProperties(className, properties)));
  }
  const folder = separateParameters ? folderAround(place) : place.folder;
  const files = [...params, ...methods.map(({ model }) => model)];
  return await saveFiles(folder, files, options, separateParameters ? "" : place.name);
}

/** A method of the Layer, as it is written. */
interface Method {
  /** The prefix of its files: those of `forward` have that of the Layer, those of other methods the method's name after it. */
  readonly prefix: string;
  readonly isForward: boolean;
  /** Its parameters. */
  readonly values: readonly NamedValue[];
  /** The file of its program. */
  readonly model: OutFile;
}

/** Name of the program's file in a folder with a file for each parameter. */
function folderModel(program: Program): string {
  return program instanceof ProgramDesc ? "__model__" : "__model__.json";
}

/** The files with the parameters of a prefix. */
function paramFiles(prefix: string, methods: readonly Method[], combineParams: boolean): OutFile[] {
  const files: OutFile[] = [];
  const union = new Map<string, NamedValue>();
  for (const { prefix, isForward, values } of methods) {
    for (const value of values) union.set(value.name, value);
    const isOwn = !combineParams || !isForward;
    if (isOwn && values.length > 0) files.push(combinedFile(prefix + ".pdiparams", values));
  }
  if (combineParams && union.size > 0) {
    const values = [...union.values()].sort((a, b) => byCodePoint(a.name, b.name));
    files.push(combinedFile(prefix + ".pdiparams", values));
  }
  return files;
}

const OPTIONS = [
  "combineParams",
  "clipExtra",
  "separateParameters",
  "manifest",
  "outputSpec",
  "inputNamesAfterPrune",
  "skipPruneProgram",
  "skipForward",
  "folder",
  "signal",
  "onProgress",
  "onWarning",
];

/** The program to write for a method. */
async function programOf(given: Program, options: SaveOptions): Promise<Program> {
  const { outputSpec, inputNamesAfterPrune, clipExtra = true } = options;
  const isPruned = outputSpec !== undefined || inputNamesAfterPrune !== undefined;
  const program = isPruned ? await prunedTo(given, options) : given;
  if (!(program instanceof ProgramDesc)) return program;
  const made = isPruned ? program : program.clone();
  await inTurns(removeTrainingInfoInSteps(made, clipExtra), options.signal);
  return made;
}

async function prunedTo(
  given: Program,
  { outputSpec, inputNamesAfterPrune, skipPruneProgram, signal }: SaveOptions,
): Promise<Program> {
  const fetches = given.fetches();
  const outputs = outputSpec?.map((output) => {
    if (typeof output !== "number") return output;
    if (fetches[output]) return fetches[output];
    throw new SourceError("NOT_FOUND", `There is no output ${output}: the program has ${fetches.length}`);
  });
  const inputs = inputNamesAfterPrune ?? given.feeds();
  return await inTurns(normalizeProgramInSteps(given, inputs, outputs ?? fetches, { skipPruneProgram }), signal);
}

interface Parts {
  programs: ReadonlyMap<string, Program>;
  variables: ReadonlyMap<string, Tensor>;
  info: ModelInfo | null;
  properties?: ReadonlyMap<string, Property | boolean>;
  className: string;
}

function partsOf(layer: TranslatedLayer | ExportedLayer): Parts {
  if (layer instanceof TranslatedLayer) return { ...layer, className: "Layer" };
  if (typeof layer?.programs !== "object") {
    const wanted = "jit.save takes a TranslatedLayer or { programs, stateDict }, as there is no tracing here";
    throw new TypeError(`${wanted}: ${gotInstead(layer)}`);
  }
  const { properties, className = "Layer" } = layer;
  const programs = new Map(layer.programs instanceof Map ? layer.programs : Object.entries(layer.programs));
  const variables = new Map<string, Tensor>(), info = new Map<string, VariableInfo>();
  const entries: Iterable<[string, unknown]> = layer.stateDict instanceof Map
    ? layer.stateDict
    : Object.entries(layer.stateDict);
  // Paddle loads what has the flag as a Parameter, anything else as a buffer. A state dict from a file does not tell them apart.
  const isOfLayer = [...entries].some(([, tensor]) => tensor instanceof Tensor && "trainable" in tensor);
  const trainableOf = (tensor: Tensor) =>
    "trainable" in tensor ? tensor.trainable === true : isOfLayer ? undefined : !tensor.stopGradient;
  for (const [structuredName, tensor] of entries) {
    if (!(tensor instanceof Tensor)) continue;
    if (tensor.name === "") {
      throw new ValueError(
        "INVALID_VALUE",
        `The Tensor ${quote(structuredName)} has no name: it is unknown which variable it is`,
        {
          at: structuredName,
        },
      );
    }
    // Two keys may share one parameter; as in Paddle, it takes the last one as its name.
    variables.set(tensor.name, tensor);
    info.set(tensor.name, { structuredName, stopGradient: tensor.stopGradient, trainable: trainableOf(tensor) });
  }
  return { programs, variables, info, properties, className };
}
