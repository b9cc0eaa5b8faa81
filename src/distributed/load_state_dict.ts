/**
 * Reads distributed checkpoints.
 *
 * @module
 */
import type { Float8 } from "../dtype.ts";
import { FormatError, PathError, quote, SourceError } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import { closeAll, closing } from "../io/source.ts";
import { fromOneFolder } from "../io/folders/one_folder.ts";
import { checkVersions, findManifest } from "../io/save/manifest.ts";
import type { From } from "../io/open/open_source.ts";
import { type Progress, progressOf } from "../io/progress.ts";
import { safeParts } from "../io/names/safe_name.ts";
import type { Limits } from "../limits.ts";
import { limitsOf } from "../io/limits_of.ts";
import { load } from "../load.ts";
import type { NDArray } from "../ndarray.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { open } from "../open.ts";
import { checkOptions, type LoadOptions } from "../options.ts";
import type { StateDict, Value } from "../values.ts";
import { assemble, checkCover } from "./assemble.ts";
import { checkpointFolder, chosenSave } from "./checkpoint_folder.ts";
import { flatten } from "./flatten.ts";
import { type Metadata, type Part, readMetadata } from "./metadata.ts";
import { elementCount } from "../words/element_count.ts";

/** Options of {@linkcode loadStateDict} and {@linkcode loadMergedStateDict}. */
export interface LoadStateDictOptions
  extends Pick<LoadOptions, "folder" | "limits" | "signal" | "fetch" | "http" | "onWarning" | "onProgress"> {
  /** Number of the save. Paddle's `unique_id`. @default the last in the folder */
  uniqueId?: number;
}

const OPTIONS = ["folder", "limits", "signal", "fetch", "http", "onWarning", "onProgress", "uniqueId"];

/**
 * The whole state dict of a distributed checkpoint, with the parts of its tensors assembled, nested as it was saved. Mirrors
 * `paddle.distributed.checkpoint.load_state_dict.load_merged_state_dict`; reads what Paddle 2.6 to 3.3 write, even where one
 * version refuses the files of another.
 *
 * @throws {SourceError} `NOT_FOUND`: no such checkpoint
 * @throws {PathError} `MISSING_PART`: a file, or a tensor in it, that the metadata name is missing; `UNSAFE_PATH`: a file is elsewhere
 * @throws {FormatError} the files differ from the metadata: `SIZE_MISMATCH`, `BAD_SHAPE`, `BAD_DTYPE`, `BAD_FIELD`
 */
export async function loadMergedStateDict(path: From, options: LoadStateDictOptions = {}): Promise<StateDict> {
  checkOptions(options, OPTIONS);
  options.signal?.throwIfAborted();
  return await readBy(path, options, mergedBy);
}

async function mergedBy(reader: Reader): Promise<StateDict> {
  const root = new Map<string, Value>();
  for (const name of reader.metadata.tensors.keys()) {
    let map: Map<string, Value> = root;
    const keys = reader.metadata.paths.get(name) ?? [name];
    for (const key of keys.slice(0, -1)) {
      const below = map.get(key) ?? new Map<string, Value>();
      if (!(below instanceof Map)) throw badPath(name);
      map.set(key, below);
      map = below;
    }
    const key = keys[keys.length - 1];
    if (map.has(key)) throw badPath(name);
    map.set(key, await reader.tensor(name));
  }
  return root;
}

/**
 * Fill the tensors of a state dict from a distributed checkpoint, in place. Mirrors `paddle.distributed.load_state_dict` in a single
 * process. All tensors are read and checked before the first is changed.
 *
 * As in Paddle, what the checkpoint lacks is left unchanged; it is reported to `onWarning` (`MISSING_KEY`).
 *
 * @throws whatever {@linkcode loadMergedStateDict} throws; `BAD_SHAPE` and `BAD_DTYPE` also if a tensor differs from that of the checkpoint
 */
export async function loadStateDict(
  stateDict: ReadonlyMap<string, Value>,
  path: From,
  options: LoadStateDictOptions = {},
): Promise<void> {
  checkOptions(options, OPTIONS);
  options.signal?.throwIfAborted();
  const found = await readBy(path, options, (reader) => foundBy(reader, stateDict, options));
  for (const [array, { bytes }] of found) array.bytes.set(bytes);
}

/** The arrays of the state dict, each with what is found for it. */
async function foundBy(
  reader: Reader,
  stateDict: ReadonlyMap<string, Value>,
  options: LoadStateDictOptions,
): Promise<[NDArray, NDArray][]> {
  const all: [NDArray, NDArray][] = [];
  for (const [name, { array }] of flatten(stateDict)) {
    if (!reader.metadata.tensors.has(name)) {
      options.onWarning?.({
        code: "MISSING_KEY",
        message: `The checkpoint lacks ${quote(name)}: it stays as it is`,
        at: name,
      });
      continue;
    }
    const found = await reader.tensor(name);
    if (found.dtype !== array.dtype) throw differs("BAD_DTYPE", name, array.dtype, found.dtype);
    if (found.shape.join() !== array.shape.join()) throw differs("BAD_SHAPE", name, array.shape, found.shape);
    await array.load({ signal: options.signal });
    all.push([array, found]);
  }
  return all;
}

