/**
 * Safetensors files, without Python: read fully or lazily, and written as safetensors' own writer does, preserving bfloat16 and float8.
 *
 * @example Write and read
 * ```ts
 * import { fromArray } from "@oarlock/paddle";
 * import { decode, encode } from "@oarlock/paddle/safetensors";
 *
 * const bytes = encode(new Map([["w", fromArray([[1, 2], [3, 4]], "bfloat16")]]), { metadata: { format: "np" } });
 * const tensors = decode(bytes);
 * if (tensors.get("w")?.at(1, 0) !== 3 || tensors.metadata.get("format") !== "np") throw new Error("lost");
 * ```
 *
 * @module
 */
import { driveBytes } from "./codec/drive_bytes.ts";
import { readSafetensors } from "./codec/safetensors/read_safetensors.ts";
import { planSafetensors, type SafetensorsPlan } from "./codec/safetensors/write_safetensors.ts";
import { ValueError } from "./errors.ts";
import { driveFrom } from "./io/drive/drive_from.ts";
import { deferredValueOf } from "./io/lazy/deferred_value.ts";
import { type From, sourceOf } from "./io/open/open_source.ts";
import type { To } from "./io/open/sink_of.ts";
import { whileCalling } from "./io/waiting/while_calling.ts";
import { inTurns } from "./io/waiting/turns.ts";
import { Budget, type Limits } from "./limits.ts";
import { limitsOf } from "./io/limits_of.ts";
import { fromSafetensors, fromSafetensorsInSteps } from "./model/from_safetensors.ts";
import { NDArray } from "./ndarray.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { openWith } from "./open_parts.ts";
import { checkOptions, type LoadOptions, SAVE_OPTIONS, type SaveOptions } from "./options.ts";
import { saveChunks, type SaveReport } from "./save.ts";
import { atOnce } from "./words/steps.ts";
import { checkWhole, refusalsIn } from "./words/refused_array.ts";
import type { TensorMap } from "./words/tensor_map.ts";
import { shownValue } from "./words/described.ts";
import { checkedBytes } from "./words/plain_bytes.ts";
import { joinChunks } from "./words/unread_bytes.ts";

export { TensorMap } from "./words/tensor_map.ts";

/** Options of {@linkcode decode}. */
export interface DecodeSafetensorsOptions {
  /** Limits on what the file may request: maxJsonBytes, maxJsonDepth, maxTensors, maxRank, maxElements, maxNameBytes, maxStructureBytes. */
  limits?: Partial<Limits> | undefined;
  /** Arrays never share memory with the given bytes. @default {false} */
  copy?: boolean | undefined;
}

/** Options of {@linkcode load} and {@linkcode open}. */
export type ReadSafetensorsOptions = Pick<
  LoadOptions,
  "limits" | "copy" | "folder" | "signal" | "fetch" | "http" | "onProgress" | "onWarning"
>;

/** Options of {@linkcode encode} and {@linkcode encodeChunks}. */
export interface EncodeSafetensorsOptions {
  /** Strings by name, the file's `__metadata__`. @default that of the TensorMap, if one is given */
  metadata?: ReadonlyMap<string, string> | Readonly<Record<string, string>> | undefined;
}

/** Options of {@linkcode save}. */
export type SaveSafetensorsOptions =
  & EncodeSafetensorsOptions
  & Pick<
    SaveOptions,
    "folder" | "signal" | "onProgress" | "verify" | "ifUnchanged" | "lock" | "mkdir" | "requireDurable"
  >;

const READ_OPTIONS = ["limits", "copy", "folder", "signal", "fetch", "http", "onProgress", "onWarning"];
const NOT_HERE = ["protocol", "useBinaryFormat", "safetensors", "numpy", "mode", "onWarning"];

