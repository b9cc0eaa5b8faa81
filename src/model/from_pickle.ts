/**
 * What `paddle.load` makes of an unpickled object (FORMATS.md 4).
 *
 * @module
 */
import { sameKey } from "../codec/pickle/keys.ts";
import { PickledArray } from "../codec/pickle/pickled.ts";
import type { Pickle } from "../codec/pickle/read_pickle.ts";
import { FormatError, quote, type Warning } from "../errors.ts";
import { joinBytes, joinLazily } from "../words/joined_bytes.ts";
import { type DType, dtypeInfo, type Float8 } from "../dtype.ts";
import type { Budget } from "../limits.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import { DenseTensor, Tensor } from "../tensor.ts";
import { NumpyScalar, OrderedDict, Tuple } from "../values.ts";
import { type ArrayContext, packedBytesOf, partsOf } from "./array_of.ts";
import { isUnread, joinBigParams, JoinedArray } from "./big_params_join.ts";
import { BIG_PARAMS, METADATA, NAME_TABLE } from "./keys.ts";
import { PlainShaper } from "./plain_from_pickle.ts";
import { StepPace } from "../words/steps.ts";
import { NO_KEY, type Replace, replaceIn, replaceLeaves, replaceLeavesInSteps, someInSteps } from "./walk.ts";
import { elementCount } from "../words/element_count.ts";
import { carryFloats } from "../words/floats.ts";

/** The float8 dtype that int8 tensors stand for, for all of them or by key. */
export type Float8Choice = Float8 | Readonly<Record<string, Float8>>;

/** Options of {@linkcode fromPickleInSteps}. */
export interface FromPickleOptions extends ArrayContext {
  /** Return arrays instead of Tensors. @default {false} */
  returnNumpy?: boolean;
  /** Keep the name table in the dict. @default {false} */
  keepNameTable?: boolean;
  /** `"static"` returns tensors as DenseTensor. @default {"dygraph"} */
  mode?: "dygraph" | "static";
  /** The dtype that int8 tensors stand for. */
  float8?: Float8Choice;
}

/** The value that `paddle.load` returns, in steps between which other work may run; warnings are added to `pickle.warnings`. */
export function* fromPickleInSteps(pickle: Pickle, options: FromPickleOptions): Generator<void, unknown> {
  let { root } = pickle;
  let isAsRead = true;
  const shaper = new Shaper(options, pickle.budget);
  if (root instanceof Map) {
    isAsRead = !root.has(BIG_PARAMS) && !root.has(METADATA);
    if (root.has(BIG_PARAMS)) joinBigParams(root);
    if (root.has(METADATA)) root = withoutMetadata(root as Map<unknown, unknown>);
    const dict = root as Map<unknown, unknown>;
    if (dict.has(NAME_TABLE)) return yield* fromStateDict(dict, shaper, options, pickle.warnings);
  }
  const { all, arePlain } = pickle.containers;
  // FORMATS.md 4.2: if there is a (name, array) pair anywhere, only pairs become Tensors; else every array does.
  const hasPair = isAsRead && arePlain ? all.some(isPair) : yield* someInSteps(root, isPair, isSearched);
  shaper.mayBeMore = hasPair;
  const shape: Replace = (value, at, key) => {
    const name = at === "" ? key : NO_KEY;
    if (isPair(value)) return shaper.named(value, value[1], textOf(value[0])!, name);
    if (isArray(value)) {
      return hasPair ? shaper.array(value) : shaper.tensor(value, "", name);
    }
    return shaper.rest(value);
  };
  return isAsRead ? yield* replaceIn(all, root, shape, isPair) : yield* replaceLeavesInSteps(root, shape);
}

/** What `load_program_state` makes of a pickle: arrays stay arrays, pairs stay tuples, and the name table is one more entry. */
export function stateFromPickle({ root, budget }: Pickle, context: ArrayContext): unknown {
  if (root instanceof Map && root.has(BIG_PARAMS)) joinBigParams(root);
  const shaper = new Shaper(context, budget);
  return replaceLeaves(root, (value) => isArray(value) ? shaper.array(value) : shaper.rest(value));
}

