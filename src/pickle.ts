/**
 * General pickles of numpy arrays and plain values, without Paddle's conventions: `@oarlock/paddle/pickle`. Reading returns what
 * `pickle.load(f, encoding="latin1")` does in Python, and values are written just as they are.
 *
 * @example There and back
 * ```ts
 * import { decode, encode } from "@oarlock/paddle/pickle";
 * const value = decode(encode(new Map<string, unknown>([["epoch", 3], ["name", "net"]]))) as Map<string, unknown>;
 * if (value.get("epoch") !== 3) throw new Error("lost");
 * ```
 *
 * @module
 */
import { sizeOfPickle, writePickleChunks } from "./codec/pickle/write/write_pickle.ts";
import { limitsOf } from "./io/limits_of.ts";
import { decodePickle, type DecodePickleOptions } from "./model/decode_pickle.ts";
import { checkedPickleFormat } from "./model/pickle_format.ts";
import { shapeForSave } from "./model/to_pickle.ts";
import { checkNames } from "./words/option_names.ts";
import { joinChunks } from "./words/unread_bytes.ts";
import type { Value } from "./values.ts";

export {
  ByteArray,
  Complex,
  DefaultDict,
  DTypeValue,
  Float,
  FrozenSet,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PythonRecord,
  Range,
  SelectedRows,
  Slice,
  type StateDict,
  toMap,
  toObject,
  Tuple,
  type Value,
} from "./values.ts";
export type { DecodePickleOptions } from "./model/decode_pickle.ts";
export type { DType } from "./dtype.ts";
export type { Warning } from "./errors.ts";
export type { Limits } from "./limits.ts";
export {
  type LazyBytes,
  NDArray,
  type NestedArray,
  type NumericArray,
  type PieceOptions,
  type Scalar,
} from "./ndarray.ts";
export { Tensor, type TensorOptions } from "./tensor.ts";

/** Options of {@linkcode decode}. */
export interface DecodeOptions extends DecodePickleOptions {}

/** Options of {@linkcode encode}. */
export interface EncodeOptions {
  /** 2, 3 or 4. @default {4} */
  protocol?: number | undefined;
  /** Use the module names of numpy 1, which every numpy reads, or of numpy 2. @default {1} */
  numpy?: 1 | 2 | undefined;
}

/**
 * Decode a pickle of any protocol from 0 to 5, with a closed set of symbols: nothing is ever executed.
 *
 * @throws {FormatError} the bytes are not a well-formed pickle
 * @throws {UnsafeError} the pickle names something that is not plain data
 * @throws {LimitError} `LIMIT`
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): Value {
  checkNames(options, ["limits", "copy", "onWarning"]);
  return decodePickle(bytes, { ...options, limits: limitsOf(options.limits) });
}

/**
 * Encode a value as a pickle.
 *
 * @throws {ValueError} `INVALID_VALUE`: something in the value cannot be pickled; `at` says where
 * @throws {SourceError} `SOURCE_CHANGED`: a getter in the value returned something else each time
 */
export function encode(value: Value, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  checkNames(options, ["protocol", "numpy"]);
  const format = checkedPickleFormat(options);
  const { value: shaped } = shapeForSave(value, { protocol: format.protocol, mode: "static", ofAnyKind: true });
  return joinChunks(sizeOfPickle(shaped, format), writePickleChunks(shaped, format));
}
