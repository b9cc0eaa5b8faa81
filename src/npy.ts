/**
 * numpy's `.npy` and `.npz` files, without Python: versions 1 to 3, any byte order, C and Fortran order; stored and compressed archives,
 * zip64.
 *
 * bfloat16 and float8 are not numpy's own dtypes: they are written as numpy writes the arrays of the ml_dtypes package, as void elements of
 * two bytes (`V2`) and one byte (`V1`), and are read back as bfloat16 and as the float8 dtype that the option names. In Python:
 * `numpy.load("w.npy").view(ml_dtypes.bfloat16)`. An array of uint16, as which Paddle passes bfloat16 to numpy, stays uint16.
 *
 * @example An array and an archive
 * ```ts
 * import { fromArray } from "@oarlock/paddle";
 * import { decode, decodeNpz, encode, encodeNpz } from "@oarlock/paddle/npy";
 *
 * const w = fromArray([[1, 2], [3, 4]], "float32");
 * if (decode(encode(w)).at(1, 1) !== 4) throw new Error("lost");
 * const arrays = await decodeNpz(await encodeNpz(new Map([["w", w]]), { compress: true }));
 * if (arrays.get("w")?.at(1, 0) !== 3) throw new Error("lost");
 * ```
 *
 * @module
 */
import { driveBytes } from "./codec/drive_bytes.ts";
import { readNpy } from "./codec/npy/read_npy.ts";
import { npyHead } from "./codec/npy/write_npy.ts";
import { quote, ValueError } from "./errors.ts";
import { BytesSource } from "./io/sources/bytes_source.ts";
import { driveFrom } from "./io/drive/drive_from.ts";
import { seekableSource } from "./io/sources/seekable_source.ts";
import { deferredValueOf } from "./io/lazy/deferred_value.ts";
import { loadLazyArrays } from "./io/lazy/load_lazy_arrays.ts";
import { npyFile } from "./io/models/model_out_files.ts";
import { planNpz, planPackedNpz } from "./io/models/plan_npz.ts";
import { openNpzArrays, readNpz } from "./io/models/read_npz.ts";
import { type From, sourceOf } from "./io/open/open_source.ts";
import type { To } from "./io/open/sink_of.ts";
import { collecting } from "./io/collected_warnings.ts";
import { joinInTurns } from "./io/streams/join_in_turns.ts";
import { whileCalling } from "./io/waiting/while_calling.ts";
import { Turns } from "./io/waiting/turns.ts";
import { joinBytes } from "./words/joined_bytes.ts";
import { Budget, type Limits } from "./limits.ts";
import { limitsOf } from "./io/limits_of.ts";
import { numpyArrayOf } from "./model/array_of.ts";
import { NDArray } from "./ndarray.ts";
import { Checkpoint } from "./checkpoint.ts";
import { openWith } from "./open_parts.ts";
import {
  checkOptions,
  type Float8,
  type LoadOptions,
  SAVE_OPTIONS,
  type SaveOptions,
  type StopOptions,
} from "./options.ts";
import { saveChunks, type SaveReport } from "./save.ts";
import { checkWhole, refusalsIn } from "./words/refused_array.ts";
import type { Value } from "./values.ts";
import { checkedBytes } from "./words/plain_bytes.ts";

/** Options of {@linkcode decode} and {@linkcode decodeNpz}. */
export interface DecodeNpyOptions {
  /**
   * Limits on what the file may request: maxRank, maxElements, maxTensors, maxStructureBytes; for an archive also maxEntries, maxNameBytes
   * and, if it is compressed, maxExpansion and maxStreamBytes. The latter also limits what is read from a stream.
   */
  limits?: Partial<Limits> | undefined;
  /** The array never shares memory with the given bytes. @default {false} */
  copy?: boolean | undefined;
  /** The dtype that one-byte void elements (`V1`) stand for. @default {"float8_e4m3fn"} */
  float8?: Float8 | undefined;
}

/** Options of {@linkcode load} and {@linkcode loadNpz}. */
export type LoadNpyOptions =
  & DecodeNpyOptions
  & Pick<LoadOptions, "folder" | "signal" | "fetch" | "http" | "onProgress" | "onWarning">;

