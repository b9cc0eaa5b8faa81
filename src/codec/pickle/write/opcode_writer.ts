/**
 * The opcodes of values without children, of globals and of calls; and the memo of what was written (FORMATS.md 3.4 to 3.6).
 *
 * @module
 */
import type { PickleOutput } from "./pickle_output.ts";
import { Child, FreshTuple, type Global, type Steps } from "./stand_ins.ts";
import { utf8FromText } from "../../../words/utf8.ts";
import {
  BINFLOAT,
  BINGET,
  BININT,
  BININT1,
  BININT2,
  BINPUT,
  BINUNICODE,
  EMPTY_TUPLE,
  GLOBAL,
  LONG1,
  LONG4,
  LONG_BINGET,
  LONG_BINPUT,
  MEMOIZE,
  REDUCE,
  SHORT_BINUNICODE,
  STACK_GLOBAL,
} from "../opcodes.ts";

/** Modules and builtins to which protocol 2 refers by their Python 2 names. */
const MODULES_2: ReadonlyMap<string, string> = new Map([["builtins", "__builtin__"], ["copyreg", "copy_reg"]]);
const BUILTINS_2: ReadonlyMap<string, string> = new Map([["range", "xrange"], ["str", "unicode"], ["int", "long"]]);

/** Writes the opcodes of one pickle. */
export class OpcodeWriter {
  readonly protocol: number;
  readonly out: PickleOutput;
  /** Memo indices of objects and strings. Objects that Python itself shares have symbol keys, which no string of the caller equals. */
  readonly #memo = new Map<unknown, number>();
  readonly #keys = new Map<string, symbol>();
  #next = 0;

  constructor(protocol: number, out: PickleOutput) {
    this.protocol = protocol;
    this.out = out;
  }

  /** Memoize what was just written: the next index goes to `identity`, or to nothing that can be referred to if that is null. */
  memoize(identity: unknown): void {
    const index = this.#next++;
    if (identity !== null) this.#memo.set(identity, index);
    if (this.protocol >= 4) this.out.byte(MEMOIZE);
    else if (index < 256) this.#op(BINPUT, index, 1);
    else this.#op(LONG_BINPUT, index, 4);
  }

  /** The memo key of an object that Python itself shares, one for each name. */
  own(name: string): symbol {
    let key = this.#keys.get(name);
    if (key === undefined) this.#keys.set(name, key = Symbol(name));
    return key;
  }

  /** Whether `identity` was memoized. */
  isWritten(identity: unknown): boolean {
    return this.#memo.has(identity);
  }

  /** Write a memo get if `identity` was memoized. Returns whether it was. */
  known(identity: unknown): boolean {
    const index = this.#memo.get(identity);
    if (index === undefined) return false;
    if (index < 256) this.#op(BINGET, index, 1);
    else this.#op(LONG_BINGET, index, 4);
    return true;
  }

  #op(opcode: number, argument: number, bytes: number): void {
    this.out.byte(opcode);
    this.out.number(argument, bytes);
  }

  // ---- values without children

  /** A string; `identity` is null if it is an object of its own. */
  text(text: string, identity: string | null): null {
    // CPython has one object for the empty string, and one for each latin-1 character (3.11 and 3.12 have two of some).
    identity ??= text === "" || (text.length === 1 && text < "\u0100") ? text : null;
    if (identity !== null && this.known(identity)) return null;
    const written = this.protocol >= 4
      ? this.out.ascii(SHORT_BINUNICODE, 1, text)
      : this.out.ascii(BINUNICODE, 4, text);
    if (!written) this.#utf8(text);
    this.memoize(identity);
    return null;
  }

  #utf8(text: string): void {
    const bytes = utf8FromText(text);
    if (this.protocol >= 4 && bytes.length < 256) this.out.payload([SHORT_BINUNICODE, bytes.length], bytes);
    else this.out.payload([BINUNICODE, ...u32(bytes.length)], bytes);
  }

  /** A float. */
  float(value: number): null {
    this.out.float64(BINFLOAT, value);
    return null;
  }

  /** An int given as a number. */
  int(value: number): null {
    if (value >= 0 && value < 256) this.#op(BININT1, value, 1);
    else if (value >= 0 && value < 65_536) this.#op(BININT2, value, 2);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.#op(BININT, value < 0 ? value + 2 ** 32 : value, 4);
    else return this.long(BigInt(value));
    return null;
  }

  /** An int of any size. */
  long(value: bigint): null {
    if (value >= -2147483648n && value <= 2147483647n) return this.int(Number(value));
    const bytes = twosComplement(value);
    if (bytes.length < 256) this.#op(LONG1, bytes.length, 1);
    else this.#op(LONG4, bytes.length, 4);
    this.out.bytes(bytes);
    return null;
  }

  /** `()` */
  emptyTuple(): null {
    this.out.byte(EMPTY_TUPLE);
    return null;
  }

  /** A callable or class. */
  global(global: Global): Steps | null {
    let { module, name } = global;
    if (this.protocol < 3) {
      if (module === "builtins") name = BUILTINS_2.get(name) ?? name;
      module = MODULES_2.get(module) ?? module;
    }
    const key = this.own(`global ${module}\n${name}`);
    if (this.known(key)) return null;
    if (this.protocol >= 4) return this.#stackGlobal(module, name, key);
    this.out.byte(GLOBAL);
    this.out.bytes(utf8FromText(`${module}\n${name}\n`));
    this.memoize(key);
    return null;
  }

  *#stackGlobal(module: string, name: string, key: symbol): Steps {
    yield new Child(module);
    yield new Child(name);
    this.out.byte(STACK_GLOBAL);
    this.memoize(key);
  }

  // ---- calls

  /** `callable(*args)`, memoized as `identity`. */
  *reduce(callable: Global, args: readonly unknown[], identity: unknown): Steps {
    yield new Child(callable);
    yield new Child(new FreshTuple(args));
    this.out.byte(REDUCE);
    this.memoize(identity);
  }
}

/** A number as four little-endian bytes. */
export function u32(n: number): number[] {
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
