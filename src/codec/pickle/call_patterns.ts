/**
 * The closed table of calls that a pickle may request (RULES.md PKL-4, P1 to P14): for each kind of symbol, what its arguments must be,
 * and the value that the call yields. Nothing is actually called.
 *
 * @module
 */
import { PRICES } from "../../limits.ts";
import {
  ByteArray,
  Complex,
  DefaultDict,
  FrozenSet,
  OrderedDict,
  PythonRecord,
  Range,
  Slice,
  Tuple,
} from "../../values.ts";
import { type Payload, Span } from "../cursor.ts";
import { setArrayState } from "./array_state.ts";
import { ByteText, isText } from "./byte_text.ts";
import { bytesOfText, type Call, flagAt, isIntAt, Unfilled } from "./call.ts";
import { dtypeFromCode } from "./dtypes.ts";
import { PickledArray, PickledDType, Token } from "./pickled.ts";
import { readScalar } from "./scalar.ts";
import type { SymbolKind } from "./symbols.ts";
import { latin1FromText } from "../../words/latin1.ts";
import { isUnread } from "./unread.ts";

/** The value of a call; undefined if the arguments do not match. */
type Pattern = (call: Call) => unknown;
type Patterns = Readonly<Partial<Record<SymbolKind, Pattern>>>;

/** Calls whose arguments include symbols. */
export const SYMBOL_PATTERNS: Patterns = {
  /** P1: `_reconstruct(ndarray, (0,), b'b')` */
  reconstruct({ context, callable, args: [cls, shape, letter, ...more], at }) {
    const isZero = shape instanceof Tuple && shape.length === 1 && shape[0] === 0 && isIntAt(shape, 0);
    if (more.length > 0 || !isSymbol(cls, "ndarray") || !isZero || !isLetterB(letter)) return undefined;
    context.budget.tensor(at);
    const array = new PickledArray(callable.offset);
    context.arrays.awaitState(array);
    return array;
  },

  /** P7: only the factory's name is stored; it is never called */
  defaultdict({ args }) {
    const [factory = null] = args;
    if (args.length > 1 || (factory !== null && !(factory instanceof Token && FACTORIES.has(factory.kind)))) {
      return undefined;
    }
    const dict = new DefaultDict();
    if (factory !== null) dict.factory = `builtins.${RENAMED.get(factory.name) ?? factory.name}`;
    return dict;
  },

  /** P13: `_reconstructor(cls, object, None)`, from protocols without NEWOBJ */
  reconstructor({ context, args: [cls, base, state, ...more] }) {
    if (
      context.protocol > 1 || more.length > 0 || !isSymbol(cls, "record") || !isSymbol(base, "object") || state !== null
    ) return undefined;
    return new PythonRecord(cls.module, cls.name);
  },
};