/**
 * The arrays of a safetensors file in memory, by name; views of `bytes` unless `copy` is set. Mirrors `safetensors.numpy.load`.
 *
 * @throws {FormatError} the file is not well formed: `TRUNCATED`, `BAD_JSON`, `DUPLICATE_KEY`, `BAD_FIELD`, `BAD_DTYPE`, `BAD_SHAPE`,
 * `SIZE_MISMATCH`, `TRAILING_DATA`, ...; `offset` says where
 * @throws {UnsupportedError} `UNSUPPORTED_DTYPE`: a tensor of four or six bits per element, or of a float8 dtype without arrays here
 * @throws {LimitError} `LIMIT`
 */
export function decode(bytes: Uint8Array, options: DecodeSafetensorsOptions = {}): TensorMap {
  checkOptions(options, ["limits", "copy"]);
  const budget = new Budget(limitsOf(options.limits));
  const content = driveBytes((cursor) => readSafetensors(cursor, { budget }), checkedBytes(bytes), {
    copy: options.copy,
  });
  return fromSafetensors(content, { borrowed: !options.copy });
}

/**
 * The arrays of a safetensors file, by name. Mirrors `safetensors.numpy.load_file`.
 *
 * @throws what {@linkcode decode} throws
 * @throws {SourceError} the file cannot be found or read
 *
 * @example The tensors of a file
 * ```ts
 * import { load } from "@oarlock/paddle/safetensors";
 *
 * async function shapes(file: string) {
 *   const tensors = await load(file);
 *   return [...tensors].map(([name, array]) => [name, array.dtype, array.shape]);
 * }
 * ```
 */
export async function load(from: From, options: ReadSafetensorsOptions = {}): Promise<TensorMap> {
  checkOptions(options, READ_OPTIONS);
  const { signal, onProgress, copy } = options;
  signal?.throwIfAborted();
  const limits = limitsOf(options.limits);
  return await driveFrom(
    await sourceOf(from, { ...options, onePass: true }),
    (cursor) => readSafetensors(cursor, { budget: new Budget(limits) }),
    (content, borrowed) => inTurns(fromSafetensorsInSteps(content, { borrowed }), signal),
    { signal, onProgress, copy, onePass: true, maxStreamBytes: limits.maxStreamBytes },
  );
}

/**
 * Open a safetensors file without reading its data: only its header is read. `value()` returns a {@linkcode TensorMap} of arrays that are
 * read on access. Mirrors `safetensors.safe_open`.
 *
 * A tensor of four or six bits per element, or of a float8 dtype without arrays here, which {@linkcode load} refuses, is reported as a
 * warning: `names()` lacks it, `get` refuses it, and `value()` has its dtype and shape.
 *
 * @throws what {@linkcode decode} throws
 * @throws {SourceError} the file cannot be found or read
 *
 * @example One tensor of a large file
 * ```ts
 * import { open } from "@oarlock/paddle/safetensors";
 *
 * async function bias(file: string) {
 *   const opened = await open(file);
 *   try {
 *     return await opened.get("bias");
 *   } finally {
 *     await opened.close();
 *   }
 * }
 * ```
 */
export async function open(from: From, options: ReadSafetensorsOptions = {}): Promise<Checkpoint> {
  checkOptions(options, READ_OPTIONS);
  const limits = limitsOf(options.limits);
  return await whileCalling(options, (during) =>
    openWith(
      from,
      during,
      (cursor) => readSafetensors(cursor, { budget: new Budget(limits), lazy: true }),
      function* (content, context) {
        const value = yield* fromSafetensorsInSteps(content, context);
        return { value, warnings: refusalsIn(value) };
      },
    ));
}

/**
 * The bytes of a safetensors file. Mirrors `safetensors.numpy.save`, with the same bytes.
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is not an array, or a tensor is called `__metadata__`; `LONE_SURROGATE`: a name cannot be
 * encoded as UTF-8
 * @throws {UnsupportedError} `UNSUPPORTED_DTYPE`: complex128, for which the format has no dtype
 */
