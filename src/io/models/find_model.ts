/**
 * Finds the files of a model by their names: prefixes (`m.pdmodel` or `m.json`, `m.pdiparams`, `m.pdiparams.info`, methods
 * `m.other.pdmodel`) and folders of Paddle 1.x (`__model__`, with one file per parameter or one for all). FORMATS.md 9, 10.1 and 11.
 *
 * @module
 */
import { detectKind, type FileKind, HEAD_BYTES } from "../../codec/detect_kind.ts";
import { byCodePoint } from "../../words/code_point_order.ts";
import { isPaddleError, PathError, quote, SourceError } from "../../errors.ts";
import { DirectoryFolder } from "../folders/directory_folder.ts";
import { foldedName } from "../names/folded_name.ts";
import { pathCalls } from "../disk/path.ts";
import { realPath } from "../platform.ts";
import type { Folder } from "../folder.ts";
import { checkManifest, findManifest, manifestName, type Versions } from "../save/manifest.ts";
import { canList, folderAt, hasNeighbours, isFolder, type Place } from "../open/place.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";
import { within } from "../waiting/within.ts";

/** The files of one method. */
export interface MethodFiles {
  /** `forward`, or the name of another method of a Layer. */
  readonly method: string;
  /** Names of its program files, one for each form that exists. */
  readonly programs: readonly string[];
  /** Name of the file with all its parameters; null if each has a file of its own. */
  readonly params: string | null;
}

/** The files of a model. */
export interface ModelFiles {
  readonly folder: Folder;
  /** What the caller called it, for messages. */
  readonly shown: string;
  readonly methods: readonly MethodFiles[];
  /** Name of the file with the structured names. */
  readonly info: string;
  /** Those of the files that a manifest lists. */
  readonly versions: Versions;
}

