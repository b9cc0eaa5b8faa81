/**
 * What REDUCE, NEWOBJ and BUILD may do: the closed table of patterns (hardening H-PKL-4). Every use is compared with one exact pattern,
 * its arguments included, and carried out by the few lines here. Whatever fits none is refused.
 *
 * @module
 */
import { type Budget, PRICES } from "../../limits.ts";
import { dtypeOfNumpy } from "../../dtype.ts";
import { FormatError, quote, UnsafeError, UnsupportedError } from "../../errors.ts";
import {
  ByteArray,
  Complex,
  DefaultDict,
  Float,
  FrozenSet,
  OrderedDict,
  PythonRecord,
  Range,
  Slice,
  Tuple,
} from "../../values.ts";
import { isFloatByNature, wasFloat, wasFloatKey } from "../../floats.ts";
import { type Payload, Span } from "../cursor.ts";
import type { ArrayLedger } from "./array_ledger.ts";
import { ByteText, isText } from "./byte_text.ts";
import type { Containers } from "./containers.ts";
import { PickledArray, PickledDType, Token } from "./pickled.ts";
import { readScalar } from "./scalar.ts";
import type { SymbolGuard } from "./symbol_guard.ts";
import { RECORD_FIELDS } from "./symbols.ts";
import { latin1FromText } from "./text.ts";

/** What the patterns need of the machine that runs them. */
export interface CallContext {
  readonly budget: Budget;
  readonly symbols: SymbolGuard;
  readonly containers: Containers;
  readonly arrays: ArrayLedger;
}

/** The message and place of a refused use. */
export function forbiddenCall(what: string, at: number, symbol?: string): UnsafeError {
  return new UnsafeError(
    "FORBIDDEN_CALL",
    `Refused ${what} at byte ${at}: no pattern of a Paddle file allows it. Nothing was called.`,
    { offset: at, symbol },
  );
}

