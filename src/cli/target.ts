/**
 * Output files: the format follows from the name's ending, and nothing is overwritten unless the user says so.
 *
 * @module
 */
import { isPaddleError, quote, SaveError } from "../errors.ts";
import { exists } from "../io/models/find_model.ts";
import { npyFile } from "../io/models/model_out_files.ts";
import { folderAt, isFolder, type Place, placeOf } from "../io/open/place.ts";
import { checkFileNames } from "../io/names/file_names.ts";
import { saveFiles } from "../io/save/save_files.ts";
import type { NDArray } from "../ndarray.ts";
import { save as saveNpy, saveNpz } from "../npy.ts";
import { save as saveSafetensors } from "../safetensors.ts";
import { save } from "../save.ts";
import type { Layout } from "../static/relayout.ts";
import { SelectedRows, type Value } from "../values.ts";
import { type Given, UsageError } from "./command.ts";
import type { Session } from "./session.ts";

/** A format to write. */
export type Form = "pickle" | "safetensors" | "npz" | "npy" | "folder" | "record";

const ENDINGS: readonly (readonly [ending: string, form: Form])[] = [
  [".pdparams", "pickle"],
  [".pdopt", "pickle"],
  [".pdckpt", "pickle"],
  [".pkl", "pickle"],
  [".safetensors", "safetensors"],
  [".npz", "npz"],
  [".npy", "npy"],
  [".tensor", "record"],
];

/** Options of commands that write a file. */
export const TO_FILE = {
  force: { help: "overwrite what is there" },
  protocol: { value: "N", choices: ["2", "3", "4"], help: "for a pickle (default 4)" },
  compress: { help: "compress the arrays of an .npz" },
} as const;

/** The format that a name implies, or null. */
export function formOf(to: string): Form | null {
  if (/[/\\]$/.test(to)) return "folder";
  return ENDINGS.find(([ending]) => to.toLowerCase().endsWith(ending))?.[1] ?? null;
}

/** @throws {UsageError} the name implies no format that can be written */
export function wantedForm(to: string): Form {
  const form = formOf(to);
  if (form) return form;
  const endings = ENDINGS.map(([ending]) => ending).join(", ");
  throw new UsageError(`The extension of ${quote(to)} names no format: use ${endings}, or a folder that ends in /`);
}

/** @throws {UsageError} there is an option that another format would need */
export function checkFormOptions(form: Form | undefined, { protocol, compress }: Given<typeof TO_FILE>): void {
  if (protocol !== undefined && form !== "pickle") throw new UsageError("--protocol applies to pickles only");
  if (compress && form !== "npz") throw new UsageError("--compress applies to .npz only");
}

/** @throws {SaveError} `CONFLICT`: something exists already, and `force` was not given */
export async function checkTarget(to: string, { force }: { force?: true }, session: Session): Promise<void> {
  if (force) return;
  const place = await placeOf(to, { signal: session.signal });
  if (place && await isTaken(place)) throw conflict(to);
}

/**
 * The same for the files of a model.
 *
 * @throws {UsageError} a prefix is expected, and a folder is named
 */
export async function checkModelTarget(
  to: string,
  layout: Layout,
  { force }: { force?: true },
  { signal }: Session,
): Promise<void> {
  if (layout === "prefix" && /[/\\]$/.test(to)) {
    throw new UsageError(`A model has several files: give a prefix in that folder, such as ${to}model`);
  }
  const place = force ? null : await placeOf(to, { signal });
  if (!place) return;
  if (layout !== "prefix") {
    if (await isFolder(place) && (await folderAt(place).list()).length > 0) throw conflict(to);
    return;
  }
  for (const ending of [".pdmodel", ".json", ".pdiparams"]) {
    if (await exists(place.folder, place.name + ending)) throw conflict(to + ending);
  }
}

/** The error for a path where something exists. */
function conflict(to: string): SaveError {
  return new SaveError("CONFLICT", `${quote(to)} already exists: --force overwrites it`, { path: to, committed: "no" });
}

async function isTaken(place: Place): Promise<boolean> {
  if (await isFolder(place)) return (await folderAt(place).list()).length > 0;
  try {
    return await exists(place.folder, place.name);
  } catch (error) {
    // Something that is not a file cannot be overwritten at all: the attempt will report it.
    if (isPaddleError(error)) return false;
    throw error;
  }
}

/** Arrays by name, as in files of arrays. */
export type Arrays = ReadonlyMap<string, NDArray>;

/** Something to write: a value, and the arrays in it by name. */
export interface Content {
  readonly value: Value;
  readonly arrays: Arrays;
}

/** How {@linkcode write} writes. */
export interface WriteOptions extends Given<typeof TO_FILE> {
  readonly form: Form;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Write a value, or its arrays, in some format. Returns the number of bytes written. */
export async function write(
  { value, arrays }: Content,
  to: string,
  options: WriteOptions,
  session: Session,
): Promise<number> {
  const { form } = options;
  const hooks = session.hooks, { onWarning: _, ...quiet } = hooks;
  if (form === "pickle") return (await save(value, to, { ...hooks, protocol: Number(options.protocol ?? 4) })).bytes;
  if (form === "record") {
    const one = value instanceof SelectedRows ? value : onlyOf(arrays, to);
    return (await save(one, to, { ...hooks, useBinaryFormat: true })).bytes;
  }
  if (form === "npy") return (await saveNpy(onlyOf(arrays, to), to, quiet)).bytes;
  const unnamed = freeName(arrays);
  const named = new Map([...arrays].map(([name, array]) => [name || unnamed, array]));
  if (form === "npz") return (await saveNpz(named, to, { ...quiet, compress: options.compress === true })).bytes;
  if (form === "folder") return await writeFolder(named, to, session);
  form satisfies "safetensors";
  // PaddleNLP writes this, too: it refuses "pd", and takes files without a format for PyTorch's.
  const metadata = options.metadata ?? new Map([["format", "np"]]);
  return (await saveSafetensors(named, to, { ...quiet, metadata })).bytes;
}

/** numpy's name for an array without one; the first of them that no other array has. */
function freeName(arrays: Arrays): string {
  for (let n = 0;; n++) if (!arrays.has(`arr_${n}`)) return `arr_${n}`;
}

function onlyOf(arrays: Arrays, to: string): NDArray {
  if (arrays.size !== 1) {
    throw new UsageError(`${quote(to)} holds one array, but there are ${arrays.size}`);
  }
  return arrays.values().next().value!;
}

/** Write one `.npy` file per array: either all of them or none. */
async function writeFolder(arrays: Arrays, to: string, session: Session): Promise<number> {
  checkFileNames([...arrays.keys()].map((name) => name + ".npy"));
  const place = await placeOf(to.replace(/(?<![/\\])[/\\]+$/, ""), session.hooks);
  const files = [...arrays].map(([name, array]) => npyFile(name + ".npy", array));
  await saveFiles(folderAt(place!), files, session.hooks);
  return files.reduce((bytes, { size }) => bytes + size, 0);
}
