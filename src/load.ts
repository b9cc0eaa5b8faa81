/**
 * Loads a value from a file: `paddle.load`.
 *
 * @module
 */
import { readFile } from "./codec/read_file.ts";
import { driveFrom } from "./io/drive/drive_from.ts";
import { DeferredArrays } from "./io/lazy/deferred_arrays.ts";
import { findModel, isNoFile, moreSpecific, notFound } from "./io/models/find_model.ts";
import { type From, sourceOf } from "./io/open/open_source.ts";
import type { Opened } from "./io/sources/opened.ts";
import { isFolder, type Place, placeOf } from "./io/open/place.ts";
import { readModel, type VariableValue } from "./io/models/read_model.ts";
import { readRecordFolder } from "./io/models/read_record_folder.ts";
import { type OpenedIndex, openIndex, openShard, readShardIndex, tensorIn } from "./io/models/shard_index.ts";
import { progressOfFiles } from "./io/progress.ts";
import { inTurns } from "./io/waiting/turns.ts";
import type { Limits } from "./limits.ts";
import { limitsOf } from "./io/limits_of.ts";
import { fromFileInSteps } from "./model/from_file.ts";
import { byStructuredName } from "./model/structured_names.ts";
import { checkOptions, LOAD_OPTIONS, type LoadOptions } from "./options.ts";
import type { Value } from "./values.ts";

/**
 * Load the value of a file that `paddle.save` wrote, in any Paddle from 1.6 to 3.3; or the parameters of a model, given by its prefix (`m`
 * for `m.pdmodel` or `m.json` and `m.pdiparams`) or folder (Paddle 1.x); or the tensors of a sharded checkpoint, given by its index
 * (`.index.json`), whose files are beside it.
 *
 * Tensors are returned as Tensor (dynamic graph, with the parameter's name), with `mode: "static"` as DenseTensor, and with `returnNumpy`
 * as NDArray. The parameters of a model are returned as a Map of NDArrays, by structured name if `.pdiparams.info` has it, else by variable
 * name. A program (`.pdmodel`) is returned as a Program. Nothing in the file is ever executed. Mirrors `paddle.load` (2.1 and later).
 *
 * The type of the value is what the caller says, as in `load<StateDict>(path)`, or what it is passed to expects; nothing checks it.
 *
 * @throws {FormatError} the file is not well formed; `offset` says where
 * @throws {UnsafeError} a pickle names something that is not plain data; `symbol` says what
 * @throws {LimitError} `LIMIT`: one of the `limits` was exceeded
 * @throws {UnsupportedError} an array with a dtype that no Tensor can have, or a later pickle protocol
 * @throws {SourceError} the file cannot be found or read
 * @throws {PathError} the path does not lead to a regular file
 *
 * @example Load from bytes of a Blob
 * ```ts
 * import { encode, load } from "@oarlock/paddle";
 * const file = new Blob([encode(new Map([["epoch", 3]]))]);
 * const value = await load(file) as Map<string, unknown>;
 * if (value.get("epoch") !== 3) throw new Error("lost");
 * ```
 *
 * @example Load the parameters of a layer
 * ```ts
 * import { load, MemoryFolder, nn, save } from "@oarlock/paddle";
 * const folder = new MemoryFolder(), emb = new nn.Embedding(10, 10);
 * await save(emb.stateDict(), "emb.pdparams", { folder });
 * emb.setStateDict(await load("emb.pdparams", { folder }));
 * ```
 */
export async function load<T = Value>(from: From, options: LoadOptions = {}): Promise<T> {
  return await loadOr(from, options) as T;
}

/** The same; if there is no such file, the result is that of `otherwise`. */
export async function loadOr(from: From, options: LoadOptions, otherwise = loadModel): Promise<Value> {
  checkOptions(options, LOAD_OPTIONS);
  const { signal, onProgress, copy } = options;
  signal?.throwIfAborted();
  const limits = limitsOf(options.limits);
  const index = await openIndex(from, options);
  if (index) return await loadShards(index, { ...options, limits });
  let opened: Opened;
  try {
    opened = await sourceOf(from, { ...options, onePass: true });
  } catch (error) {
    const place = isNoFile(error) ? await placeOf(from, options) : null;
    if (!place) throw error;
    try {
      return await otherwise(place, { ...options, limits });
    } catch (later) {
      throw moreSpecific(error, later);
    }
  }
  const deferred = "stream" in opened ? null : new DeferredArrays(opened);
  const { value, warnings } = await driveFrom(
    opened,
    (cursor) => readFile(cursor, { limits, strict: options.strict, safetensors: options.safetensors }),
    async (content, borrowed) => {
      const steps = fromFileInSteps(content, { ...options, borrowed, lazy: deferred?.leave });
      const shaped = await inTurns(steps, signal);
      const read = deferred?.readInto(shaped.value, signal);
      return read instanceof Promise ? { ...shaped, value: await read } : shaped;
    },
    { signal, onProgress, copy, deferSome: true, onePass: true, maxStreamBytes: limits.maxStreamBytes },
  );
  for (const warning of warnings) options.onWarning?.(warning);
  return value;
}

/** The tensors of a sharded checkpoint, in the order of its index. */
async function loadShards(index: OpenedIndex, options: LoadOptions & { limits: Readonly<Limits> }): Promise<Value> {
  const { signal } = options, progress = progressOfFiles(options.onProgress, "load");
  const { folder, files } = await readShardIndex(index, options.limits, signal);
  const shards = new Map<string, Value>(), value = new Map<string, Value>();
  for (const [name, file] of files) {
    if (!shards.has(file)) {
      const source = await openShard(folder, file, signal);
      shards.set(file, await load(source, { ...options, onProgress: progress?.onProgress }));
    }
    value.set(name, tensorIn(shards.get(file), name, file));
  }
  await progress?.end();
  return value;
}

/** The parameters of a model, or of a folder of tensors, as arrays by structured name if known. */
async function loadModel(place: Place, options: LoadOptions & { limits: Readonly<Limits> }): Promise<Value> {
  // What Paddle gathers from several files are numpy arrays, in either mode (FORMATS.md 11).
  const shape = { ...options, returnNumpy: true, mode: undefined };
  const files = await findModel(place, options);
  if (files) {
    const { methods, info } = await readModel(files, shape);
    const variables = new Map<string, VariableValue>();
    for (const method of methods) for (const [name, value] of method.variables) variables.set(name, value);
    return byStructuredName(variables, info);
  }
  if (await isFolder(place)) return (await readRecordFolder(place, shape)).values;
  throw await notFound(place, options.signal, true);
}