/** Missing keys beyond this many share one warning. */
const MAX_WARNINGS = 100;

/** FORMATS.md 4.1: the name table says which arrays are Tensors. */
function* fromStateDict(
  dict: Map<unknown, unknown>,
  shaper: Shaper,
  options: FromPickleOptions,
  warnings: Warning[],
): Generator<void, unknown> {
  const table = dict.get(NAME_TABLE);
  if (!(table instanceof Map)) throw badTable("it is not a dict");
  // An array under two keys of the table becomes two Tensors.
  shaper.mayBeMore = true;
  let tensors = 0, missing = 0;
  const pace = new StepPace();
  // Not entries(): that creates an array per entry.
  for (const named of table.keys()) {
    if (pace.isDue(4)) yield;
    const name: unknown = table.get(named), key = sameKey(dict, named);
    if (typeof name !== "string") throw badTable("it holds a name that is not a string");
    const value = dict.get(key);
    if (isArray(value)) {
      const made = shaper.own(value, name, String(key));
      dict.set(key, made);
      if (made instanceof NDArray) tensors++;
    } else if (!dict.has(key) && ++missing <= MAX_WARNINGS) {
      warnings.push({
        code: "MISSING_KEY",
        message: `The name table names ${quote(String(key))}, which is not in the file`,
        at: NAME_TABLE,
      });
    }
  }
  if (missing > MAX_WARNINGS) {
    const message = `The name table names ${missing - MAX_WARNINGS} more keys that are not in the file`;
    warnings.push({ code: "MISSING_KEY", message, at: NAME_TABLE });
  }
  if (!options.keepNameTable) dict.delete(NAME_TABLE);
  // Nearly every state dict consists only of these.
  if (tensors === dict.size && !(dict instanceof OrderedDict)) return dict;
  return yield* replaceLeavesInSteps(
    dict,
    (value) => isArray(value) ? shaper.array(value) : shaper.rest(value),
  );
}

function badTable(what: string): FormatError {
  return new FormatError("BAD_FIELD", `Cannot use the name table ${NAME_TABLE}: ${what}`, {
    at: `[${JSON.stringify(NAME_TABLE)}]`,
  });
}

function withoutMetadata(dict: Map<unknown, unknown>): OrderedDict {
  const metadata = dict.get(METADATA);
  dict.delete(METADATA);
  const ordered = new OrderedDict(dict);
  dict.forEach((value, key) => carryFloats(dict, ordered, key, value));
  ordered.attributes = new Map([["_metadata", metadata]]);
  return ordered;
}

function isArray(value: unknown): value is PickledArray | JoinedArray {
  return value instanceof PickledArray || value instanceof JoinedArray;
}

type Pair = Tuple & [unknown, PickledArray];

function isPair(value: unknown): value is Pair {
  return Array.isArray(value) && value.length === 2 && value instanceof Tuple && value[1] instanceof PickledArray &&
    value[1].stopGradient === null && textOf(value[0]) !== null;
}

/** The string, if the value is a str or numpy.str_; else null. */
function textOf(value: unknown): string | null {
  const text = value instanceof NumpyScalar ? value.value : value;
  return typeof text === "string" ? text : null;
}

/** Containers that Paddle searches for pairs: dict, OrderedDict, list and tuple; not sets. */
function isSearched(container: object): boolean {
  return Array.isArray(container) || container instanceof Map;
}

/** Makes arrays and tensors, one per object of the file. */
class Shaper extends PlainShaper {
  readonly #options: FromPickleOptions;
  /** What was made from pairs and joined arrays; a {@linkcode PickledArray} records it itself. */
  readonly #made = new Map<object, unknown>();

  constructor(options: FromPickleOptions, budget: Budget) {
    super(options, budget);
    this.#options = options;
  }

