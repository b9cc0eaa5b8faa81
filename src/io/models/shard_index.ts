/**
 * The index of a checkpoint in several files (`model.safetensors.index.json`,
 * `model_state.pdparams.index.json`): which file has which tensor.
 *
 * ```text
 * { "metadata": { "total_size": 48 }, "weight_map": { "fc.weight": "model-00001-of-00002.safetensors" } }
 * ```
 *
 * @module
 */
import { JsonObject } from "../../codec/json/json.ts";
import { readJsonInSteps } from "../../codec/json/read_json.ts";
import { FormatError, PathError, quote } from "../../errors.ts";
import { Budget, type Limits } from "../../limits.ts";
import { StepPace } from "../../words/steps.ts";
import { allocate } from "../../words/allocate.ts";
import { withPath } from "../drive/drive_from.ts";
import { NDArray } from "../../ndarray.ts";
import { RefusedArray } from "../../words/refused_array.ts";
import type { From, SourceOfOptions } from "../open/open_source.ts";
import { folderAround, type Place, placeOf } from "../open/place.ts";
import type { Folder } from "../folder.ts";
import { kindIn, notFound } from "./find_model.ts";
import { readFully } from "../sources/read_fully.ts";
import { safeParts } from "../names/safe_name.ts";
import type { Source } from "../source.ts";
import { inTurns } from "../waiting/turns.ts";

/** Maximum number of files that an index may name. */
const MAX_FILES = 10_000;

/** The content of an index. */
export interface ShardIndex {
  /** The folder of the files: that of the index. */
  readonly folder: Folder;
  /** The file of each tensor, in the order of the index. */
  readonly files: ReadonlyMap<string, string>;
}

/** An index that was opened. */
export interface OpenedIndex {
  readonly place: Place;
  readonly source: Source;
}

/** Open `from` if it has the name of an index; null if it has another name, or is a program of that name: that of a method `index`. */
export async function openIndex(from: From, options: SourceOfOptions): Promise<OpenedIndex | null> {
  const isNamed = typeof from === "object" && from !== null && "folder" in from && "name" in from;
  const name = typeof from === "string" || from instanceof URL ? String(from) : isNamed ? String(from.name) : "";
  const place = name.includes(".index.json") ? await placeOf(from, options) : null;
  if (!place?.name.endsWith(".index.json")) return null;
  const source = await place.folder.get(place.name, { signal: options.signal });
  if (!source) throw await notFound(place, options.signal);
  let isIndex = false;
  try {
    isIndex = /\.(safetensors|pdparams)\.index\.json$/.test(place.name) ||
      await kindIn(source, options.signal) !== "pir";
  } catch (error) {
    throw withPath(error, place.shown);
  } finally {
    if (!isIndex) await source.close?.();
  }
  return isIndex ? { place, source } : null;
}

/** Read an index, and close it. */
export async function readShardIndex(
  { place, source }: OpenedIndex,
  limits: Readonly<Limits>,
  signal?: AbortSignal,
): Promise<ShardIndex> {
  try {
    new Budget(limits).check("maxJsonBytes", source.size, 0);
    const bytes = await readFully(source, 0, allocate(source.size), signal);
    await source.verify?.();
    const files = await inTurns(filesOf(bytes, limits), signal);
    return { folder: folderAround(place), files };
  } catch (error) {
    throw withPath(error, place.shown);
  } finally {
    await source.close?.();
  }
}

/** One of the files that an index names. */
export async function openShard(folder: Folder, file: string, signal?: AbortSignal): Promise<Source> {
  const source = await folder.get(file, { signal });
  if (source) return source;
  throw new PathError("MISSING_PART", `The index names ${quote(file)}, which does not exist`, { path: file });
}

/** The tensor `name` in the content of its file. */
export function tensorIn(content: unknown, name: string, file: string): NDArray {
  const array = content instanceof Map ? content.get(name) : undefined;
  if (array instanceof NDArray || array instanceof RefusedArray) return array as NDArray;
  throw new PathError("MISSING_PART", `The file ${quote(file)} lacks ${quote(name)}, which the index assigns to it`, {
    path: file,
    at: name,
  });
}

function* filesOf(bytes: Uint8Array, limits: Readonly<Limits>): Generator<void, Map<string, string>> {
  const root = yield* readJsonInSteps(bytes, limits);
  const map = root instanceof JsonObject ? root.get("weight_map") : undefined;
  if (!(map instanceof JsonObject)) throw badField("lacks a weight_map of names and files");
  const budget = new Budget(limits);
  const files = new Map<string, string>();
  const distinct = new Set<string>();
  const pace = new StepPace();
  for (const [name, file] of map) {
    if (pace.isDue(8)) yield;
    if (typeof file !== "string") throw badField(`gives ${quote(name)} a file name that is not a string`, name);
    budget.tensor(0);
    safeParts(file);
    distinct.add(file);
    budget.check("maxEntries", distinct.size, 0);
    if (distinct.size > MAX_FILES) throw badField(`names more than ${MAX_FILES} files`);
    files.set(name, file);
  }
  return files;
}

function badField(finding: string, at?: string): FormatError {
  return new FormatError("BAD_FIELD", `The index of the checkpoint ${finding}`, { offset: 0, at });
}
