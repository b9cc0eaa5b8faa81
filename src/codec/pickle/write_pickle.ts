/**
 * The pickle writer: protocols 2, 3 and 4, byte for byte as CPython's C pickler writes the same value (dossier 3.4 to 3.7). A generator of
 * chunks; a tensor's bytes are passed on as they are.
 *
 * @module
 */
import { type DType, dtypeInfo, isDType } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import { isFloatByNature, wasFloat, wasFloatKey } from "../../floats.ts";
import { utf8Length } from "../../kernel.ts";
import { type LazyBytes, NDArray } from "../../ndarray.ts";
import { plainBytes } from "../../plain_bytes.ts";
import { Tensor } from "../../tensor.ts";
import { bytesOf, type Chunk, UnreadBytes } from "../../unread_bytes.ts";
import {
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
  Slice,
  Tuple,
} from "../../values.ts";
import { foreignDType, foreignScalarBytes } from "./foreign_dtype.ts";
import { PickledDType } from "./pickled.ts";
import { PickleOutput } from "./pickle_output.ts";
import { scalarBytes } from "./scalar_bytes.ts";
import { utf8FromText } from "./text.ts";

/** How {@linkcode writePickle} writes. */
export interface WritePickleOptions {
  /** 2, 3 or 4. */
  protocol: number;
  /** The module names of numpy 1, which every numpy reads, or of numpy 2. @default {1} */
  numpy?: 1 | 2;
  /** A chunk is good until the next but one is asked for: texts are made in two places in turn. @default {false} */
  reuse?: boolean;
  /**
   * Lengths of protocol 2's texts by the bytes they stand for: what one pass counted, the next need not. Bytes that lie in files are written
   * as text without being seen here where their length is known. @default {undefined}
   */
  textLengths?: WeakMap<Uint8Array | LazyBytes, number>;
}

/** The chunks of a value's pickle. */
export function* writePickle(value: unknown, options: WritePickleOptions): Generator<Uint8Array, void> {
  for (const chunk of writePickleChunks(value, options)) yield bytesOf(chunk);
}

/** The same, with stand-ins for large data that lie in files. */
export function* writePickleChunks(value: unknown, options: WritePickleOptions): Generator<Chunk, void> {
  yield* new PickleWriter(options, false).write(value);
}

/** Bytes of a value's pickle, without making it. */
export function sizeOfPickle(value: unknown, options: WritePickleOptions): number {
  const writer = new PickleWriter(options, true);
  for (const _ of writer.write(value)) throw new Error("counting makes no chunks");
  return writer.size;
}

/** What writing a value asks for: a value below it, or (undefined) that chunks be passed on. */
type Steps = Generator<Child | undefined, void>;

/** A value to write next; `isFloat` where the number is a Python float. */
class Child {
  value: unknown;
  isFloat: boolean;
  constructor(value: unknown, isFloat = false) {
    this.value = value;
    this.isFloat = isFloat;
  }
}

/** A callable or class by name. */
class Global {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** A tuple that Python makes while pickling: it is in the memo, but nothing refers to it. */
class FreshTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A list that Python makes while pickling. */
class FreshList {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A text that Python makes while saving, such as a Tensor's name: not shared with an equal one. */
export class FreshText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** The array inside a Tensor's pair. */
class ArrayOf {
  readonly array: NDArray;
  constructor(array: NDArray) {
    this.array = array;
  }
}

class NumpyDType {
  readonly code: string;
  constructor(code: string) {
    this.code = code;
  }
}

const BATCH = 1000;
/** Modules, and builtins, that protocol 2 calls by the names they had in Python 2. */
const MODULES_2: ReadonlyMap<string, string> = new Map([["builtins", "__builtin__"], ["copyreg", "copy_reg"]]);
const BUILTINS_2: ReadonlyMap<string, string> = new Map([["range", "xrange"], ["str", "unicode"], ["int", "long"]]);
const LETTER_B = Uint8Array.of(0x62);

class PickleWriter {
  readonly #protocol: number;
  readonly #numpy: string;
  readonly #out: PickleOutput;
  readonly #textLengths: WeakMap<Uint8Array | LazyBytes, number>;
  /** Objects and texts, to memo indices. Things of Python's own have keys that no text of the caller equals. */
  readonly #memo = new Map<unknown, number>();
  readonly #keys = new Map<string, symbol>();
  #next = 0;