  /** Convert an array that is to stay an array. */
  override array(array: PickledArray | JoinedArray): unknown {
    if (array instanceof PickledArray) {
      return array.stopGradient === null ? super.array(array) : this.tensor(array, "", NO_KEY);
    }
    let made = this.#made.get(array);
    if (made === undefined) {
      const { dtype, shape, data } = this.#partsOf(array);
      this.#made.set(array, made = new NDArray(dtype, shape, data));
    }
    return made;
  }

  /** A tensor, or an array if `returnNumpy` is set. */
  tensor(array: PickledArray | JoinedArray, name: string, key: unknown): unknown {
    return this.named(array, array, name, key);
  }

  /** The tensor of `identity`, which is a pair object or the array itself; made only once. */
  named(identity: object, array: PickledArray | JoinedArray, name: string, key: unknown): unknown {
    if (this.#isNumpy(array)) return this.array(array);
    let made = identity instanceof PickledArray ? identity.made : this.#made.get(identity);
    if (made === undefined) {
      made = this.own(array, name, key);
      if (identity instanceof PickledArray) identity.made = made;
      else this.#made.set(identity, made);
    }
    return made;
  }

  /** A tensor for this place alone, or an array if `returnNumpy` is set. */
  own(array: PickledArray | JoinedArray, name: string, key: unknown): unknown {
    if (this.#isNumpy(array)) return this.array(array);
    if (array instanceof PickledArray) this.use(array, this.mayBeMore);
    const made = this.#make(array, name, key);
    if (array instanceof PickledArray) {
      if (array.stopGradient === false && made instanceof Tensor) made.stopGradient = false;
      this.#options.onArray?.(made, array);
    }
    return made;
  }

  /** `returnNumpy` leaves a Tensor that pickle wrote by itself a Tensor, as in Paddle. */
  #isNumpy(array: PickledArray | JoinedArray): boolean {
    return this.#options.returnNumpy === true && !(array instanceof PickledArray && array.stopGradient !== null);
  }

  /** `key` is the array's key in the root dict, if it is directly in there. */
  #make(array: PickledArray | JoinedArray, name: string, key: unknown): NDArray {
    const packed = array instanceof PickledArray ? packedBytesOf(array) : null;
    if (packed) return this.#shape((array as PickledArray).dtype!.info!.name, array.shape, packed, name, key);
    const { dtype, shape, data } = this.#partsOf(array);
    return this.#shape(dtype, shape, data, name, key);
  }

  #shape(
    dtype: DType,
    shape: readonly number[],
    data: Uint8Array | LazyBytes,
    name: string,
    key: unknown,
  ): NDArray {
    // Paddle has no Tensors of these dtypes: they stay arrays.
    if (dtype === "uint32" || dtype === "uint64") return new NDArray(dtype, shape, data);
    // Paddle writes bfloat16 as numpy's uint16 (FORMATS.md 3.4).
    if (dtype === "uint16") dtype = "bfloat16";
    if (dtype === "int8") dtype = this.#float8Of(key) ?? dtype;
    if (this.#options.mode === "static") return new DenseTensor(dtype, shape, data);
    // Setting the name takes less time than an object of options does, and a file has many tensors.
    const tensor = new Tensor(dtype, shape, data);
    tensor.name = name;
    return tensor;
  }

  #float8Of(key: unknown): Float8 | undefined {
    const { float8 } = this.#options;
    if (float8 === undefined || typeof float8 === "string") return float8;
    return typeof key === "string" && Object.hasOwn(float8, key) ? float8[key] : undefined;
  }

  #partsOf(array: PickledArray | JoinedArray): ReturnType<typeof partsOf> {
    if (array instanceof PickledArray) return partsOf(array, this.#options);
    const pieces = array.slices.map((slice) => {
      this.use(slice, true);
      const parts = partsOf(slice, this.#options);
      return { ...parts, nbytes: elementCount(parts.shape) * dtypeInfo(parts.dtype).itemsize };
    });
    const { dtype } = pieces[0];
    return {
      dtype,
      shape: array.shape,
      data: isUnread(array) ? joinLazily(pieces) : joinBytes(pieces.map((p) => p.data as Uint8Array)),
    };
  }
}
