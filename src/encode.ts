/**
 * Encodes a value to bytes in memory.
 *
 * @module
 */
import { recordSize, writeRecordChunks } from "./codec/record/write_record.ts";
import { sizeOfPickleInSteps, writePickleChunks } from "./codec/pickle/write/write_pickle.ts";
import { shownValue } from "./words/described.ts";
import { isPlainObject, mapOfObject } from "./words/plain_object.ts";
import { planSafetensors } from "./codec/safetensors/write_safetensors.ts";
import { ValueError, type Warning } from "./errors.ts";
import { checkBuffer } from "./model/check_value.ts";
import { shapeForSaveInSteps } from "./model/to_pickle.ts";
import { atOnce } from "./words/steps.ts";
import { withoutLayersInSteps } from "./model/without_layers.ts";
import { type LazyBytes, NDArray } from "./ndarray.ts";
import { Program } from "./program.ts";
import { checkOptions, ENCODE_OPTIONS, type EncodeOptions } from "./options.ts";
import { bytesOf, type Chunk } from "./words/unread_bytes.ts";
import { SelectedRows, type Value } from "./values.ts";

/** A value that was checked and is ready to be written. */
export interface Plan {
  /** Total size in bytes. */
  size: number;
  /** The bytes. */
  chunks: Iterable<Chunk>;
  /** The same bytes in chunks that are only valid until the one after the next is requested, which takes less memory. */
  reusing?: () => Iterable<Chunk>;
  /** Warnings about the value. */
  warnings: Warning[];
}

/** A value that was checked and shaped. */
export interface Draft {
  /** Plan the bytes, in steps. Arrays in files stay there; those to be encoded as text only if the length of that is given. */
  plan(textLengths?: WeakMap<Uint8Array | LazyBytes, number>): Generator<void, Plan>;
  /** The value to pickle; null if nothing is pickled. */
  pickled: unknown;
  /** Whether arrays are encoded as text, as in protocol 2. */
  isText: boolean;
}

/** Check and shape a value, and plan its bytes; nothing is written yet. */
export function planEncoding(value: Value, options: EncodeOptions): Plan {
  return atOnce(atOnce(draftEncoding(value, options)).plan());
}

/** Check and shape a value, in steps; nothing is written yet. */
export function* draftEncoding(value: Value, options: EncodeOptions): Generator<void, Draft> {
  const planned = (plan: Plan): Draft => ({
    // deno-lint-ignore require-yield
    *plan() {
      return plan;
    },
    pickled: null,
    isText: false,
  });
  const protocol = options.protocol ?? 4;
  if (typeof protocol !== "number" || !Number.isInteger(protocol) || protocol < 2 || protocol > 4) {
    throw new ValueError("INVALID_VALUE", `protocol must be 2, 3 or 4: got ${shownValue(protocol)}`, {
      actual: protocol,
    });
  }
  const numpy = options.numpy ?? 1;
  if (numpy !== 1 && numpy !== 2) throw new TypeError(`Option numpy must be 1 or 2: got ${shownValue(numpy)}`);
  if (value instanceof Program) {
    const bytes = value.serialize();
    return planned({ size: bytes.length, chunks: [bytes], warnings: [] });
  }
  if (options.useBinaryFormat) {
    if (!(value instanceof NDArray || value instanceof SelectedRows)) {
      throw new ValueError("INVALID_VALUE", "useBinaryFormat saves one tensor or SelectedRows, nothing else");
    }
    const array: unknown = value instanceof NDArray ? value : value.value;
    if (!(array instanceof NDArray)) {
      throw new ValueError("INVALID_VALUE", `The rows of SelectedRows must be an array: got ${shownValue(array)}`);
    }
    checkBuffer(array);
    return planned({ size: recordSize(value), chunks: writeRecordChunks(value), warnings: [] });
  }
  if (options.safetensors) {
    const plan = yield* planSafetensors(yield* tensorsOf(value), new Map());
    return planned({ size: plan.size, chunks: plan.unread(), warnings: [] });
  }
  const shaped = yield* shapeForSaveInSteps(value, { protocol, mode: options.mode });
  const plan: Draft["plan"] = function* (textLengths = new WeakMap()) {
    const settings = { protocol, numpy, textLengths };
    return {
      size: yield* sizeOfPickleInSteps(shaped.value, settings),
      chunks: writePickleChunks(shaped.value, settings),
      reusing: () => writePickleChunks(shaped.value, { ...settings, reuse: true }),
      warnings: shaped.warnings,
    };
  };
  return { plan, pickled: shaped.value, isText: protocol === 2 };
}

/** The tensors of a state dict; a safetensors file cannot hold anything else. */
function* tensorsOf(value: Value): Generator<void, Map<string, NDArray>> {
  const plain: unknown = yield* withoutLayersInSteps(value);
  const dict = plain instanceof Map ? plain : isPlainObject(plain) ? yield* mapOfObject(plain as object) : null;
  if (dict === null) throw new ValueError("INVALID_VALUE", "safetensors saves a dict of tensors, nothing else");
  const tensors = new Map<string, NDArray>();
  for (const [name, array] of dict) {
    if (typeof name !== "string" || !(array instanceof NDArray)) {
      throw new ValueError("INVALID_VALUE", "safetensors saves tensors by name, nothing else", { at: String(name) });
    }
    checkBuffer(array, name);
    tensors.set(name, array);
  }
  return tensors;
}

/**
 * The bytes that {@linkcode save} writes, synchronously.
 *
 * Mirrors `paddle.save(value, io.BytesIO())` (2.2 and later).
 *
 * @throws {ValueError} `INVALID_VALUE`: something in the value cannot be saved; `at` says where
 *
 * @example Encode one tensor in Paddle's binary format
 * ```ts
 * import { decode, encode, fromArray, Tensor } from "@oarlock/paddle";
 * const bytes = encode(fromArray([1.5, 2.5], "float32"), { useBinaryFormat: true });
 * const tensor = decode(bytes) as Tensor;
 * if (tensor.at(1) !== 2.5) throw new Error("lost");
 * ```
 */
export function encode(value: Value, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  checkOptions(options, ENCODE_OPTIONS);
  const plan = planEncoding(value, options);
  const bytes = new Uint8Array(plan.size);
  let at = 0;
  for (const chunk of plan.chunks) {
    bytes.set(bytesOf(chunk), at);
    at += chunk.length;
  }
  for (const warning of plan.warnings) options.onWarning?.(warning);
  return bytes;
}