/** Options of {@linkcode save}. */
export type SaveNpyOptions = Pick<
  SaveOptions,
  "folder" | "signal" | "onProgress" | "verify" | "ifUnchanged" | "lock" | "mkdir" | "requireDurable"
>;

/** Options of {@linkcode encodeNpz}. */
export interface EncodeNpzOptions {
  /** Compress the arrays, as `numpy.savez_compressed` does. @default {false} */
  compress?: boolean | undefined;
}

/** Options of {@linkcode saveNpz}. */
export type SaveNpzOptions = SaveNpyOptions & EncodeNpzOptions;

const DECODE = ["limits", "copy", "float8"];
const LOAD = [...DECODE, "folder", "signal", "fetch", "http", "onProgress", "onWarning"];
const NOT_HERE = ["protocol", "useBinaryFormat", "safetensors", "numpy", "mode", "onWarning"];
const SAVE = SAVE_OPTIONS.filter((name) => !NOT_HERE.includes(name));

/**
 * The array of an `.npy` file in memory; a view of `bytes` if element and byte order allow it, unless `copy` is set. Mirrors `numpy.load`
 * without `allow_pickle`: arrays of objects are never read.
 *
 * @throws {FormatError} the file is not well formed; `offset` says where
 * @throws {UnsupportedError} `UNSUPPORTED_DTYPE`: strings, dates, structures, objects, long doubles
 * @throws {LimitError} `LIMIT`
 */
export function decode(bytes: Uint8Array, options: DecodeNpyOptions = {}): NDArray {
  checkOptions(options, DECODE);
  const { copy, float8 } = options;
  const budget = new Budget(limitsOf(options.limits));
  const content = driveBytes((cursor) => readNpy(cursor, { budget, float8 }), checkedBytes(bytes), { copy });
  return numpyArrayOf(content, { borrowed: !copy }) as NDArray;
}

/**
 * The array of an `.npy` file. Mirrors `numpy.load`.
 *
 * @throws what {@linkcode decode} throws
 * @throws {SourceError} the file cannot be found or read
 *
 * @example A file written and read
 * ```ts
 * import { fromArray, MemoryFolder } from "@oarlock/paddle";
 * import { load, save } from "@oarlock/paddle/npy";
 *
 * const folder = new MemoryFolder(); // without it, the name is a path
 * await save(fromArray([1, 2, 3]), "w.npy", { folder });
 * const w = await load("w.npy", { folder });
 * if (w.at(2) !== 3) throw new Error("lost");
 * ```
 */
export async function load(from: From, options: LoadNpyOptions = {}): Promise<NDArray> {
  checkOptions(options, LOAD);
  const { signal, onProgress, copy, float8 } = options;
  signal?.throwIfAborted();
  const limits = limitsOf(options.limits);
  return await driveFrom(
    await sourceOf(from, { ...options, onePass: true }),
    (cursor) => readNpy(cursor, { budget: new Budget(limits), float8 }),
    (content, borrowed) => numpyArrayOf(content, { borrowed }) as NDArray,
    { signal, onProgress, copy, onePass: true, maxStreamBytes: limits.maxStreamBytes },
  );
}

/**
 * Open an `.npy` file without reading its data: only its header is read. The name of its array is `""`. Mirrors `numpy.load` with
 * `mmap_mode`.
 *
 * @throws what {@linkcode load} throws
 *
 * @example One row of a large array
 * ```ts
 * import { open } from "@oarlock/paddle/npy";
 *
 * async function firstRow(file: string) {
 *   const opened = await open(file);
 *   try {
 *     return await opened.getSlice("", [0, 1]);
 *   } finally {
 *     await opened.close();
 *   }
 * }
 * ```
 */
export async function open(from: From, options: LoadNpyOptions = {}): Promise<Checkpoint> {
  checkOptions(options, LOAD);
  const limits = limitsOf(options.limits), { float8, ...rest } = options;
  return await whileCalling(rest, (during) =>
    openWith(
      from,
      during,
      (cursor) => readNpy(cursor, { budget: new Budget(limits), float8, lazy: true }),
      (content, context) => {
        const value = numpyArrayOf(content, context) as NDArray;
        context.onArray?.(value, content);
        return { value, warnings: [] };
      },
    ));
}

/**
 * The bytes of an `.npy` file of version 1. Mirrors `numpy.save`, with the bytes of numpy 1.23 and later.
 *
 * @throws {ValueError} `INVALID_VALUE`: not an array
 */