export function encode(
  tensors: ReadonlyMap<string, unknown>,
  options: EncodeSafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  const plan = atOnce(planOf(tensors, options));
  return joinChunks(plan.size, plan.chunks());
}

/**
 * The bytes of a safetensors file in chunks: the header, then the bytes of each array, uncopied. An array is not accessed before its turn,
 * so arrays of an opened checkpoint are read one by one if their file can be read synchronously.
 *
 * @throws what {@linkcode encode} throws, before the first chunk
 */
export function encodeChunks(
  tensors: ReadonlyMap<string, unknown>,
  options: EncodeSafetensorsOptions = {},
): Generator<Uint8Array<ArrayBuffer>, void> {
  return atOnce(planOf(tensors, options)).chunks();
}

/**
 * Write a safetensors file atomically: a path always leads to the complete old file or the complete new one. Mirrors
 * `safetensors.numpy.save_file`.
 *
 * A checkpoint, or unread arrays of one, are copied from their file to the new one in pieces: memory use does not depend on their size.
 *
 * @throws what {@linkcode encode} throws, before anything is created
 * @throws {SaveError} writing failed; `committed` says whether the target changed
 *
 * @example A Paddle state dict as safetensors
 * ```ts
 * import { fromArray, load as loadPaddle, MemoryFolder, save as savePaddle } from "@oarlock/paddle";
 * import { load, save } from "@oarlock/paddle/safetensors";
 *
 * const folder = new MemoryFolder(); // without it, the names are paths
 * await savePaddle(new Map([["w", fromArray([1, 2], "bfloat16")]]), "m.pdparams", { folder });
 * const state = await loadPaddle("m.pdparams", { folder });
 * if (!(state instanceof Map)) throw new Error("not a state dict");
 * await save(state as Map<string, unknown>, "m.safetensors", { folder, metadata: { format: "np" } });
 * if ((await load("m.safetensors", { folder })).get("w")?.at(1) !== 2) throw new Error("lost");
 * ```
 */
export async function save(
  tensors: ReadonlyMap<string, unknown> | Checkpoint,
  to: To,
  options: SaveSafetensorsOptions = {},
): Promise<SaveReport> {
  const { metadata, ...rest } = options;
  checkOptions(rest, SAVE_OPTIONS.filter((name) => !NOT_HERE.includes(name)));
  options.signal?.throwIfAborted();
  const read = deferredValueOf(tensors);
  const arrays = (read ? await read(options) : tensors) as ReadonlyMap<string, unknown>;
  const plan = await inTurns(planOf(arrays, { metadata }), options.signal);
  return await saveChunks({ size: plan.size, chunks: plan.unread(), warnings: [] }, to, rest);
}

function* planOf(
  tensors: ReadonlyMap<string, unknown>,
  options: EncodeSafetensorsOptions,
): Generator<void, SafetensorsPlan> {
  checkOptions(options, ["metadata"]);
  if (!(tensors instanceof Map)) {
    throw new ValueError("INVALID_VALUE", "A safetensors file is made from a Map of arrays");
  }
  checkWhole(tensors);
  const arrays = new Map<string, NDArray>();
  for (const [name, array] of tensors) {
    if (typeof name !== "string" || !(array instanceof NDArray)) {
      throw new ValueError("INVALID_VALUE", "A safetensors file holds arrays by name and nothing else", {
        at: String(name),
      });
    }
    arrays.set(name, array);
  }
  return yield* planSafetensors(arrays, metadataOf(options.metadata ?? (tensors as Partial<TensorMap>).metadata));
}

function metadataOf(given: EncodeSafetensorsOptions["metadata"]): ReadonlyMap<string, string> {
  if (given instanceof Map) return new Map(given);
  if (given !== undefined && (typeof given !== "object" || Symbol.iterator in given)) {
    throw new TypeError(`Option metadata must be a Map or an object of strings: got ${shownValue(given)}`);
  }
  return new Map(Object.entries(given ?? {}));
}