/** REDUCE: `callable(*args)`, if a pattern says so. */
export function reduce(context: CallContext, callable: unknown, args: unknown, at: number): unknown {
  if (!(callable instanceof Token)) {
    throw new FormatError("BAD_STACK", `REDUCE at byte ${at} calls something that is no symbol`, {
      offset: at,
      opcode: "REDUCE",
    });
  }
  const refuse = () => forbiddenCall(`${quote(callable.symbol)} with these arguments`, at, callable.symbol);
  if (!(args instanceof Tuple)) throw refuse();
  const n = args.length;
  const first: unknown = args[0], second: unknown = args[1];
  if (callable.kind === "reconstruct") {
    // P1: _reconstruct(ndarray, (0,), b'b')
    const zero = second instanceof Tuple && second.length === 1 && second[0] === 0 && isIntAt(second, 0);
    if (n !== 3 || !(first instanceof Token) || first.kind !== "ndarray" || !zero || !isLetterB(args[2])) {
      throw refuse();
    }
    context.budget.tensor(at);
    const array = new PickledArray(callable.offset);
    context.arrays.awaitState(array);
    return array;
  }
  if (callable.kind === "defaultdict") {
    // P7: the factory's name is kept, never called
    const dict = new DefaultDict();
    if (n === 0 || (n === 1 && first === null)) return dict;
    if (n !== 1 || !(first instanceof Token) || !FACTORIES.has(first.kind)) throw refuse();
    dict.factory = first.symbol;
    return dict;
  }
  if (callable.kind === "reconstructor") {
    // P13
    const isRecord = first instanceof Token && first.kind === "record";
    if (n !== 3 || !isRecord || !(second instanceof Token) || second.kind !== "object" || args[2] !== null) {
      throw refuse();
    }
    return new PythonRecord(first.module, first.name);
  }
  context.symbols.datum(args);
  switch (callable.kind) {
    case "dtype": // P2: dtype('f4', False, True)
      if (n < 1 || n > 3 || typeof first !== "string") throw refuse();
      if ((n > 1 && flagAt(args, 1) !== false) || (n > 2 && flagAt(args, 2) !== true)) throw refuse();
      return dtypeFromCode(first, at);
    case "scalar": { // P3; Python 2 wrote the bytes as a text
      const bytes = typeof second === "string"
        ? latin1FromText(second)
        : second instanceof ByteText
        ? second.payload
        : second;
      if (n !== 2 || !(first instanceof PickledDType) || !(bytes instanceof Uint8Array)) throw refuse();
      return readScalar(first, bytes, at);
    }
    case "frombuffer": { // P4
      const data = first;
      const isBytes = data instanceof Uint8Array || data instanceof Span;
      const order = args[3];
      if (n !== 4 || !isBytes || !(second instanceof PickledDType) || (order !== "C" && order !== "F")) throw refuse();
      context.budget.tensor(at);
      const array = new PickledArray(at);
      setArrayState(context, array, args[2], second, order === "F", data, at);
      return array;
    }
    case "encode": // P5
      if (n !== 2 || (second !== "latin1" && !(second instanceof ByteText && isText(second, "latin1")))) throw refuse();
      if (first instanceof ByteText) return first.payload;
      if (typeof first === "string") return bytesOfText(first, at);
      throw refuse();
    case "tuple": // P6
    case "list":
    case "set":
    case "frozenset":
      if (n > 1 || (n === 1 && !isConcrete(first))) throw refuse();
      // Python makes no second one of what cannot change.
      if (
        callable.kind === "tuple" ? first instanceof Tuple : callable.kind === "frozenset" && first instanceof FrozenSet
      ) {
        return first;
      }
      return collect(context, callable.kind, n === 0 ? [] : boxed(first as unknown[] | Set<unknown>));
    case "bytes":
    case "bytearray": {
      const bytes = n === 0 ? new Uint8Array(0) : bytesArgument(args, at);
      if (bytes === null) throw refuse();
      if (callable.kind === "bytes") return bytes;
      if (bytes instanceof Span) throw refuse();
      return new ByteArray(bytes.slice().buffer);
    }
    case "dict":
      if (n !== 0) throw refuse();
      return new Map();
    case "complex": {
      const re = asFloat(first), im = asFloat(second);
      if (n !== 2 || re === null || im === null) throw refuse();
      return new Complex(re, im);
    }
    case "slice":
      if (n < 1 || n > 3 || !args.every((x, i) => x === null || isIntAt(args, i))) throw refuse();
      return n === 1 ? new Slice(null, first) : new Slice(first, second, args[2] ?? null);
    case "range":
      if (n < 1 || n > 3 || !args.every((_, i) => isIntAt(args, i))) throw refuse();
      return n === 1
        ? new Range(0, first as number)
        : new Range(first as number, second as number, (args[2] as number) ?? 1);
    case "OrderedDict": { // P7; Python 2 gives one list of pairs
      const dict = new OrderedDict();
      if (n === 0) return dict;
      const isPair = (x: unknown) => Array.isArray(x) && x.length === 2;
      if (n !== 1 || !Array.isArray(first) || first instanceof Tuple || !first.every(isPair)) throw refuse();
      for (const pair of first as unknown[][]) {
        const [key, value] = boxed(pair);
        context.containers.setItem(dict, key, value);
      }
      return dict;
    }
    case "eval": { // P8: eval('data', {'data': X}), compared and never parsed
      const holds = second instanceof Map && !(second instanceof OrderedDict) && second.size === 1
        ? second.get("data")
        : null;
      if (n !== 2 || first !== "data" || !isFinished(holds)) throw refuse();
      holds.isStatic = true;
      return holds;
    }
    case "denseTensor": // P9
      if (n !== 1 || !isFinished(first)) throw refuse();
      first.isStatic = true;
      return first;
    case "generatorState": // P11
      return new PythonRecord(callable.module, callable.name, new Map([["args", args]]));
  }
  throw refuse();
}

/** NEWOBJ and NEWOBJ_EX: `cls.__new__(cls)`, if a pattern says so. */
export function newObject(cls: unknown, args: unknown, keywords: unknown, at: number): unknown {
  const isPlain = args instanceof Tuple && args.length === 0 &&
    (keywords === undefined || (keywords instanceof Map && keywords.size === 0));
  if (cls instanceof Token && isPlain) {
    if (cls.kind === "record" || cls.kind === "generatorState") return new PythonRecord(cls.module, cls.name);
    if (cls.kind === "OrderedDict") return new OrderedDict();
  }
  throw forbiddenCall("a new object", at, cls instanceof Token ? cls.symbol : undefined);
}

/** BUILD: give `target` its state, if a pattern says so. */
export function build(context: CallContext, target: unknown, state: unknown, at: number): void {
  if (target instanceof PickledArray) {
    if (target.dtype !== null || !(state instanceof Tuple)) throw forbiddenCall("an array's state", at);
    // (1, shape, dtype, is_fortran, data), or the same without the version
    const first = state.length - 4;
    const isVersion1 = first === 0 || (first === 1 && state[0] === 1 && isIntAt(state, 0));
    const fortran = flagAt(state, first + 2);
    if (!isVersion1 || fortran === undefined) throw forbiddenCall("an array's state", at);
    setArrayState(context, target, state[first], state[first + 1], fortran, state[first + 3], at);
    context.arrays.complete(target);
    return;
  }
  context.symbols.datum(state);
  if (target instanceof PickledDType) return setDTypeState(target, state, at);
  if (target instanceof OrderedDict && state instanceof Map) {
    target.attributes = state;
    return;
  }
  if (target instanceof PythonRecord && state instanceof Map) {
    const isKnown = target.className === "GeneratorState"
      ? (key: unknown) => typeof key === "string"
      : (key: unknown) => typeof key === "string" && RECORD_FIELDS.has(key);
    for (const [key, value] of state) {
      if (!isKnown(key)) throw forbiddenCall(`the field ${quote(String(key))} of a ${target.className}`, at);
      target.fields.set(key, value);
    }
    return;
  }
  if (target instanceof PythonRecord && target.className === "GeneratorState" && state instanceof Tuple) {
    target.fields.set("state", state);
    return;
  }
  throw forbiddenCall("a state on something that takes none", at);
}