/** File names given by the caller. */
export interface FileNames {
  modelFilename?: string | undefined;
  paramsFilename?: string | undefined;
  /** Open files without reading them. */
  lazy?: boolean | undefined;
  /**
   * Also find what 2.6's `jit.save` wrote for methods after the second: it appended their names to each other, `m.other.second.pdmodel`,
   * where Paddle itself does not look.
   */
  stacked?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

const FORMS = [".json", ".pdmodel"];
/** Ending of the file with the structured names. */
const INFO = ".pdiparams.info";
/** The program of a folder, if the caller gives no name. */
const DEFAULT_MODEL = ["__model__", "__model__.json"];

/** The model at a place, or null if there is none. */
export async function findModel(place: Place, names: FileNames = {}): Promise<ModelFiles | null> {
  const prefix = hasNeighbours(place) ? await findPrefix(place, names) : null;
  const hasFolder = await isFolder(place);
  if (prefix && hasFolder) {
    const candidates = [...prefix.methods[0].programs, place.name + "/"];
    throw new PathError("AMBIGUOUS_PATH", `${quote(place.shown)} is both a model and a folder: which one is meant?`, {
      path: place.shown,
      names: candidates,
    });
  }
  if (prefix) return prefix;
  return hasFolder ? await findFolder(place, names) : await findUnlisted(place, names);
}

/** The model in a folder that cannot list its files, such as one on a server: there is one if it has the program. */
async function findUnlisted(place: Place, how: FileNames): Promise<ModelFiles | null> {
  if (await canList(place)) return null;
  for (const modelFilename of modelFilenames(how)) {
    if (await exists(folderAt(place), modelFilename, how.signal)) {
      return await findFolder(place, { ...how, modelFilename });
    }
  }
  return null;
}

/** Names that the program of a folder may have. */
function modelFilenames({ modelFilename }: FileNames): readonly string[] {
  return modelFilename === undefined ? DEFAULT_MODEL : [modelFilename];
}

/** The model with a prefix. */
async function findPrefix(place: Place, how: FileNames): Promise<ModelFiles | null> {
  const { folder, name, shown } = place;
  const own = await programsOf(folder, name, how.signal);
  const programs = FORMS.map((form) => name + form).filter((file) => own.has(file));
  if (programs.length === 0) {
    const other = spelledAlike(place);
    return other && await findPrefix(other, how);
  }
  const versions = own.has(manifestName(name)) ? await checkManifest(folder, name, how) : new Map();
  const methods: MethodFiles[] = [{ method: "forward", programs, params: name + ".pdiparams" }];
  for (const method of methodsOf(name, own, how.stacked && own.has(name + INFO))) {
    if (method === "index" && await isShardIndex(folder, `${name}.index.json`, how.signal)) continue;
    const base = `${name}.${method}`;
    const files = FORMS.map((form) => base + form).filter((file) => own.has(file));
    methods.push({ method, programs: files, params: base + ".pdiparams" });
  }
  return { folder, shown, methods, info: name + INFO, versions };
}

/** The place with the prefix as its files spell it, if it differs in what only some systems tell apart: `M` and `m`, composed letters. */
function spelledAlike({ folder, name, shown }: Place): Place | null {
  if (!(folder instanceof DirectoryFolder)) return null;
  const { basename, join } = pathCalls();
  for (const form of FORMS) {
    const prefix = basename(realPath(join(folder.path, name + form))).slice(0, -form.length);
    if (prefix !== name && foldedName(prefix) === foldedName(name)) return { folder, name: prefix, shown };
  }
  return null;
}

/** The files that may be programs of a prefix. If the folder cannot list its files, only those of `forward` are tried. */
async function programsOf(folder: Folder, prefix: string, signal?: AbortSignal): Promise<Set<string>> {
  try {
    return new Set(await within(folder.list(prefix + "."), Infinity, signal));
  } catch (error) {
    if (!isPaddleError(error) || error.code !== "UNSUPPORTED_FEATURE") throw error;
    const there = new Set<string>();
    for (const form of FORMS) if (await exists(folder, prefix + form, signal)) there.add(prefix + form);
    return there;
  }
}

/**
 * Names of the methods other than `forward`: what is between the prefix and the extension, without further dots, or, if they may be stacked,
 * with a dot after each method before.
 */
function methodsOf(prefix: string, files: ReadonlySet<string>, areStacked = false): string[] {
  const methods = new Set<string>();
  for (const file of files) {
    const form = FORMS.find((end) => file.endsWith(end));
    const method = form ? file.slice(prefix.length + 1, -form.length) : "";
    if (method !== "" && !method.includes("/")) methods.add(method);
  }
  const found = new Set<string>();
  for (const method of [...methods].sort(byCodePoint)) {
    const dot = method.lastIndexOf(".");
    if (dot < 0 || (areStacked && found.has(method.slice(0, dot)))) found.add(method);
  }
  return [...found];
}

/** Whether a file that has the name of a program of the method `index` is the index of a sharded checkpoint. */
async function isShardIndex(folder: Folder, name: string, signal?: AbortSignal): Promise<boolean> {
  const source = await folder.get(name, { signal });
  if (!source) return false;
  try {
    return await kindIn(source, signal) === "shards";
  } finally {
    await source.close?.();
  }
}

/** The kind of a file, by its first bytes. */
export async function kindIn(source: Source, signal?: AbortSignal): Promise<FileKind> {
  const head = new Uint8Array(Math.min(HEAD_BYTES, source.size));
  return detectKind(await readFully(source, 0, head, signal), source.size);
}

/** The model in a folder. */
async function findFolder(place: Place, how: FileNames): Promise<ModelFiles | null> {
  const { modelFilename, paramsFilename, signal } = how;
  const folder = folderAt(place);
  for (const name of modelFilenames(how)) {
    if (!await exists(folder, name, signal)) continue;
    const versions = await findManifest(folder, "", how);
    const params = paramsFilename ?? null;
    return {
      folder,
      shown: place.shown,
      methods: [{ method: "forward", programs: [name], params }],
      info: `${params ?? ""}.info`,
      versions,
    };
  }
  // A folder without a program may be one of tensors, but files that the caller names must exist.
  const isThere = paramsFilename === undefined || await exists(folder, paramsFilename, signal);
  if (modelFilename === undefined && isThere) return null;
  const missing = modelFilename ?? paramsFilename!;
  throw new PathError("MISSING_PART", `There is no file ${quote(missing)} in ${quote(place.shown)}`, {
    path: place.shown,
    names: [missing],
  });
}

/** Whether a folder has the file `name`. */
export async function exists(folder: Folder, name: string, signal?: AbortSignal): Promise<boolean> {
  const source = await folder.get(name, { signal });
  await source?.close?.();
  return source !== null;
}

/** The file `name`, which must exist. */
export async function openPart(
  folder: Folder,
  name: string,
  shown: string,
  what: string,
  signal?: AbortSignal,
): Promise<Source> {
  const source = await folder.get(name, { signal });
  if (source) return source;
  throw new PathError("MISSING_PART", `The model ${quote(shown)} has no file ${quote(name)}: ${what}`, {
    path: shown,
    names: [name],
  });
}

/**
 * The error for a place where nothing is found, or nothing that can be loaded from there: then it says what to pass instead. `isNoFile` says
 * that there is no file of that name.
 */
export async function notFound(place: Place, signal?: AbortSignal, isNoFile = false): Promise<SourceError> {
  const { folder, name, shown } = place;
  if (await isFolder(place)) {
    const [prefix] = prefixesIn(await namesIn(folderAt(place), "", signal) ?? []);
    const hint = prefix === undefined ? "give the names of its files" : prefixHint(shown, prefix);
    const message = prefix === undefined ? "has no __model__" : "is a folder";
    return new SourceError("NOT_FOUND", `${quote(shown)} ${message}: ${hint}`, { path: shown, hint });
  }
  if (name !== "" && !isNoFile && await exists(folder, name, signal)) {
    const ending = PREFIX_ENDINGS.find((end) => name.endsWith(end));
    const what = ending === undefined ? "a file" : "one file of a model";
    const hint = ending === undefined
      ? "the prefix or the folder of a model is expected"
      : `give the prefix of the model's files, ${quote(shown.slice(0, -ending.length))}`;
    return new SourceError("NOT_FOUND", `${quote(shown)} is ${what}: ${hint}`, { path: shown, hint });
  }
  const isAlone = !hasNeighbours(place);
  if (!isAlone && await wasPutAside(place)) {
    const hint = "a save of this folder was interrupted: recoverFolder finishes it";
    return new SourceError("NOT_FOUND", `There is no folder ${quote(shown)}: ${hint}`, { path: shown, hint });
  }
  const hint = isAlone ? "a model takes permission to read its folder" : await hintOfOthers(place, signal);
  const message = `No such file, model or folder: ${quote(shown)}${hint ? `: ${hint}` : ""}`;
  return new SourceError("NOT_FOUND", message, { path: shown, hint });
}

/** A hint about other files that have the same prefix; a server does not list them. */
async function hintOfOthers({ folder, name }: Place, signal?: AbortSignal): Promise<string | undefined> {
  const names = await namesIn(folder, name + ".", signal);
  if (names === null) return "give the full file name";
  const whole = [".pdparams", ".pdopt"].map((end) => name + end).find((file) => names.includes(file));
  if (whole !== undefined) return `give the full file name, such as ${whole}`;
  const isHalf = names.includes(name + ".pdiparams");
  return isHalf ? `the program of ${name}.pdiparams is missing: ${name}.pdmodel or ${name}.json` : undefined;
}

/** Whether a save moved a folder aside and none replaced it. */
async function wasPutAside({ folder, name }: Place): Promise<boolean> {
  if (!(folder instanceof DirectoryFolder)) return false;
  return (await folder.list(name + ".old-").catch(() => [])).length > 0;
}

/** Names of the files in a folder that begin with `prefix`; null if it cannot list them. */
async function namesIn(folder: Folder, prefix: string, signal?: AbortSignal): Promise<string[] | null> {
  try {
    return await within(folder.list(prefix), Infinity, signal);
  } catch (error) {
    if (!isPaddleError(error) || error.code !== "UNSUPPORTED_FEATURE") throw error;
    return null;
  }
}

const PREFIX_ENDINGS = [...FORMS, ".pdiparams", INFO];

/** Prefixes of the models in a folder, each a program with its parameters: shortest first. */
export function prefixesIn(names: readonly string[]): string[] {
  const all = new Set(names);
  const prefixes = names.flatMap((name) =>
    FORMS.filter((form) => name.endsWith(form)).map((form) => name.slice(0, -form.length))
  );
  const found = prefixes.filter((prefix) => prefix !== "" && !prefix.includes("/") && all.has(prefix + ".pdiparams"));
  // A method of a Layer has a longer prefix.
  return found.sort((a, b) => a.length - b.length);
}

/** The hint to pass a prefix instead of the folder that has its files. */
export function prefixHint(shown: string, prefix: string): string {
  return `give the prefix of its files, ${quote(shown.replace(/\/$/, "") + "/" + prefix)}`;
}

/** Whether the error means that there is no such file: then it may be a prefix or a folder. An empty path is neither. */
export function isNoFile(error: unknown): boolean {
  return isPaddleError(error) &&
    ((error.code === "NOT_FOUND" && error.path !== "") || error.code === "NOT_A_FILE" ||
      (error.code === "HTTP_STATUS" && error.status === 404));
}

/**
 * Chooses between the failures to open a path as a file and then as a model: that something there is not a file says
 * more than that there is no model, and a server's answer more than that its files cannot be listed.
 */
export function moreSpecific(first: unknown, later: unknown): unknown {
  if (!isPaddleError(first) || !isPaddleError(later)) return later;
  const isOdd = first.code === "NOT_A_FILE" && later.code === "NOT_FOUND";
  const isUnlisted = first.code === "HTTP_STATUS" && later.code === "UNSUPPORTED_FEATURE";
  return isOdd || isUnlisted ? first : later;
}
