/**
 * `paddle.static.load_inference_model`.
 *
 * @module
 */
import { type FileNames, findModel, type ModelFiles, notFound } from "../io/models/find_model.ts";
import type { Folder } from "../io/folder.ts";
import { MemoryFolder } from "../io/folders/memory_folder.ts";
import type { FolderEntry } from "../io/open/open_source.ts";
import { notAPlace } from "../io/argument_errors.ts";
import { canList, folderAt, isFolder, type Place, placeOf } from "../io/open/place.ts";
import type { ProgressEvent } from "../io/progress.ts";
import { readModel } from "../io/models/read_model.ts";
import { closeAll } from "../io/source.ts";
import type { Limits } from "../limits.ts";
import { limitsOf } from "../io/limits_of.ts";
import { checkOptions } from "../options.ts";
import type { Warning } from "../errors.ts";
import { InferenceModel } from "./inference_model.ts";

/** Options of {@linkcode loadInferenceModel}. */
export interface LoadInferenceModelOptions {
  /**
   * If this or `paramsFilename` is given, the path is a folder: the program's file, with or without its extension. @default {"__model__"}
   */
  modelFilename?: string | Uint8Array | undefined;
  /** The file with all parameters, with or without its extension. @default each parameter has a file of its own */
  paramsFilename?: string | Uint8Array | undefined;
  /** The folder that names refer to. @default where this runtime keeps files */
  folder?: Folder | undefined;
  /** Limits on what the files may demand. */
  limits?: Partial<Limits> | undefined;
  /** Aborts the call; the rejection is `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called as the bytes of each file are read. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Called for every irregularity that does not stop the call. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const OPTIONS = ["modelFilename", "paramsFilename", "folder", "limits", "signal", "onProgress", "onWarning"];

/**
 * The program of an inference model, and the values of its parameters.
 *
 * `pathPrefix` is what the model was saved under (`m` for `m.pdmodel` or `m.json`, and `m.pdiparams`), or a folder of Paddle 1.x; null if
 * both file names are the files' bytes themselves. Every record is checked against its variable: count, shape and dtype. What Paddle's
 * quantizers stored, int8 or int16 where the program says float32, is returned as stored, as is float16 of `convert_weight_to_fp16`. Of a
 * Layer exported with several methods, this is `forward`.
 *
 * Mirrors `paddle.static.load_inference_model` (2.0 and later).
 *
 * @throws {SourceError} `NOT_FOUND`
 * @throws {PathError} `MISSING_PART`: a file of the model is missing; `AMBIGUOUS_PATH`: there are a model and a folder of that name
 * @throws {FormatError} a file is damaged, or the files are from two models
 *
 * @example Inspect a model
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 * async function describe(prefix: string) {
 *   const { feedTargetNames, parameters } = await paddle.static.loadInferenceModel(prefix);
 *   return `${feedTargetNames} -> ${parameters.size} parameters`;
 * }
 * ```
 */
export async function loadInferenceModel(
  pathPrefix: string | URL | FolderEntry | null,
  options: LoadInferenceModelOptions = {},
): Promise<InferenceModel> {
  return (await readInferenceModel(pathPrefix, options, false)).model;
}

/** {@linkcode loadInferenceModel} with values that are left in their files, which stay open until `close`. */
export async function openInferenceModel(
  pathPrefix: string | URL | FolderEntry,
  options: LoadInferenceModelOptions = {},
): Promise<{ model: InferenceModel; close: () => Promise<void> }> {
  return await readInferenceModel(pathPrefix, options, true);
}

async function readInferenceModel(
  pathPrefix: string | URL | FolderEntry | null,
  options: LoadInferenceModelOptions,
  lazy: boolean,
): Promise<{ model: InferenceModel; close: () => Promise<void> }> {
  checkOptions(options, OPTIONS);
  options.signal?.throwIfAborted();
  const { modelFilename, paramsFilename } = options;
  const files = pathPrefix === null
    ? await filesOfBytes(modelFilename, paramsFilename)
    : await filesOf(pathPrefix, namesOf(options), options);
  const limits = limitsOf(options.limits);
  const { methods: [{ program, variables }], info, sources } = await readModel(files, {
    ...options,
    limits,
    mode: "static",
    onlyForward: true,
    lazy,
  });
  return { model: new InferenceModel(program, variables, info), close: () => closeAll(sources) };
}

function namesOf({ modelFilename, paramsFilename }: LoadInferenceModelOptions): FileNames {
  if (modelFilename instanceof Uint8Array || paramsFilename instanceof Uint8Array) {
    throw new TypeError("modelFilename and paramsFilename can be bytes only where pathPrefix is null");
  }
  return { modelFilename, paramsFilename };
}

async function filesOf(
  path: string | URL | FolderEntry,
  names: FileNames,
  { folder, signal }: LoadInferenceModelOptions,
): Promise<ModelFiles> {
  const place = await placeOf(path, { folder, signal });
  if (!place) throw notAPlace("A model is given by a path, a file: URL or { folder, name }", path);
  const isNamed = names.modelFilename !== undefined || names.paramsFilename !== undefined;
  const files = isNamed && await isFolder(place)
    ? await findModel(place, { ...await withEndings(place, names), signal })
    : await findModel(place, { ...names, signal });
  if (!files) throw await notFound(place, signal);
  return files;
}

/** Paddle accepts both names without their extensions, too. */
async function withEndings(place: Place, { modelFilename, paramsFilename }: FileNames): Promise<FileNames> {
  const files = new Set(await canList(place) ? await folderAt(place).list() : []);
  const found = (name: string | undefined, endings: string[]) =>
    name === undefined ? undefined : endings.map((end) => name + end).find((file) => files.has(file)) ?? name;
  return {
    modelFilename: found(modelFilename, [".pdmodel", ".json"]),
    paramsFilename: found(paramsFilename, [".pdiparams"]),
  };
}

async function filesOfBytes(program: unknown, params: unknown): Promise<ModelFiles> {
  if (!(program instanceof Uint8Array) || !(params === undefined || params instanceof Uint8Array)) {
    throw new TypeError("Without a path, modelFilename and paramsFilename must be the bytes of the files");
  }
  const folder = new MemoryFolder();
  await put(folder, "model.pdmodel", program);
  if (params) await put(folder, "model.pdiparams", params);
  return (await findModel({ folder, name: "model", shown: "model" }))!;
}

async function put(folder: Folder, name: string, bytes: Uint8Array): Promise<void> {
  const sink = await folder.put(name);
  await sink.write(bytes);
  await sink.close();
}
