/**
 * Encodes a value to bytes in memory.
 *
 * @module
 */
import { recordSize, writeRecordChunks } from "./codec/record/write_record.ts";
import { sizeOfPickleInSteps, writePickleChunks } from "./codec/pickle/write/write_pickle.ts";
import { shownValue } from "./words/described.ts";
import { isPlainObject, mapOfObject } from "./words/plain_object.ts";
import { checkWhole } from "./words/refused_array.ts";
import { planSafetensors } from "./codec/safetensors/write_safetensors.ts";
import { ValueError, type Warning } from "./errors.ts";
import { checkBuffer } from "./model/check_value.ts";
import { serializeInSteps } from "./model/encode_program.ts";
import { checkedPickleFormat, type PickleFormat } from "./model/pickle_format.ts";
import { type ShapedForSave, shapeForSaveInSteps } from "./model/to_pickle.ts";
import { tooManyAxes } from "./model/too_many_axes.ts";
import { atOnce } from "./words/steps.ts";
import { TensorMap } from "./words/tensor_map.ts";
import { withoutLayersInSteps } from "./model/without_layers.ts";
import { type LazyBytes, NDArray } from "./ndarray.ts";
import { Program } from "./program.ts";
import { checkOptions, ENCODE_OPTIONS, type EncodeOptions } from "./options.ts";
import { type Chunk, joinChunks } from "./words/unread_bytes.ts";
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
  const format = checkedPickleFormat(options);
  if (options.useBinaryFormat && options.safetensors) {
    throw new TypeError("Options useBinaryFormat and safetensors each choose the format: pass one of them");
  }
  if (options.useBinaryFormat) return planned(recordPlan(value));
  if (options.safetensors) return planned(yield* safetensorsPlan(value));
  if (value instanceof Program) return planned(yield* programPlan(value));
  const shaped = yield* shapeForSaveInSteps(value, { protocol: format.protocol, mode: options.mode });
  return pickleDraft(shaped, format);
}

/** The draft of a value whose bytes are already planned. */
function planned(plan: Plan): Draft {
  return {
    // deno-lint-ignore require-yield
    *plan() {
      return plan;
    },
    pickled: null,
    isText: false,
  };
}

function* programPlan(program: Program): Generator<void, Plan> {
  const bytes = yield* serializeInSteps(program);
  return { size: bytes.length, chunks: [bytes], warnings: [] };
}

function recordPlan(value: Value): Plan {
  if (!(value instanceof NDArray || value instanceof SelectedRows)) {
    throw new ValueError("INVALID_VALUE", "useBinaryFormat saves one tensor or SelectedRows, nothing else");
  }
  const array: unknown = value instanceof NDArray ? value : value.value;
  if (!(array instanceof NDArray)) {
    throw new ValueError("INVALID_VALUE", `The rows of SelectedRows must be an array: got ${shownValue(array)}`);
  }
  checkBuffer(array);
  return { size: recordSize(value), chunks: writeRecordChunks(value), warnings: tooManyAxes(array.shape) };
}

function* safetensorsPlan(value: Value): Generator<void, Plan> {
  const metadata = value instanceof TensorMap ? value.metadata : new Map<string, string>();
  const plan = yield* planSafetensors(yield* tensorsOf(value), metadata);
  return { size: plan.size, chunks: plan.unread(), warnings: [] };
}

function pickleDraft({ value, warnings }: ShapedForSave, format: PickleFormat): Draft {
  return {
    *plan(textLengths = new WeakMap()) {
      const settings = { ...format, textLengths };
      return {
        size: yield* sizeOfPickleInSteps(value, settings),
        chunks: writePickleChunks(value, settings),
        reusing: () => writePickleChunks(value, { ...settings, reuse: true }),
        warnings,
      };
    },
    pickled: value,
    isText: format.protocol === 2,
  };
}

/** The tensors of a state dict; a safetensors file cannot hold anything else. */
function* tensorsOf(value: Value): Generator<void, Map<string, NDArray>> {
  const plain: unknown = yield* withoutLayersInSteps(value);
  const dict = plain instanceof Map ? plain : isPlainObject(plain) ? yield* mapOfObject(plain as object) : null;
  if (dict === null) throw new ValueError("INVALID_VALUE", "safetensors saves a dict of tensors, nothing else");
  checkWhole(dict);
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
 * @throws {SourceError} `SOURCE_CHANGED`: a getter in the value returned something else each time
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
  const bytes = joinChunks(plan.size, plan.chunks);
  for (const warning of plan.warnings) options.onWarning?.(warning);
  return bytes;
}
