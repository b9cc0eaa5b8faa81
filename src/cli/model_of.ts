/**
 * Finds the model that a user names: by its prefix, its folder, or one of its files.
 *
 * @module
 */
import { isPaddleError } from "../errors.ts";
import { exists, findModel, isNoFile, type ModelFiles, notFound } from "../io/models/find_model.ts";
import type { Folder } from "../io/folder.ts";
import type { FolderEntry } from "../io/open/open_source.ts";
import { folderAt, isFolder, type Place, placeOf } from "../io/open/place.ts";
import type { InferenceModel } from "../static/inference_model.ts";
import { openInferenceModel } from "../static/load_inference_model.ts";
import { type Given, UsageError } from "./command.ts";
import type { FROM_MODEL, Reading } from "./reading.ts";
import type { Session } from "./session.ts";

/** Files of a model that stand for the whole model. */
const PART = /\.(pdmodel|json|pdiparams|pdiparams\.info)$/;

/** A model that was found. */
export interface FoundModel {
  readonly files: ModelFiles;
  readonly entry: FolderEntry;
  readonly names: { modelFilename?: string; paramsFilename?: string };
}

/** The model that `from` names, directly or by one of its files; null if it names something else. */
export async function modelOf(
  from: string,
  options: Given<typeof FROM_MODEL>,
  where: Reading,
): Promise<FoundModel | null> {
  const place = await placeOf(from, where);
  if (!place) return null;
  const part = PART.exec(place.name);
  if (part && !/\.index\.json$/.test(place.name)) {
    const prefix = { ...place, name: place.name.slice(0, part.index) };
    const model = await foundAt(prefix, {}).catch(ignoreAmbiguous);
    // A program without parameters next to it stands for itself.
    return model && await hasParameters(model.files) ? model : null;
  }
  if (place.name !== "" && await isFile(place.folder, place.name)) return null;
  const { "model-filename": modelFilename, "params-filename": paramsFilename } = options;
  return await modelAt(place, {
    ...(modelFilename === undefined ? {} : { modelFilename }),
    ...(paramsFilename === undefined ? {} : { paramsFilename }),
  });
}

/** The model that a user names; throws if there is none. */
export async function foundModel(
  from: string,
  options: Given<typeof FROM_MODEL>,
  where: Reading,
): Promise<FoundModel> {
  const model = await modelOf(from, options, where);
  if (model) return model;
  const place = await placeOf(from, where);
  if (!place) {
    throw new UsageError("A model has several files: it is given by its prefix or folder, as a path or an http: URL");
  }
  throw await notFound(place);
}

async function modelAt(place: Place, names: FoundModel["names"]): Promise<FoundModel | null> {
  if (!await isFolder(place)) return await foundAt(place, names);
  const prefix = await onlyPrefix(place);
  if (prefix !== null && isMeant(prefix.name, names)) return await foundAt({ ...prefix, shown: place.shown }, names);
  return await foundAt(place, { ...await usualNames(place), ...names });
}

async function foundAt(place: Place, names: FoundModel["names"]): Promise<FoundModel | null> {
  const files = await findModel(place, names);
  return files && { files, entry: { folder: place.folder, name: place.name }, names };
}

/**
 * The only prefix in a folder, such as `inference` in current exports; null if there are several, or a program of 1.x. Hidden files do not
 * count: macOS puts one beside each file on disks of other systems, and in tar archives.
 */
async function onlyPrefix(place: Place): Promise<Place | null> {
  const folder = folderAt(place);
  const names = new Set((await folder.list()).filter((name) => !/^\.|\//.test(name)));
  const models = [...names].filter((name) => name.endsWith(".pdiparams")).map((name) => name.slice(0, -10))
    .filter((prefix) => names.has(prefix + ".pdmodel") || names.has(prefix + ".json"));
  return models.length === 1 && !names.has("__model__") ? { folder, name: models[0], shown: place.shown } : null;
}

/** Whether the user means the only prefix: no file is named, or one of its own. With both names, there is nothing left to find. */
function isMeant(prefix: string, { modelFilename, paramsFilename }: FoundModel["names"]): boolean {
  if (modelFilename === undefined) return (paramsFilename ?? prefix + ".pdiparams") === prefix + ".pdiparams";
  return paramsFilename === undefined && [prefix + ".pdmodel", prefix + ".json"].includes(modelFilename);
}

/** The file names of a 1.x folder, if they are common ones: then the user need not give them. */
async function usualNames(place: Place): Promise<FoundModel["names"]> {
  const folder = folderAt(place);
  for (const modelFilename of ["__model__", "__model__.json", "model"]) {
    if (!await isFile(folder, modelFilename)) continue;
    for (const paramsFilename of ["__params__", "params"]) {
      if (await isFile(folder, paramsFilename)) return { modelFilename, paramsFilename };
    }
  }
  return {};
}

/** Whether a folder has a file `name`, and not a folder of that name. */
async function isFile(folder: Folder, name: string): Promise<boolean> {
  try {
    return await exists(folder, name);
  } catch (error) {
    if (isNoFile(error)) return false;
    throw error;
  }
}

/** If there is a folder of the same name, a user who names a file means the file. */
function ignoreAmbiguous(error: unknown): null {
  if (isPaddleError(error) && error.code === "AMBIGUOUS_PATH") return null;
  throw error;
}

async function hasParameters({ folder, methods: [{ params }] }: ModelFiles): Promise<boolean> {
  try {
    return params !== null && await exists(folder, params);
  } catch (error) {
    if (isPaddleError(error)) return false;
    throw error;
  }
}

/** Run `body` on a model's program and parameters, which stay in their files until they are written. */
export async function withModel<T>(
  { entry, names, files: { methods } }: FoundModel,
  session: Session,
  { limits }: Reading,
  body: (model: InferenceModel) => Promise<T>,
): Promise<T> {
  if (methods.length > 1) {
    void session.note(`warning: only forward of ${methods.map(({ method }) => method).join(", ")} is written`);
  }
  const { model, close } = await openInferenceModel(entry, { ...session.hooks, ...names, limits });
  try {
    return await body(model);
  } finally {
    await close();
  }
}