  constructor(options: WritePickleOptions, counting: boolean) {
    this.#protocol = options.protocol;
    this.#numpy = options.numpy === 2 ? "numpy._core.multiarray" : "numpy.core.multiarray";
    this.#out = new PickleOutput(this.#protocol >= 4, counting, options.reuse);
    this.#textLengths = options.textLengths ?? new WeakMap();
  }

  get size(): number {
    return this.#out.size;
  }

  *write(root: unknown): Generator<Chunk, void> {
    const out = this.#out;
    // The PROTO opcode stands before the first frame.
    out.byte(0x80);
    out.byte(this.#protocol);
    out.end();
    const stack: Steps[] = [];
    let steps = this.#begin(new Child(root));
    if (steps) stack.push(steps);
    while (stack.length > 0) {
      const step = stack[stack.length - 1].next();
      if (step.done) stack.pop();
      else if (step.value) {
        steps = this.#begin(step.value);
        if (steps) stack.push(steps);
      }
      if (out.ready.length > 0) yield* out.ready.splice(0);
    }
    out.byte(0x2e);
    out.end();
    yield* out.ready.splice(0);
  }

  /** Write a value that has nothing below it, or give the steps that write it. */
  #begin({ value, isFloat }: Child): Steps | null {
    this.#out.boundary();
    switch (typeof value) {
      case "string":
        return this.#text(value, value);
      case "number":
        return isFloat || isFloatByNature(value) ? this.#float(value) : this.#int(value);
      case "bigint":
        return this.#long(value);
      case "boolean":
        this.#out.byte(value ? 0x88 : 0x89);
        return null;
    }
    if (value === null) {
      this.#out.byte(0x4e);
      return null;
    }
    if (value instanceof Float) return this.#float(value.value);
    if (value instanceof FreshText) return this.#text(value.text, null);
    if (value instanceof Global) return this.#global(value);
    if (value instanceof NumpyDType) return this.#dtype(value.code);
    if (value instanceof PickledDType) return this.#foreignDType(value);
    if (value instanceof FreshTuple) {
      return value.items.length === 0 ? this.#emptyTuple() : this.#tuple(value.items, null);
    }
    if (value instanceof FreshList) return this.#list(value.items, null);
    if (value instanceof ArrayOf) return this.#array(value.array, value.array);
    if (this.#known(value)) return null;
    if (value instanceof Uint8Array) {
      return value instanceof ByteArray ? this.#byteArray(value) : this.#bytes(value, value);
    }
    if (value instanceof Tensor) return this.#tensor(value);
    if (value instanceof NDArray) return this.#array(value, value);
    if (value instanceof OpaqueArray) return this.#opaqueArray(value);
    if (value instanceof Tuple) return value.length === 0 ? this.#emptyTuple() : this.#tuple(value, value);
    if (Array.isArray(value)) return this.#list(value, value);
    if (value instanceof OrderedDict) return this.#orderedDict(value);
    if (value instanceof DefaultDict) return this.#defaultDict(value);
    if (value instanceof Map) return this.#dict(value);
    if (value instanceof Set) return this.#set(value);
    if (value instanceof Complex) {
      return this.#reduce(builtin("complex"), [new Float(value.re), new Float(value.im)], value);
    }
    if (value instanceof NumpyScalar) return this.#scalar(value);
    if (value instanceof DTypeValue) return this.#dtypeValue(value);
    if (value instanceof Slice) return this.#reduce(builtin("slice"), [value.start, value.stop, value.step], value);
    if (value instanceof Range) return this.#reduce(builtin("range"), [value.start, value.stop, value.step], value);
    if (value instanceof PythonRecord) return this.#record(value);
    if (isPlainObject(value)) return this.#plainObject(value as Record<string, unknown>);
    throw new ValueError("INVALID_VALUE", `Cannot pickle a ${className(value)}`);
  }

  // ---- memo

  /** Remember what was just written: the next index goes to `identity`, if anything can refer to it again. */
  #memoize(identity: unknown): void {
    const index = this.#next++;
    if (identity !== null) this.#memo.set(identity, index);
    if (this.#protocol >= 4) this.#out.byte(0x94);
    else if (index < 256) this.#op(0x71, index, 1);
    else this.#op(0x72, index, 4);
  }

  /** The memo key of a thing that is Python's own, one for each name. */
  #own(name: string): symbol {
    let key = this.#keys.get(name);
    if (key === undefined) this.#keys.set(name, key = Symbol(name));
    return key;
  }

