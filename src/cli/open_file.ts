/**
 * Opens whatever the user names: a file of any kind that the library reads, or a model by its prefix, folder or one of its files.
 *
 * @module
 */
import { detect, type FileKind } from "../detect.ts";
import { FormatError, isPaddleError, quote, quoteSome, SourceError } from "../errors.ts";
import { isNoFile } from "../io/models/find_model.ts";
import { nearest } from "../limits.ts";
import { namedArrays } from "../model/named_arrays.ts";
import type { NDArray } from "../ndarray.ts";
import { open as openNpy, openNpz } from "../npy.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { open } from "../open.ts";
import { openArchive } from "../open_archive.ts";
import type { Float8 } from "../options.ts";
import { refusalOf } from "../words/refused_array.ts";
import { TensorMap } from "../words/tensor_map.ts";
import type { Value } from "../values.ts";
import { type Given, UsageError } from "./command.ts";
import { type FoundModel, modelOf } from "./model_of.ts";
import { type FROM_ARRAYS, type Reading, reading } from "./reading.ts";
import type { Session } from "./session.ts";

/** The kind of what was opened; a `folder` has one file per tensor. */
export type OpenedKind = FileKind | "npz" | "model" | "folder";

/** An opened file. */
export interface OpenFile {
  /** What the user called it. */
  readonly shown: string;
  readonly kind: OpenedKind;
  readonly checkpoint: Checkpoint;
  /** The value, with arrays that are read on demand. */
  readonly value: Value;
  /** Its arrays by name. */
  readonly arrays: ReadonlyMap<string, NDArray>;
  readonly model: FoundModel | null;
  /** Where and how it was looked up. */
  readonly where: Reading;
}

/** Open what `from` names, run `body` on it, and close it. */
export async function withFile<T>(
  from: string,
  options: Given<typeof FROM_ARRAYS>,
  session: Session,
  body: (file: OpenFile) => Promise<T>,
): Promise<T> {
  return await reading(options, session, async (where) => {
    const { onWarning, onProgress } = session;
    const float8 = options.float8 as Float8 | undefined;
    const hooks = { ...where, float8, onWarning, onProgress };
    const model = await modelOf(from, options, where);
    let kind: OpenedKind, checkpoint: Checkpoint;
    if (model) {
      kind = "model";
      checkpoint = await open(model.entry, { ...hooks, ...model.names });
    } else [kind, checkpoint] = await openPlain(from, hooks);
    try {
      const value = await checkpoint.value();
      if (value instanceof TensorMap) kind = "safetensors";
      return await body({ shown: from, kind, checkpoint, value, arrays: namedArrays(value), model, where });
    } finally {
      await checkpoint.close();
    }
  });
}

async function openPlain(
  from: string,
  hooks: Reading & Pick<Session, "onWarning" | "onProgress"> & { float8?: Float8 },
): Promise<[OpenedKind, Checkpoint]> {
  let kind: FileKind;
  const { onProgress, ...where } = hooks;
  try {
    const { folder, signal } = hooks;
    kind = await detect(from, { folder, signal });
  } catch (error) {
    if (!isNoFile(error)) throw error;
    return ["folder", await open(from, hooks)];
  }
  // A long description may come before what shows that it is an index.
  if (kind === "unknown" && /\.index\.json(\?|$)/.test(from)) kind = "shards";
  if (kind === "npy") return [kind, await openNpy(from, where)];
  try {
    if (kind === "zip") return ["npz", await openNpz(from, where)];
    return [kind, await open(from, { ...where, onProgress })];
  } catch (error) {
    // Arrays that no Tensor can hold are shown as they are.
    if (kind === "pickle" && isPaddleError(error) && error.code === "UNSUPPORTED_DTYPE") {
      return [kind, await open(from, { ...where, onProgress, returnNumpy: true })];
    }
    throw await insideOf(from, kind, hooks) ?? error;
  }
}

/** The error for an archive of other files; null for anything else, such as a damaged .npz. */
async function insideOf(
  from: string,
  kind: FileKind,
  { folder, limits, signal }: Reading,
): Promise<FormatError | null> {
  if (folder) return null;
  let names: string[];
  try {
    const archive = await openArchive(from, { limits, signal });
    try {
      names = await archive.list();
    } finally {
      await archive.close();
    }
  } catch {
    return null;
  }
  if (names.length === 0 || (kind === "zip" && names.every((name) => name.endsWith(".npy")))) return null;
  return new FormatError("WRONG_FORMAT", `${quote(from)} is an archive of ${quoteSome(names)}`, {
    path: from,
    hint: "pass --archive FILE, and give one of its names, a prefix or a folder in place of FILE",
  });
}

/** The name of the array that is meant: if none was given, that of the only one. */
export function arrayNamed(
  { arrays, shown, value }: Pick<OpenFile, "arrays" | "shown" | "value">,
  name: string | undefined,
): string {
  if (name === undefined) {
    if (arrays.size === 1) return arrays.keys().next().value!;
    throw new UsageError(`${shown} has ${arrays.size} arrays: name one`);
  }
  if (arrays.has(name)) return name;
  const refusal = refusalOf(value, name);
  if (refusal) throw refusal;
  throw notNamed(name, [...arrays.keys()]);
}

/** The error for a name that does not exist. */
export function notNamed(name: string, names: readonly string[]): SourceError {
  const near = names.length > 0 ? `: the nearest is ${quote(nearest(name, names))}` : "";
  return new SourceError("NOT_FOUND", `There is no ${quote(name)} in it${near}`, { at: name });
}