/** Calls whose arguments are plain data. */
export const DATA_PATTERNS: Patterns = {
  /** P2: `dtype('f4', False, True)` */
  dtype({ args, at }) {
    const n = args.length, code: unknown = args[0];
    if (n > 3 || typeof code !== "string") return undefined;
    if ((n > 1 && flagAt(args, 1) !== false) || (n > 2 && flagAt(args, 2) !== true)) return undefined;
    return dtypeFromCode(code, at);
  },

  /** P3: `scalar(dtype, bytes)`; Python 2 wrote the bytes as a string */
  scalar({ args: [dtype, data, ...more], at }) {
    const bytes = typeof data === "string" ? latin1FromText(data) : data instanceof ByteText ? data.payload : data;
    if (more.length > 0 || !(dtype instanceof PickledDType) || !(bytes instanceof Uint8Array)) return undefined;
    if (dtype.isSubarray || isUnread(bytes)) return undefined;
    return readScalar(dtype, bytes, at);
  },

  /** P4: `_frombuffer(data, dtype, shape, order)`; newer numpy, for any axis order: `(data, dtype, shape, 'K', axes)` */
  frombuffer({ context, args: [data, dtype, shape, order, axes, ...more], at }) {
    const isBytes = data instanceof Uint8Array || data instanceof Span;
    if (more.length > 0 || !isBytes || !(dtype instanceof PickledDType)) return undefined;
    const isAnyOrder = order === "K" && axes instanceof Tuple;
    if (!isAnyOrder && (axes !== undefined || (order !== "C" && order !== "F"))) return undefined;
    context.budget.tensor(at);
    const array = new PickledArray(at);
    setArrayState(context, array, { shape, dtype, fortran: order === "F", data }, at);
    if (isAnyOrder && !setAxes(array, axes)) return undefined;
    context.arrays.complete(array);
    return array;
  },

  /** P5: `encode(text, 'latin1')` */
  encode({ context, args: [text, encoding, ...more], at }) {
    const isLatin = encoding === "latin1" || (encoding instanceof ByteText && isText(encoding, "latin1"));
    if (more.length > 0 || !isLatin) return undefined;
    if (text instanceof ByteText) return text.payload;
    return typeof text === "string" ? bytesOfText(context, text, at) : undefined;
  },

  // P6: containers and bytes made from another one. Python returns an immutable one itself rather than a copy.
  tuple: (call) => call.args[0] instanceof Tuple ? onlyOf(call) : collected(call, new Tuple()),
  list: (call) => collected(call, []),
  set: (call) => collected(call, new Set()),
  frozenset: (call) => call.args[0] instanceof FrozenSet ? onlyOf(call) : collected(call, new FrozenSet()),
  bytes: bytesOf,
  bytearray(call) {
    const bytes = bytesOf(call);
    if (!(bytes instanceof Uint8Array) || isUnread(bytes)) return undefined;
    call.context.budget.charge(PRICES.bytes + bytes.length, call.at);
    return new ByteArray(bytes.slice().buffer);
  },
  dict: ({ args }) => args.length === 0 ? new Map() : undefined,
  complex({ args }) {
    return args.length === 2 && isFloatAt(args, 0) && isFloatAt(args, 1)
      ? new Complex(args[0] as number, args[1] as number)
      : undefined;
  },
  slice({ args }) {
    if (!hasInts(args, 1, 3, (bound) => bound === null)) return undefined;
    return args.length === 1 ? new Slice(null, args[0]) : new Slice(args[0], args[1], args[2] ?? null);
  },
  range({ args }) {
    if (!hasInts(args, 1, 3, () => false) || args[2] === 0) return undefined;
    const [first, stop, step = 1] = args as number[];
    return args.length === 1 ? new Range(0, first) : new Range(first, stop, step);
  },

  /** P7; Python 2 passes one list of pairs */
  OrderedDict({ context, args: [pairs, ...more], at }) {
    const dict = new OrderedDict();
    if (pairs === undefined) return dict;
    const isPair = (x: unknown) => Array.isArray(x) && x.length === 2;
    if (more.length > 0 || !Array.isArray(pairs) || pairs instanceof Tuple) return undefined;
    context.budget.charge(PRICES.slot * pairs.length, at);
    if (!pairs.every(isPair)) return undefined;
    return new Unfilled(dict, pairs);
  },

  /** P8: `eval('data', {'data': X})`, compared but never parsed */
  eval: ({ args: [code, names, ...more] }) => {
    const isPlain = names instanceof Map && !(names instanceof OrderedDict) && names.size === 1;
    return more.length === 0 && code === "data" && isPlain ? finished(names.get("data")) : undefined;
  },

  /** P9: `_reconstruct_dense_tensor_data(X)` */
  denseTensor: ({ args }) => args.length === 1 ? finished(args[0]) : undefined,

  /** P9: `_rebuild_tensor(X, 'float32', 'cpu', True)`, how pickle itself writes a Tensor since 3.3: its dtype, place and requires_grad */
  _rebuild_tensor({ args }) {
    const array = finished(args[0]), isTrainable = flagAt(args, 3), name = array?.dtype?.info?.name;
    const isItsDType = name !== undefined && args[1] === (name === "uint16" ? "bfloat16" : name);
    if (args.length !== 4 || !isItsDType || typeof args[2] !== "string" || isTrainable === undefined) return undefined;
    array!.stopGradient = !isTrainable;
    return array;
  },

  /** P14: `Size((2, 3))`, a list */
  Size(call) {
    const [dims] = call.args, size: unknown[] = [];
    if (!(dims instanceof Tuple) || !hasInts(dims, 0, Infinity, () => false)) return undefined;
    SIZES.add(size);
    return collected(call, size);
  },

  /** P11 */
  generatorState: ({ callable, args }) => new PythonRecord(callable.module, callable.name, new Map([["args", args]])),
};