export function encode(array: NDArray): Uint8Array<ArrayBuffer> {
  return joinBytes([...encodeChunks(array)]);
}

/** The bytes of an `.npy` file in chunks: the header, then the bytes of the array, uncopied. */
export function* encodeChunks(array: NDArray): Generator<Uint8Array<ArrayBuffer>, void> {
  checkArray(array, "");
  yield npyHead(array);
  yield array.bytes;
}

/**
 * Write an `.npy` file atomically: a path always leads to the complete old file or the complete new one. Mirrors `numpy.save`.
 *
 * An unread array of a checkpoint is copied from its file to the new one in pieces.
 *
 * @throws {SaveError} writing failed; `committed` says whether the target changed
 */
export async function save(array: NDArray, to: To, options: SaveNpyOptions = {}): Promise<SaveReport> {
  checkOptions(options, SAVE);
  checkArray(array, "");
  const { size, chunks } = npyFile("", array);
  return await saveChunks({ size, chunks, warnings: [] }, to, options);
}

/**
 * The arrays of an `.npz` file in memory, by name, in the order of the archive. Mirrors `numpy.load`.
 *
 * Compressed archives need a runtime with DecompressionStream.
 *
 * @throws what {@linkcode decode} throws; for the archive also `HASH_MISMATCH`, `DUPLICATE_KEY`, `COUNT_MISMATCH`
 * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: an encrypted archive, or a compression method other than stored and deflate
 */
export async function decodeNpz(
  bytes: Uint8Array,
  options: DecodeNpyOptions & StopOptions = {},
): Promise<Map<string, NDArray>> {
  checkOptions(options, [...DECODE, "signal"]);
  options.signal?.throwIfAborted();
  return await readNpz(new BytesSource(checkedBytes(bytes)), { ...options, limits: limitsOf(options.limits) });
}

/**
 * The arrays of an `.npz` file, by name. Mirrors `numpy.load`.
 *
 * @throws what {@linkcode decodeNpz} throws
 * @throws {SourceError} the file cannot be found or read
 *
 * @example From a URL or path
 * ```ts
 * import { loadNpz } from "@oarlock/paddle/npy";
 * async function shapes(from: string) {
 *   const arrays = await loadNpz(from);
 *   return [...arrays].map(([name, array]) => [name, array.shape]);
 * }
 * ```
 */
export async function loadNpz(from: From, options: LoadNpyOptions = {}): Promise<Map<string, NDArray>> {
  checkOptions(options, LOAD);
  const { signal } = options;
  signal?.throwIfAborted();
  const limits = limitsOf(options.limits);
  const source = await seekableSource(await sourceOf(from, options), limits.maxStreamBytes, signal);
  return await readNpz(source, { ...options, limits });
}

/**
 * Open an `.npz` file without reading its data: only its directory and the headers of its arrays are read. A compressed array is
 * decompressed each time it is requested. If the source is a stream, which can only be read once, the archive is kept in memory.
 *
 * The checksum of a compressed array is verified when it is read to its end, that of a stored one is not: {@linkcode loadNpz} verifies all.
 *
 * An array of strings, dates, structures, objects or long doubles, which {@linkcode loadNpz} refuses, is reported as a warning: `names()`
 * lacks it, `get` refuses it, and `value()` has its dtype and shape.
 *
 * @throws what {@linkcode loadNpz} throws, except for checksums
 *
 * @example One array of an archive
 * ```ts
 * import { openNpz } from "@oarlock/paddle/npy";
 *
 * async function bias(file: string) {
 *   const archive = await openNpz(file);
 *   try {
 *     return await archive.get("bias");
 *   } finally {
 *     await archive.close();
 *   }
 * }
 * ```
 */
export async function openNpz(from: From, options: LoadNpyOptions = {}): Promise<Checkpoint> {
  checkOptions(options, LOAD);
  return await whileCalling(options, (during) => openArrays(from, during));
}