/** What `read` makes of a checkpoint. */
async function readBy<T>(path: From, options: LoadStateDictOptions, read: (reader: Reader) => Promise<T>): Promise<T> {
  const { signal } = options, folder = await checkpointFolder(path, options);
  return await fromOneFolder(folder, async () => {
    const save = String(await chosenSave(folder, options.uniqueId));
    const versions = await findManifest(folder, save, { signal });
    return await closing(await Reader.open(folder, `${save}.metadata`, options), async (reader) => {
      const result = await read(reader);
      await checkVersions(versions, signal);
      await reader.progress?.end();
      return result;
    });
  });
}

/** Reads tensors of one checkpoint; each of its files is opened once. */
class Reader {
  readonly metadata: Metadata;
  /** Progress in bytes of tensors; their total is unknown until all files are open. */
  readonly progress: Progress | null;
  readonly #folder: Folder;
  readonly #options: LoadStateDictOptions;
  readonly #files = new Map<string, Checkpoint>();
  readonly #float8: Record<string, Float8>;
  #loaded = 0;

  private constructor(folder: Folder, metadata: Metadata, options: LoadStateDictOptions) {
    this.#folder = folder;
    this.metadata = metadata;
    this.#options = options;
    const float8 = [...metadata.tensors].map(([name, tensor]) => [name, tensor.float8] as const);
    this.#float8 = Object.fromEntries(float8.filter((pair): pair is [string, Float8] => pair[1] !== undefined));
    this.progress = progressOf(options.onProgress, "load", undefined);
  }

  static async open(folder: Folder, name: string, options: LoadStateDictOptions): Promise<Reader> {
    const limits: Readonly<Limits> = limitsOf(options.limits);
    const value = await load({ folder, name }, { limits, signal: options.signal, onWarning: options.onWarning });
    return new Reader(folder, readMetadata(value, limits), options);
  }

  async tensor(name: string): Promise<NDArray> {
    const { shape, parts } = this.metadata.tensors.get(name)!;
    checkCover(name, shape, parts);
    const pieces: { part: Part; array: NDArray }[] = [];
    for (const part of parts) pieces.push({ part, array: await this.#part(name, part) });
    const [{ array }] = pieces;
    const other = pieces.find((piece) => piece.array.dtype !== array.dtype);
    if (other) throw differs("BAD_DTYPE", name, array.dtype, other.array.dtype);
    return assemble(shape, pieces);
  }

  async #part(name: string, { file, shape, range }: Part): Promise<NDArray> {
    const checkpoint = await this.#file(file);
    let array: NDArray;
    try {
      // Checked before reading: a part is as large as the metadata say.
      const own = range ? [range[1] - range[0]] : shape;
      const found = checkpoint.info(name).shape;
      if (found.join() !== own.join() || (range && range[1] > elementCount(shape))) {
        throw differs("BAD_SHAPE", name, own, found);
      }
      array = await checkpoint.get(name, { signal: this.#options.signal });
    } catch (error) {
      if (error instanceof SourceError && error.code === "NOT_FOUND") {
        throw new PathError("MISSING_PART", `The file ${quote(file)} lacks ${quote(name)}`, { path: file, at: name });
      }
      throw error;
    }
    this.progress?.at(this.#loaded += array.nbytes, name);
    return array;
  }

  async #file(file: string): Promise<Checkpoint> {
    const known = this.#files.get(file);
    if (known) return known;
    safeParts(file);
    const { limits, signal } = this.#options;
    const source = await this.#folder.get(file, { signal });
    if (!source) {
      throw new PathError("MISSING_PART", `The metadata names ${quote(file)}, which does not exist`, { path: file });
    }
    const opened = await open(source, { limits, signal, float8: this.#float8 });
    this.#files.set(file, opened);
    return opened;
  }

  async close(): Promise<void> {
    await closeAll(this.#files.values());
  }
}

function badPath(name: string): FormatError {
  return new FormatError("BAD_FIELD", `The metadata places ${quote(name)} where another tensor is`, { at: name });
}

function differs(code: "BAD_DTYPE" | "BAD_SHAPE", name: string, expected: unknown, actual: unknown): FormatError {
  return new FormatError(code, `${quote(name)} is ${actual} in the checkpoint, expected ${expected}`, {
    at: name,
    expected,
    actual,
  });
}