const FACTORIES: ReadonlySet<string> = new Set([
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

function isLetterB(value: unknown): boolean {
  return value === "b" || (value instanceof Uint8Array && value.length === 1 && value[0] === 0x62) ||
    (value instanceof ByteText && isText(value, "b"));
}

/** A tuple's item as a flag: False or 0, True or 1; undefined for everything else. */
function flagAt(tuple: Tuple, index: number): boolean | undefined {
  const value = tuple[index];
  if (typeof value === "boolean") return value;
  return (value === 0 || value === 1) && isIntAt(tuple, index) ? value === 1 : undefined;
}

/** Whether a tuple's item was an int in the file, and no float of the same number. */
function isIntAt(tuple: Tuple, index: number): boolean {
  const value = tuple[index];
  if (typeof value === "bigint") return true;
  return Number.isSafeInteger(value) && !isFloatByNature(value as number) && !wasFloat(tuple, index, value as number);
}

function asFloat(value: unknown): number | null {
  return value instanceof Float ? value.value : typeof value === "number" ? value : null;
}

function isConcrete(value: unknown): boolean {
  return Array.isArray(value) || (value instanceof Set);
}

function isFinished(value: unknown): value is PickledArray {
  return value instanceof PickledArray && value.dtype !== null;
}

/** The items of a container, its floats in the boxes that they have on the stack. */
function boxed(container: unknown[] | Set<unknown>): unknown[] {
  const isFloat = (item: number, index: number) =>
    Array.isArray(container) ? wasFloat(container, index, item) : wasFloatKey(container, item);
  return Array.from(container, (item, i) => typeof item === "number" && isFloat(item, i) ? new Float(item) : item);
}

function collect(
  context: CallContext,
  kind: "tuple" | "list" | "set" | "frozenset",
  items: Iterable<unknown>,
): unknown {
  if (kind === "tuple" || kind === "list") {
    const list: unknown[] = kind === "tuple" ? new Tuple() : [];
    for (const item of items) context.containers.append(list, item);
    return list;
  }
  const set = kind === "set" ? new Set() : new FrozenSet();
  for (const item of items) context.containers.addItem(set, item);
  return set;
}

function bytesArgument(args: Tuple, at: number): Payload | null {
  const [first, encoding] = args;
  if (args.length === 1) return first instanceof Uint8Array || first instanceof Span ? first : null;
  const isLatin = encoding === "latin1" || encoding === "latin-1";
  return args.length === 2 && isLatin && typeof first === "string" ? bytesOfText(first, at) : null;
}

function bytesOfText(text: string, at: number): Uint8Array {
  const bytes = latin1FromText(text);
  if (bytes) return bytes;
  throw new FormatError("BAD_TEXT", `Text at byte ${at} stands for bytes, but holds a character above U+00FF`, {
    offset: at,
  });
}

/** Letters of numpy kinds that no tensor has, each followed by a decimal size or nothing. */
const OPAQUE_KINDS = "OSUVMm";
const MAX_CODE = 16;

function dtypeFromCode(code: string, at: number): PickledDType {
  const info = dtypeOfNumpy(code);
  if (info) return new PickledDType(code, info, info.itemsize);
  const bare = code[0] === "<" || code[0] === "=" ? code.slice(1) : code;
  const spelled = dtypeOfNumpy(bare);
  if (spelled) return new PickledDType(bare, spelled, spelled.itemsize);
  const size = Number(code.slice(1));
  const isOpaque = code === "f16" || code === "c32" ||
    (code.length > 0 && OPAQUE_KINDS.includes(code[0]) && isDigits(code, 1));
  if (isOpaque && code.length <= MAX_CODE) return new PickledDType(code, undefined, code[0] === "U" ? 4 * size : size);
  throw new UnsupportedError("UNSUPPORTED_DTYPE", `Unknown numpy dtype ${quote(code)} at byte ${at}`, {
    offset: at,
    actual: code,
  });
}

function isDigits(text: string, start: number): boolean {
  for (let i = start; i < text.length; i++) if (text[i] < "0" || text[i] > "9") return false;
  return true;
}

/** (3, byteorder, subarray, names, fields, elsize, alignment, flags[, metadata]) */
function setDTypeState(dtype: PickledDType, state: unknown, at: number): void {
  const refuse = () => forbiddenCall("a dtype's state", at);
  if (dtype.built || !(state instanceof Tuple) || (state.length !== 8 && state.length !== 9)) throw refuse();
  const [version, order, subarray, names, fields, elsize, alignment, flags] = state;
  const areInts = [0, 5, 6, 7].every((index) => isIntAt(state, index));
  if ((version !== 3 && version !== 4) || typeof order !== "string" || !areInts) throw refuse();
  if (!["<", ">", "|", "="].includes(order)) {
    throw new UnsupportedError("UNSUPPORTED_DTYPE", `Unknown byte order ${quote(order)} at byte ${at}`, {
      offset: at,
      actual: order,
    });
  }
  if (dtype.info) {
    if (version !== 3 || state.length !== 8 || subarray !== null || names !== null || fields !== null) throw refuse();
    if (elsize !== -1 || alignment !== -1 || flags !== 0) throw refuse();
  } else {
    if (typeof elsize === "number" && elsize >= 0) dtype.itemsize = elsize;
    if (state.length === 9) dtype.unit = dateUnit(state[8]);
    if (isPlainState(state)) dtype.state = state;
  }
  dtype.bigEndian = order === ">";
  dtype.built = true;
}

/** Whether a dtype's state holds nothing but texts, numbers, bytes and dtypes: numpy writes no other. */
function isPlainState(state: Tuple): boolean {
  const seen = new Set<unknown>(), todo: unknown[] = [state];
  while (todo.length > 0) {
    const value = todo.pop();
    if (typeof value !== "object" || value === null || value instanceof Uint8Array || seen.has(value)) continue;
    if (value instanceof PickledDType) continue;
    seen.add(value);
    if (value instanceof Tuple) { for (const item of value) todo.push(item); }
    else if (value instanceof Map) { for (const [key, item] of value) todo.push(key, item); }
    else return false;
  }
  return true;
}

/** The unit of a date: `({}, (b'D', 1, 1, 1))`. */
function dateUnit(metadata: unknown): string {
  const unit = metadata instanceof Tuple && metadata[1] instanceof Tuple ? metadata[1] : null;
  if (!unit || !(unit[0] instanceof Uint8Array) || unit[0].length > 8) return "";
  const count = unit[1] === 1 ? "" : String(unit[1]);
  return `[${count}${String.fromCharCode(...unit[0])}]`;
}

function setArrayState(
  context: CallContext,
  array: PickledArray,
  shape: unknown,
  dtype: unknown,
  fortran: boolean,
  data: unknown,
  at: number,
): void {
  if (!(shape instanceof Tuple) || !(dtype instanceof PickledDType)) throw forbiddenCall("an array's state", at);
  array.offset = at;
  array.shape = shapeOf(context, shape, at);
  array.dtype = dtype;
  array.fortran = fortran && shape.length > 1;
  if (typeof data === "string") data = bytesOfText(data, at);
  if (data instanceof ByteText) data = data.payload;
  if (Array.isArray(data) && !(data instanceof Tuple) && dtype.code[0] === "O") {
    context.symbols.datum(data);
    array.items = data;
    return;
  }
  if (!(data instanceof Uint8Array) && !(data instanceof Span)) throw forbiddenCall("an array's data", at);
  array.data = data;
  if (!dtype.info) return;
  const count = array.shape.reduce((a, b) => a * b, 1);
  context.budget.check("maxElements", count, at);
  const expected = count * dtype.info.itemsize;
  // The length of a text that was left unread is known when it is read.
  const actual = data instanceof Uint8Array ? data.length : data.encoding === "raw" ? data.length : expected;
  if (actual !== expected) {
    throw new FormatError(
      "SIZE_MISMATCH",
      `Array at byte ${at}: ${dtype.info.name} [${array.shape}] has ${expected} bytes, the file gives ${actual}`,
      { offset: at, expected, actual },
    );
  }
}

function shapeOf(context: CallContext, shape: Tuple, at: number): number[] {
  context.budget.check("maxRank", shape.length, at);
  let product = 1;
  const dims: number[] = [];
  for (const [axis, dim] of shape.entries()) {
    if (!isIntAt(shape, axis)) throw forbiddenCall("a shape", at);
    if (typeof dim !== "number" || dim < 0) {
      throw new FormatError("BAD_SHAPE", `Array at byte ${at} has an axis of length ${dim}`, {
        offset: at,
        actual: String(dim),
      });
    }
    product *= dim;
    dims.push(dim);
  }
  if (product > Number.MAX_SAFE_INTEGER) {
    throw new FormatError("BAD_SHAPE", `Array at byte ${at} has more than 2^53 elements: [${dims}]`, { offset: at });
  }
  context.budget.charge(PRICES.slot * dims.length, at);
  return dims;
}