  /** Write a reference, if `identity` was written before. */
  #known(identity: unknown): boolean {
    const index = this.#memo.get(identity);
    if (index === undefined) return false;
    if (index < 256) this.#op(0x68, index, 1);
    else this.#op(0x6a, index, 4);
    return true;
  }

  #op(opcode: number, argument: number, bytes: number): void {
    this.#out.byte(opcode);
    this.#out.number(argument, bytes);
  }

  // ---- things without parts

  #text(text: string, identity: string | null): null {
    // CPython has one object for every text of one character, however it came about.
    identity ??= text.length <= 2 && [...text].length <= 1 ? text : null;
    if (identity !== null && this.#known(identity)) return null;
    const bytes = utf8FromText(text);
    if (this.#protocol >= 4 && bytes.length < 256) this.#out.payload([0x8c, bytes.length], bytes);
    else this.#out.payload([0x58, ...u32(bytes.length)], bytes);
    this.#memoize(identity);
    return null;
  }

  #float(value: number): null {
    const bytes = new Uint8Array(9);
    bytes[0] = 0x47;
    new DataView(bytes.buffer).setFloat64(1, value);
    this.#out.bytes(bytes);
    return null;
  }

  #int(value: number): null {
    if (value >= 0 && value < 256) this.#op(0x4b, value, 1);
    else if (value >= 0 && value < 65_536) this.#op(0x4d, value, 2);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.#op(0x4a, value < 0 ? value + 2 ** 32 : value, 4);
    else return this.#long(BigInt(value));
    return null;
  }

  #long(value: bigint): null {
    if (value >= -2147483648n && value <= 2147483647n) return this.#int(Number(value));
    const bytes = twosComplement(value);
    if (bytes.length < 256) this.#op(0x8a, bytes.length, 1);
    else this.#op(0x8b, bytes.length, 4);
    this.#out.bytes(bytes);
    return null;
  }

  #emptyTuple(): null {
    this.#out.byte(0x29);
    return null;
  }

  #global(global: Global): Steps | null {
    let { module, name } = global;
    if (this.#protocol < 3) {
      if (module === "builtins") name = BUILTINS_2.get(name) ?? name;
      module = MODULES_2.get(module) ?? module;
    }
    const key = this.#own(`global ${module}\n${name}`);
    if (this.#known(key)) return null;
    if (this.#protocol >= 4) return this.#stackGlobal(module, name, key);
    this.#out.byte(0x63);
    this.#out.bytes(utf8FromText(`${module}\n${name}\n`));
    this.#memoize(key);
    return null;
  }

  *#stackGlobal(module: string, name: string, key: symbol): Steps {
    yield new Child(module);
    yield new Child(name);
    this.#out.byte(0x93);
    this.#memoize(key);
  }

  // ---- bytes

  #bytes(bytes: Chunk, identity: unknown): Steps | null {
    // CPython has one object for no byte, and one for each single byte.
    const key = bytes.length < 2 && bytes instanceof Uint8Array ? this.#own(`bytes ${bytes.join()}`) : identity;
    if (this.#known(key)) return null;
    if (this.#protocol < 3) return this.#encodedBytes(bytes, key);
    const n = bytes.length;
    if (n < 256) this.#out.payload([0x43, n], bytes);
    else if (n < 2 ** 32) this.#out.payload([0x42, ...u32(n)], bytes);
    else if (this.#protocol >= 4) {
      this.#out.payload([0x8e, ...u32(n % 2 ** 32), ...u32(Math.floor(n / 2 ** 32))], bytes);
    } else throw tooLong(n);
    this.#memoize(key);
    return null;
  }

  /** Protocol 2 has no bytes: `_codecs.encode(text, 'latin1')`. */
  *#encodedBytes(bytes: Chunk, key: unknown): Steps {
    if (bytes.length === 0) {
      yield* this.#reduce(builtin("bytes"), [], key);
      return;
    }
    yield new Child(new Global("_codecs", "encode"));
    this.#out.boundary();
    if (bytes instanceof UnreadBytes) this.#unreadText(bytes.array);
    else yield* this.#bytesText(bytes);
    yield new Child("latin1");
    this.#out.byte(0x86);
    this.#memoize(null);
    this.#out.byte(0x52);
    this.#memoize(key);
  }

  *#bytesText(bytes: Uint8Array): Steps {
    const single = bytes.length === 1 ? String.fromCharCode(bytes[0]) : null;
    if (single === null || !this.#known(single)) {
      const length = this.#textLengths.get(bytes) ?? utf8Length(bytes);
      this.#textLengths.set(bytes, length);
      if (length >= 2 ** 32) throw tooLong(bytes.length);
      for (const _ of this.#out.text([0x58, ...u32(length)], bytes, length)) yield undefined;
      this.#memoize(single);
    }
  }

  #unreadText(array: NDArray): void {
    const length = this.#textLengths.get(array.unread!)!;
    if (length >= 2 ** 32) throw tooLong(array.nbytes);
    this.#out.unreadText([0x58, ...u32(length)], new UnreadBytes(array, "text", length));
    this.#memoize(null);
  }

  #byteArray(bytes: ByteArray): Steps {
    return this.#reduce(builtin("bytearray"), bytes.length === 0 ? [] : [plainBytes(bytes)], bytes);
  }

  // ---- calls

  /** `callable(*args)`, remembered as `identity`. */
  *#reduce(callable: Global, args: readonly unknown[], identity: unknown): Steps {
    yield new Child(callable);
    yield new Child(new FreshTuple(args));
    this.#out.byte(0x52);
    this.#memoize(identity);
  }

  *#tensor(tensor: Tensor): Steps {
    // Paddle gives a Tensor in an object as tuple((name, array)) (dossier 1.5).
    const pair = new FreshTuple([new FreshText(tensor.name), new ArrayOf(tensor)]);
    yield* this.#reduce(builtin("tuple"), [pair], tensor);
  }

  *#array(array: NDArray, identity: unknown): Steps {
    yield* this.#shell(array.shape, new NumpyDType(dtypeInfo(array.dtype).numpy), identity);
    this.#out.boundary();
    const steps = this.#bytes(this.#isLeft(array) ? new UnreadBytes(array) : array.bytes, null);
    if (steps) yield* steps;
    this.#endShell();
  }

  /** Data that lie in a file stay there until their turn: of the text of protocol 2 the length must be known, and one byte is shared. */
  #isLeft({ unread, nbytes }: NDArray): boolean {
    return unread !== null && nbytes > 1 && (this.#protocol > 2 || this.#textLengths.has(unread));
  }

  *#opaqueArray(array: OpaqueArray): Steps {
    yield* this.#shell(array.shape, foreignDType(array), array);
    if (array.items) yield new Child(new FreshList(array.items));
    else {
      this.#out.boundary();
      const steps = this.#bytes(plainBytes(array.bytes), null);
      if (steps) yield* steps;
    }
    this.#endShell();
  }

  /** An array up to its data. */
  *#shell(shape: readonly number[], dtype: NumpyDType | PickledDType, identity: unknown): Steps {
    const call = [new Global("numpy", "ndarray"), new FreshTuple([0]), LETTER_B];
    yield* this.#reduce(new Global(this.#numpy, "_reconstruct"), call, identity);
    this.#out.boundary();
    this.#out.byte(0x28);
    yield new Child(1);
    yield new Child(new FreshTuple(shape));
    yield new Child(dtype);
    yield new Child(false);
  }

  #endShell(): void {
    this.#out.byte(0x74);
    this.#memoize(null);
    this.#out.byte(0x62);
  }

  #dtype(code: string): Steps | null {
    const key = this.#own(`dtype ${code}`);
    if (this.#known(key)) return null;
    const order = code.endsWith("1") ? "|" : "<";
    return this.#newDType(code, [3, new FreshText(order), null, null, null, -1, -1, 0], key);
  }

  #foreignDType(dtype: PickledDType): Steps | null {
    if (dtype.info && !dtype.bigEndian) return this.#dtype(dtype.info.numpy);
    if (this.#known(dtype)) return null;
    return this.#newDType(dtype.code, dtype.state ?? [3, ">", null, null, null, -1, -1, 0], dtype);
  }

  *#newDType(code: string, state: readonly unknown[], key: unknown): Steps {
    yield* this.#reduce(new Global("numpy", "dtype"), [new FreshText(code), false, true], key);
    yield new Child(new FreshTuple(state));
    this.#out.byte(0x62);
  }

  *#scalar(scalar: NumpyScalar): Steps {
    const isOurs = isDType(scalar.dtype);
    const dtype = isOurs ? new NumpyDType(dtypeInfo(scalar.dtype as DType).numpy) : foreignDType(scalar);
    const bytes = isOurs ? scalarBytes(scalar) : foreignScalarBytes(scalar);
    yield* this.#reduce(new Global(this.#numpy, "scalar"), [dtype, bytes], scalar);
  }

  #dtypeValue(value: DTypeValue): Steps | null {
    const name = value.dtype === "bool" && value.isClass ? "bool_" : value.dtype;
    if (value.isClass) return this.#global(new Global("numpy", name));
    if (!isDType(value.dtype)) return this.#foreignDType(foreignDType(value));
    return this.#dtype(dtypeInfo(value.dtype).numpy);
  }

  *#record(record: PythonRecord): Steps {
    yield new Child(new Global(record.module, record.className));
    this.#out.byte(0x29);
    this.#out.byte(0x81);
    this.#memoize(record);
    // The state of a random generator is a tuple, which has no names.
    const state = record.fields.get("state");
    yield new Child(record.className === "GeneratorState" && state instanceof Tuple ? state : record.fields);
    this.#out.byte(0x62);
  }

  // ---- containers

  *#tuple(items: readonly unknown[], identity: unknown): Steps {
    if (items.length > 3) this.#out.byte(0x28);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      yield new Child(item, typeof item === "number" && identity !== null && wasFloat(items, i, item));
    }
    if (identity !== null && this.#memo.has(identity)) {
      // The tuple holds itself: what was made meanwhile is the one to refer to.
      if (items.length > 3) this.#out.byte(0x31);
      else for (let i = 0; i < items.length; i++) this.#out.byte(0x30);
      this.#known(identity);
      return;
    }
    this.#out.byte(items.length > 3 ? 0x74 : 0x84 + items.length);
    this.#memoize(identity);
  }

  *#list(items: readonly unknown[], identity: unknown): Steps {
    this.#out.byte(0x5d);
    this.#memoize(identity);
    const child = (i: number) => {
      const item = items[i];
      return new Child(item, typeof item === "number" && wasFloat(items, i, item));
    };
    if (items.length === 1) {
      yield child(0);
      this.#out.byte(0x61);
      return;
    }
    for (let start = 0; start < items.length; start += BATCH) {
      this.#out.byte(0x28);
      for (let i = start; i < Math.min(items.length, start + BATCH); i++) yield child(i);
      this.#out.byte(0x65);
    }
  }

  *#dict(dict: Map<unknown, unknown>, identity: object = dict): Steps {
    this.#out.byte(0x7d);
    this.#memoize(identity);
    if (dict.size === 0) return;
    if (dict.size === 1) {
      for (const [key, value] of dict) yield* this.#pair(dict, key, value);
      this.#out.byte(0x73);
      return;
    }
    // CPython goes on while a batch was full: a dict of exactly 1000 ends with an empty batch.
    let n = BATCH;
    const entries = dict.entries();
    while (n === BATCH) {
      this.#out.byte(0x28);
      for (n = 0; n < BATCH;) {
        const step = entries.next();
        if (step.done) break;
        yield* this.#pair(dict, step.value[0], step.value[1]);
        n++;
      }
      this.#out.byte(0x75);
    }
  }

  *#pair(dict: Map<unknown, unknown>, key: unknown, value: unknown): Steps {
    yield new Child(key, typeof key === "number" && wasFloatKey(dict, key));
    yield new Child(value, typeof value === "number" && wasFloat(dict, key, value));
  }

  /** Items of a dict that is no plain one: a last single item has no mark. */
  *#items(dict: Map<unknown, unknown>): Steps {
    const entries = [...dict];
    for (let start = 0; start < entries.length; start += BATCH) {
      const batch = entries.slice(start, start + BATCH);
      if (batch.length > 1) this.#out.byte(0x28);
      for (const [key, value] of batch) yield* this.#pair(dict, key, value);
      this.#out.byte(batch.length > 1 ? 0x75 : 0x73);
    }
  }

  *#orderedDict(dict: OrderedDict): Steps {
    yield* this.#reduce(new Global("collections", "OrderedDict"), [], dict);
    yield* this.#items(dict);
    if (dict.attributes) {
      yield new Child(dict.attributes);
      this.#out.byte(0x62);
    }
  }

  *#defaultDict(dict: DefaultDict): Steps {
    const dot = dict.factory?.lastIndexOf(".") ?? -1;
    const factory = dict.factory === null ? [] : [new Global(dict.factory.slice(0, dot), dict.factory.slice(dot + 1))];
    yield* this.#reduce(new Global("collections", "defaultdict"), factory, dict);
    yield* this.#items(dict);
  }

  /** An object literal is a dict; the Map in its place is remembered as the object before its items, which may hold it again. */
  #plainObject(object: Record<string, unknown>): Steps {
    return this.#dict(new Map(Object.entries(object)), object);
  }

  *#set(set: Set<unknown>): Steps {
    const items = [...set].map((item) => typeof item === "number" && wasFloatKey(set, item) ? new Float(item) : item);
    const isFrozen = set instanceof FrozenSet;
    if (this.#protocol < 4) {
      yield* this.#reduce(builtin(isFrozen ? "frozenset" : "set"), [new FreshList(items)], set);
      return;
    }
    if (isFrozen) {
      this.#out.byte(0x28);
      for (const item of items) yield new Child(item);
      this.#out.byte(0x91);
      this.#memoize(set);
      return;
    }
    this.#out.byte(0x8f);
    this.#memoize(set);
    // As with dicts, a full batch is followed by one more, be it empty.
    for (let start = 0; items.length > 0 && start <= items.length; start += BATCH) {
      this.#out.byte(0x28);
      for (const item of items.slice(start, start + BATCH)) yield new Child(item);
      this.#out.byte(0x90);
    }
  }
}

function builtin(name: string): Global {
  return new Global("builtins", name);
}

function u32(n: number): number[] {
  return [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];
}

/** The shortest little-endian two's complement. */
function twosComplement(value: bigint): Uint8Array {
  const magnitude = value < 0n ? ~value : value;
  const length = Math.floor(magnitude.toString(2).length / 8) + 1;
  const text = BigInt.asUintN(8 * length, value).toString(16).padStart(2 * length, "0");
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = parseInt(text.slice(2 * (length - 1 - i), 2 * (length - i)), 16);
  return bytes;
}

function tooLong(length: number): ValueError {
  return new ValueError("INVALID_VALUE", `A tensor of ${length} bytes needs protocol 4`, { actual: length });
}

/** Whether a value is an object literal. */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The class of a value, for messages. */
export function className(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.getPrototypeOf(value)?.constructor?.name ?? "object";
}