/** The lists that a `Size` made: the state of a `TensorSize` has one. */
export const SIZES: WeakSet<object> = new WeakSet();

/** Python 2 types that Python 3 renamed. */
const RENAMED: ReadonlyMap<string, string> = new Map([["long", "int"], ["unicode", "str"]]);

/** Kinds of symbols that may be the `default_factory` of a `defaultdict`. */
export const FACTORIES: ReadonlySet<SymbolKind> = new Set<SymbolKind>([
  "factory",
  "list",
  "dict",
  "set",
  "tuple",
  "frozenset",
  "bytes",
  "bytearray",
  "complex",
  "object",
]);

function isSymbol(value: unknown, kind: SymbolKind): value is Token {
  return value instanceof Token && value.kind === kind;
}

function isLetterB(value: unknown): boolean {
  return value === "b" || (value instanceof Uint8Array && value.length === 1 && value[0] === 0x62) ||
    (value instanceof ByteText && isText(value, "b"));
}

function onlyOf({ args }: Call): unknown {
  return args.length === 1 ? args[0] : undefined;
}

/** `empty`, to be filled from the container that is the only argument, if there is one. */
function collected({ args }: Call, empty: unknown[] | Set<unknown>): unknown {
  if (args.length === 0) return empty;
  const [from] = args;
  return args.length === 1 && (Array.isArray(from) || from instanceof Set) ? new Unfilled(empty, from) : undefined;
}

/** `bytes()`, `bytes(b)` or `bytes(text, 'latin1')`. */
function bytesOf({ context, args, at }: Call): Payload | undefined {
  const [first, encoding] = args;
  if (args.length === 0) return new Uint8Array(0);
  if (args.length === 1) return first instanceof Uint8Array || first instanceof Span ? first : undefined;
  const isLatin = encoding === "latin1" || encoding === "latin-1";
  return args.length === 2 && isLatin && typeof first === "string" ? bytesOfText(context, first, at) : undefined;
}

function isFloatAt(tuple: Tuple, index: number): boolean {
  return typeof tuple[index] === "number" && !isIntAt(tuple, index);
}

function hasInts(args: Tuple, least: number, most: number, isElse: (value: unknown) => boolean): boolean {
  return args.length >= least && args.length <= most && args.every((arg, i) => isElse(arg) || isIntAt(args, i));
}

/** Permute the axes of an array whose shape is still that of its bytes, as numpy's `transpose` does; false if `axes` is no permutation. */
function setAxes(array: PickledArray, axes: Tuple<unknown>): boolean {
  const { shape } = array;
  if (axes.length !== shape.length || !hasInts(axes, 0, shape.length, () => false)) return false;
  const order = [...axes] as number[];
  if (new Set(order).size !== shape.length || order.some((axis) => axis < 0 || axis >= shape.length)) return false;
  array.shape = order.map((axis) => shape[axis]);
  array.axes = order;
  array.fortran = true;
  return true;
}

/** The value, if it is an array that has its state. */
function finished(value: unknown): PickledArray | undefined {
  return value instanceof PickledArray && value.dtype !== null ? value : undefined;
}
