/**
 * Opens a file, a model or a sharded checkpoint without reading the data.
 *
 * @module
 */
import { collecting } from "./io/collected_warnings.ts";
import { readFile } from "./codec/read_file.ts";
import type { Warning } from "./errors.ts";
import { findModel, isNoFile, moreSpecific, notFound } from "./io/models/find_model.ts";
import type { From } from "./io/open/open_source.ts";
import { closeAll } from "./io/source.ts";
import { whileCalling } from "./io/waiting/while_calling.ts";
import { isFolder, type Place, placeOf } from "./io/open/place.ts";
import { openIndex } from "./io/models/shard_index.ts";
import { readModel } from "./io/models/read_model.ts";
import { readRecordFolder } from "./io/models/read_record_folder.ts";
import type { Limits } from "./limits.ts";
import { limitsOf } from "./io/limits_of.ts";
import { fromFileInSteps } from "./model/from_file.ts";
import { byStructuredName } from "./model/structured_names.ts";
import { checkOptions, OPEN_OPTIONS, type OpenOptions } from "./options.ts";
import { Checkpoint } from "./checkpoint.ts";
import { openWith } from "./open_parts.ts";
import { openShards } from "./open_shards.ts";

/**
 * Open a file without reading its data: little more than its structure is read.
 *
 * A path, URL or name that ends in `.index.json` is the index of a sharded checkpoint, in safetensors or `.pdparams` files: these are
 * opened from beside it, as one checkpoint. If the source is a stream, which can only be read once, the data is kept in memory.
 *
 * @throws {PathError} `MISSING_PART`: a file or tensor that an index names is missing; `UNSAFE_PATH`: a file is outside the folder
 * @throws what {@linkcode load} throws, as far as the structure reveals it; the rest when an array is read
 *
 * @example Look before reading
 * ```ts
 * import { encode, fromArray, open } from "@oarlock/paddle";
 * const file = new Blob([encode(new Map([["w", fromArray([[1, 2], [3, 4]], "float32")]]))]);
 * await using checkpoint = await open(file);
 * if (checkpoint.info("w").shape[0] !== 2) throw new Error("wrong shape");
 * const row = await checkpoint.getSlice("w", [1, 2]);
 * if (row.at(0, 0) !== 3) throw new Error("wrong row");
 * ```
 */
export async function open(from: From, options: OpenOptions = {}): Promise<Checkpoint> {
  checkOptions(options, OPEN_OPTIONS);
  return await whileCalling(options, (during) => openAny(from, during));
}

async function openAny(from: From, options: OpenOptions): Promise<Checkpoint> {
  const limits = limitsOf(options.limits);
  const { options: telling, warnings } = collecting(options);
  const index = await openIndex(from, telling);
  if (index) return await openShards(index, { ...telling, limits }, warnings);
  try {
    return await openWith(
      from,
      options,
      (cursor) => readFile(cursor, { limits, strict: options.strict, safetensors: options.safetensors, locate: true }),
      (content, context) => fromFileInSteps(content, { ...options, ...context }),
    );
  } catch (error) {
    const place = isNoFile(error) ? await placeOf(from, telling) : null;
    if (!place) throw error;
    try {
      return await openModel(place, { ...telling, limits }, warnings);
    } catch (later) {
      throw moreSpecific(error, later);
    }
  }
}

/** A model by its prefix or folder, or a folder of tensors: only programs and the heads of records are read. */
async function openModel(
  place: Place,
  options: OpenOptions & { limits: Readonly<Limits> },
  warnings: Warning[],
): Promise<Checkpoint> {
  const shape = { ...options, lazy: true };
  const files = await findModel(place, { ...options, lazy: true });
  if (files) {
    const { methods, info, sources, lazies } = await readModel(files, shape);
    try {
      const variables = new Map(methods.flatMap((method) => [...method.variables]));
      const value = byStructuredName(variables, info);
      return new Checkpoint({ source: null, sources, value, warnings, lazies, origins: new Map() });
    } catch (error) {
      await closeAll(sources);
      throw error;
    }
  }
  if (!await isFolder(place)) throw await notFound(place, options.signal, true);
  const { values, sources, lazies } = await readRecordFolder(place, shape);
  return new Checkpoint({ source: null, sources, value: values, warnings, lazies, origins: new Map() });
}