async function openArrays(from: From, options: LoadNpyOptions): Promise<Checkpoint> {
  const { signal } = options;
  const limits = limitsOf(options.limits), { options: telling, warnings } = collecting(options);
  const source = await seekableSource(await sourceOf(from, telling), limits.maxStreamBytes, signal);
  try {
    const { value, lazies } = await openNpzArrays(source, { ...options, limits });
    refusalsIn(value).forEach(telling.onWarning);
    return new Checkpoint({ source, value, warnings, lazies, origins: new Map() });
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/**
 * The bytes of an `.npz` file. Mirrors `numpy.savez`, and `numpy.savez_compressed` with `compress`.
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is not an array, or a name not a string; `LONE_SURROGATE`: a name cannot be encoded as UTF-8
 */
export async function encodeNpz(
  arrays: ReadonlyMap<string, unknown>,
  options: EncodeNpzOptions & StopOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions(options, ["compress", "signal"]);
  const { compress, signal } = options;
  signal?.throwIfAborted();
  const checked = checkArrays(arrays);
  await loadLazyArrays(checked, signal);
  const plan = compress ? await planPackedNpz(checked, { most: Infinity, signal }) : await planNpz(checked, { signal });
  const chunks: Uint8Array[] = [], turns = new Turns(signal);
  for (const chunk of plan.chunks()) {
    // All arrays have been loaded, so all chunks are bytes.
    chunks.push(chunk as Uint8Array);
    if (turns.due()) await turns.take();
  }
  return await joinInTurns(chunks, signal);
}

/**
 * Write an `.npz` file atomically: a path always leads to the complete old file or the complete new one. Mirrors `numpy.savez`, and
 * `numpy.savez_compressed` with `compress`.
 *
 * A checkpoint, or unread arrays of one, are copied from their file to the new one in pieces, and are read twice, as an archive has the
 * checksum of each file before it. At most 8 MiB of compressed data is kept in memory: anything beyond that is compressed twice.
 *
 * @throws what {@linkcode encodeNpz} throws, before anything is created
 * @throws {SaveError} writing failed; `committed` says whether the target changed
 *
 * @example A compressed archive
 * ```ts
 * import { fromArray, MemoryFolder } from "@oarlock/paddle";
 * import { loadNpz, saveNpz } from "@oarlock/paddle/npy";
 *
 * const folder = new MemoryFolder(); // without it, the name is a path
 * await saveNpz(new Map([["w", fromArray([1, 2, 3])]]), "arrays.npz", { folder, compress: true });
 * const arrays = await loadNpz("arrays.npz", { folder });
 * if (arrays.get("w")?.at(2) !== 3) throw new Error("lost");
 * ```
 */
export async function saveNpz(
  arrays: ReadonlyMap<string, unknown> | Checkpoint,
  to: To,
  options: SaveNpzOptions = {},
): Promise<SaveReport> {
  const { compress, ...rest } = options;
  checkOptions(options, [...SAVE, "compress"]);
  const read = deferredValueOf(arrays);
  if (read) options.signal?.throwIfAborted();
  const checked = checkArrays(read ? await read(options) : arrays);
  options.signal?.throwIfAborted();
  const plan = await (compress ? planPackedNpz : planNpz)(checked, { signal: options.signal });
  return await saveChunks({ size: plan.size, chunks: plan.chunks(), warnings: [] }, to, rest);
}

/** Unread arrays are replaced by new ones that read the same data: the caller may load its own meanwhile. */
function checkArrays(arrays: Value): ReadonlyMap<string, NDArray> {
  if (!(arrays instanceof Map)) throw new ValueError("INVALID_VALUE", "An .npz file is made from a Map of arrays");
  checkWhole(arrays);
  const checked = new Map<string, NDArray>();
  for (const [name, array] of arrays) {
    checkArray(array, String(name));
    checkName(name);
    checked.set(name, array.unread ? new NDArray(array.dtype, array.shape, array.unread) : array);
  }
  return checked;
}

/** Names are UTF-8 in an archive; other names could become the same there. */
function checkName(name: unknown): void {
  if (typeof name !== "string") {
    throw new ValueError("INVALID_VALUE", "The names of an .npz file are strings", { at: String(name) });
  }
  if (name.isWellFormed()) return;
  throw new ValueError("LONE_SURROGATE", `The name ${quote(name)} has a lone surrogate, which UTF-8 cannot encode`, {
    at: name,
  });
}

function checkArray(array: unknown, at: string): asserts array is NDArray {
  if (!(array instanceof NDArray)) {
    throw new ValueError("INVALID_VALUE", "A numpy file holds arrays and nothing else", { at });
  }
}
