/**
 * The pickle machine: protocols 0 to 5, data only (dossier section 3, hardening section 2). A symbol is a pair of strings; nothing is
 * imported, called or evaluated. As a generator it asks its driver for bytes and payloads and has no colour of its own.
 *
 * ```text
 * opcode (1 byte)  argument: none | fixed width | length + bytes | line
 * ...              until STOP; a stack of values, a stack of marks, a memo
 * ```
 *
 * @module
 */
import {
  type FormatCode,
  FormatError,
  type PaddleError,
  quote,
  UnsafeError,
  UnsupportedError,
  type Warning,
} from "../../errors.ts";
import { Budget, DEFAULT_LIMITS, type Limits, PRICES } from "../../limits.ts";
import { ByteArray, DTypeValue, Float, FrozenSet, Tuple } from "../../values.ts";
import { isFloatByNature, rememberFloat, rememberFloatKey } from "../../floats.ts";
import { BLOB_MIN, type Cursor, type Decoder, type Payload, Span } from "../cursor.ts";
import { decodePayload } from "../payload.ts";
import { build, type CallContext, newObject, reduce } from "./calls.ts";
import { canonicalForm, keyOf } from "./keys.ts";
import { Memo } from "./memo.ts";
import { ArrayRuns, type BegunRun, RUN_REACH, type RunContext, type RunPart, UnmadePart } from "./array_run.ts";
import { checkNesting } from "./nesting.ts";
import { floatFromText, integerFromBytes, integerFromText } from "./numbers.ts";
import { opcodeName } from "./opcodes.ts";
import { ByteText, holdsByteText, PickledArray, PickledDType, Token, Unknown } from "./pickled.ts";
import { placeOf } from "./place.ts";
import { lookUpSymbol } from "./symbols.ts";
import { textFromLatin1, textFromQuoted, textFromRawUnicodeEscape, textFromUtf8 } from "./text.ts";

/** How {@linkcode readPickle} reads. */
export interface ReadPickleOptions {
  /** @default {DEFAULT_LIMITS} */
  limits?: Readonly<Limits>;
  /** A repeated key is an error. @default {false} */
  strict?: boolean;
  /** Go on behind a refusal, with an unknown value in its place, and list what was met. @default {undefined} */
  audit?: PickleFinding[];
  /** Note where in the file the bytes of arrays lie. @default {false} */
  locate?: boolean;
}

/** A symbol or refusal that an audit met. */
export interface PickleFinding {
  /** `os.system`; empty for an opcode that never runs. */
  symbol: string;
  /** Name of the opcode. */
  opcode: string;
  /** Byte of the opcode. */
  offset: number;
  /** The place in the object, as far as it is known there. */
  at: string;
  /** Whether the file may hold it. */
  verdict: "used-as-data" | "refused";
  /** The refusal. */
  error?: PaddleError;
}

/** What a pickle holds, with its arrays still as the file has them. */
export interface Pickle {
  /** The value; its leaves may be PickledArray, PickledDType and Span. */
  root: unknown;
  /** Oddities met. */
  warnings: Warning[];
  /** Opcodes carried out. */
  opcodes: number;
  /** Byte behind STOP. */
  end: number;
  /** The highest protocol that was announced. */
  protocol: number;
}

/** Repeated keys that get a warning of their own. */
const MAX_WARNINGS = 100;
/** Most bytes of fixed-width arguments behind an opcode, and the opcode. */
const LONGEST_FIXED = 9;
/** A frame up to this is waited for; a larger claim is judged when something goes wrong. */
const FRAME_WAIT = 2 ** 20;

/** Decode the pickle under the cursor. */
export function* readPickle(cursor: Cursor, options: ReadPickleOptions = {}): Decoder<Pickle> {
  const machine = new PickleMachine(cursor, options);
  try {
    return yield* machine.run();
  } catch (error) {
    // A frame that claims more than the stream has is the first thing wrong with the file, even if something else was seen before.
    const claim = machine.unjudgedFrame;
    if (claim && (yield { kind: "reach", end: claim.end }) === false) throw truncated("FRAME", claim.at, cursor.total);
    throw error;
  }
}

class PickleMachine implements CallContext, RunContext {
  readonly budget: Budget;
  readonly locates: boolean;
  readonly warnings: Warning[] = [];
  unjudgedFrame: { at: number; end: number } | null = null;

  readonly cursor: Cursor;
  readonly limits: Readonly<Limits>;
  readonly #strict: boolean;
  readonly #audit: PickleFinding[] | undefined;
  readonly stack: unknown[] = [];
  readonly #marks: number[] = [];
  /** Stack items below this belong to somebody behind an open MARK. */
  #fence = 0;
  readonly memo = new Memo();
  readonly #shells = new Set<PickledArray>();
  /** Tuples that hold a symbol, and the symbol. */
  readonly #tainted = new Map<object, Token>();
  /** Where bytes that were taken from the window lay in the file. */
  readonly #offsets: WeakMap<Uint8Array, number> | null;
  readonly #runs: ArrayRuns;
  /** Bytes objects that an array already has. */
  readonly #owned = new Set<Payload>();
  /** The opcode being carried out. */
  #at = 0;
  #opcode = 0;
  /** Frame in force: where it began and ends, or -1. */
  #frameAt = -1;
  #frameEnd = -1;
  #protocol = 0;
  #opcodes = 0;

  constructor(cursor: Cursor, options: ReadPickleOptions) {
    this.cursor = cursor;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    this.#strict = options.strict ?? false;
    this.#audit = options.audit;
    this.locates = options.locate ?? false;
    this.#offsets = this.locates ? new WeakMap() : null;
    this.budget = new Budget(this.limits);
    this.#runs = new ArrayRuns(this);
  }

  *run(): Decoder<Pickle> {
    const cursor = this.cursor;
    const stack = this.stack;
    const { maxOpcodes, maxStackItems } = this.limits;
    for (;;) {
      if (cursor.end - cursor.pos < LONGEST_FIXED && !cursor.ended) yield cursor.need(LONGEST_FIXED);
      const at = this.#at = cursor.base + cursor.pos;
      if (this.#frameEnd >= 0 && at >= this.#frameEnd) this.#frameEnd = -1;
      if (cursor.pos === cursor.end) {
        if (at === 0) {
          throw new FormatError("EMPTY", "The file is empty: a save that failed leaves such a file.", { offset: 0 });
        }
        throw truncated("the next opcode", at, cursor.total);
      }
      const opcode = this.#opcode = cursor.bytes[cursor.pos];
      const isPut = opcode === 0x94 || opcode === 0x71 || opcode === 0x72;
      if (
        opcode === 0x8c || opcode === 0x68 || opcode === 0x6a || opcode === 0x58 || (isPut && this.#runs.awaitsEnd)
      ) {
        const frameEnd = this.#frameEnd < 0 ? Infinity : this.#frameEnd - cursor.base;
        const done = this.#runs.read(frameEnd, maxOpcodes - this.#opcodes);
        if (done > 0) {
          this.#opcodes += done;
          continue;
        }
      }
      if (++this.#opcodes > maxOpcodes) this.budget.exceed("maxOpcodes", this.#opcodes, at);
      if (stack.length > maxStackItems) this.budget.exceed("maxStackItems", stack.length, at);
      cursor.pos++;
      switch (opcode) {
        case 0x80: // PROTO
          this.#proto(this.#u8());
          break;
        case 0x95: { // FRAME
          const length = this.#u64();
          if (this.#frameEnd >= 0) throw this.#badFrame("begins a frame inside another");
          const end = at + 9 + length;
          const remaining = cursor.remaining;
          if (remaining === undefined && length <= FRAME_WAIT) {
            yield cursor.need(length);
            if (cursor.left < length) throw truncated("FRAME", at, cursor.total);
          } else if (remaining === undefined) this.unjudgedFrame = { at, end };
          else if (length > remaining) throw truncated("FRAME", at, cursor.total);
          this.#frameAt = at;
          this.#frameEnd = length > 0 ? end : -1;
          break;
        }
        case 0x2e: // STOP
          return yield* this.#stop();
        case 0x28: // MARK
          this.#marks.push(stack.length);
          this.#fence = stack.length;
          if (this.#marks.length > maxStackItems) this.budget.exceed("maxStackItems", this.#marks.length, at);
          break;
        case 0x30: // POP
          if (stack.length > this.#fence) stack.pop();
          else this.#popMark();
          break;
        case 0x31: // POP_MARK
          stack.length = this.#popMark();
          break;
        case 0x32: // DUP
          stack.push(this.#spelled(this.#top()));
          break;
        case 0x4e: // NONE
          stack.push(null);
          break;
        case 0x88: // NEWTRUE
          stack.push(true);
          break;
        case 0x89: // NEWFALSE
          stack.push(false);
          break;
        case 0x4b: // BININT1
          stack.push(this.#u8());
          break;
        case 0x4d: { // BININT2
          const p = this.#fixed(2);
          stack.push(cursor.view.getUint16(p, true));
          break;
        }
        case 0x4a: { // BININT
          const p = this.#fixed(4);
          stack.push(cursor.view.getInt32(p, true));
          break;
        }
        case 0x47: { // BINFLOAT, the one big-endian argument
          const p = this.#fixed(8);
          this.#pushFloat(cursor.view.getFloat64(p));
          break;
        }
        case 0x8a: // LONG1
          yield* this.#long(this.#u8());
          break;
        case 0x8b: // LONG4
          yield* this.#long(this.#i32Length());
          break;
        case 0x8c: // SHORT_BINUNICODE
          yield* this.#unicode(this.#u8());
          break;
        case 0x58: // BINUNICODE
          yield* this.#unicode(this.#u32());
          break;
        case 0x8d: // BINUNICODE8
          yield* this.#unicode(this.#u64Length());
          break;
        case 0x43: // SHORT_BINBYTES
          yield* this.#bytes(this.#u8());
          break;
        case 0x42: // BINBYTES
          yield* this.#bytes(this.#u32());
          break;
        case 0x8e: // BINBYTES8
          yield* this.#bytes(this.#u64Length());
          break;
        case 0x96: { // BYTEARRAY8
          const length = this.#u64Length();
          yield* this.#bytes(length);
          const bytes = stack[stack.length - 1];
          // In front of an array's _frombuffer a large payload may stay a span; a bytearray of its own is read.
          if (bytes instanceof Uint8Array && length < BLOB_MIN) {
            stack[stack.length - 1] = new ByteArray(bytes.slice().buffer);
          }
          break;
        }
        case 0x55: // SHORT_BINSTRING
          yield* this.#binstring(this.#u8());
          break;
        case 0x54: // BINSTRING
          yield* this.#binstring(this.#i32Length());
          break;
        case 0x53: // STRING
        case 0x56: // UNICODE
        case 0x49: // INT
        case 0x4c: // LONG
        case 0x46: // FLOAT
        case 0x67: // GET
        case 0x70: // PUT
          this.#textual(opcode, yield* this.#line());
          break;
        case 0x5d: // EMPTY_LIST
          this.budget.charge(PRICES.list, at);
          stack.push([]);
          break;
        case 0x7d: // EMPTY_DICT
          this.budget.charge(PRICES.dict, at);
          stack.push(new Map());
          break;
        case 0x8f: // EMPTY_SET
          this.budget.charge(PRICES.set, at);
          stack.push(new Set());
          break;
        case 0x29: // EMPTY_TUPLE
          this.#tuple(0);
          break;
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: // TUPLE3
          this.#tuple(opcode - 0x84);
          break;
        case 0x74: // TUPLE
          this.#tuple(stack.length - this.#popMark());
          break;
        case 0x6c: { // LIST
          const start = this.#popMark();
          const list: unknown[] = [];
          this.budget.charge(PRICES.list, at);
          this.#appendAll(list, start);
          stack.push(list);
          break;
        }
        case 0x64: { // DICT
          const start = this.#popMark();
          const dict = new Map();
          this.budget.charge(PRICES.dict, at);
          this.#setItems(dict, start);
          stack.push(dict);
          break;
        }
        case 0x91: { // FROZENSET
          const start = this.#popMark();
          const set = new FrozenSet();
          this.budget.charge(PRICES.set, at);
          for (let i = start; i < stack.length; i++) this.addItem(set, stack[i]);
          stack.length = start;
          stack.push(set);
          break;
        }
        case 0x61: { // APPEND
          const item = this.#pop();
          const list = this.#top();
          if (isList(list)) this.append(list, item);
          else this.#mustBeUnknown(list, "a list");
          break;
        }
        case 0x65: { // APPENDS
          const start = this.#popMark();
          const list = this.#below(start);
          if (isList(list)) this.#appendAll(list, start);
          else this.#mustBeUnknown(list, "a list");
          stack.length = start;
          break;
        }
        case 0x73: { // SETITEM
          const value = this.#pop();
          const key = this.#pop();
          const dict = this.#top();
          if (dict instanceof Map) this.setItem(dict, key, value);
          else this.#mustBeUnknown(dict, "a dict");
          break;
        }
        case 0x75: { // SETITEMS
          const start = this.#popMark();
          const dict = this.#below(start);
          if (dict instanceof Map) this.#setItems(dict, start);
          else this.#mustBeUnknown(dict, "a dict");
          stack.length = start;
          break;
        }
        case 0x90: { // ADDITEMS
          const start = this.#popMark();
          const set = this.#below(start);
          if (set instanceof Set && !(set instanceof FrozenSet)) {
            for (let i = start; i < stack.length; i++) this.addItem(set, stack[i]);
          } else this.#mustBeUnknown(set, "a set");
          stack.length = start;
          break;
        }
        case 0x63: { // GLOBAL
          const module = yield* this.#nameLine();
          this.#global(module, yield* this.#nameLine());
          break;
        }
        case 0x93: { // STACK_GLOBAL
          const [name, module] = [this.#pop(), this.#pop()].map((text) =>
            text instanceof ByteText ? this.#textOf(text) : text
          );
          if (typeof name !== "string" || typeof module !== "string") {
            throw this.#badStack("STACK_GLOBAL wants two texts, a module and a name");
          }
          this.#global(module, name);
          break;
        }
        case 0x52: { // REDUCE
          const args = this.#pop(), callable = this.#pop();
          stack.push(this.#guard(callable, args, () => reduce(this, callable, args, at)));
          break;
        }
        case 0x81: { // NEWOBJ
          const args = this.#pop(), cls = this.#pop();
          stack.push(this.#guard(cls, args, () => newObject(cls, args, undefined, at)));
          break;
        }
        case 0x92: { // NEWOBJ_EX
          const keywords = this.#pop(), args = this.#pop(), cls = this.#pop();
          stack.push(this.#guard(cls, args, () => newObject(cls, args, keywords, at)));
          break;
        }
        case 0x62: { // BUILD
          const state = this.#pop(), target = this.#top();
          this.#guard(target, state, () => build(this, target, state, at));
          break;
        }
        case 0x71: // BINPUT
          this.#put(this.#u8());
          break;
        case 0x72: // LONG_BINPUT
          this.#put(this.#u32());
          break;
        case 0x94: // MEMOIZE
          this.#put(this.memo.size);
          break;
        case 0x68: // BINGET
          this.#get(this.#u8());
          break;
        case 0x6a: // LONG_BINGET
          this.#get(this.#u32());
          break;
        case 0x50: // PERSID
        case 0x51: // BINPERSID
        case 0x82: // EXT1
        case 0x83: // EXT2
        case 0x84: // EXT4
        case 0x69: // INST
        case 0x6f: // OBJ
        case 0x97: // NEXT_BUFFER
        case 0x98: // READONLY_BUFFER
          throw this.#forbiddenOpcode(opcode);
        default:
          throw this.#bad("BAD_OPCODE", "is no pickle opcode");
      }
    }
  }

  // ---- arguments

  /** `n` bytes of a fixed-width argument: their index in the window. */
  #fixed(n: number): number {
    const cursor = this.cursor;
    const start = cursor.pos;
    if (this.#frameEnd >= 0 && cursor.base + start + n > this.#frameEnd) {
      throw this.#badFrame("has an argument that its frame does not hold");
    }
    if (cursor.end - start < n) throw truncated(opcodeName(this.#opcode), this.#at, cursor.total);
    cursor.pos = start + n;
    return start;
  }

  #u8(): number {
    const p = this.#fixed(1);
    return this.cursor.bytes[p];
  }

  #u32(): number {
    const p = this.#fixed(4);
    return this.cursor.view.getUint32(p, true);
  }

  /** A u64; beyond 2^53 the nearest double, which is as much too large. */
  #u64(): number {
    const p = this.#fixed(8);
    const { view } = this.cursor;
    return view.getUint32(p, true) + view.getUint32(p + 4, true) * 2 ** 32;
  }

  #u64Length(): number {
    const length = this.#u64();
    if (length >= 2 ** 63) throw this.#badLength(length);
    return length;
  }

  #i32Length(): number {
    const p = this.#fixed(4);
    const length = this.cursor.view.getInt32(p, true);
    if (length < 0) throw this.#badLength(length);
    return length;
  }

  /** Make sure that an argument of `n` bytes lies in the frame and in the file: a length is a claim (H-LIM-2). */
  #claim(n: number): void {
    const cursor = this.cursor;
    if (this.#frameEnd >= 0 && cursor.base + cursor.pos + n > this.#frameEnd) {
      throw this.#badFrame("has an argument that its frame does not hold");
    }
    const { remaining } = cursor;
    if (remaining !== undefined && n > remaining) {
      throw truncated(opcodeName(this.#opcode), this.#at, cursor.total, n, remaining);
    }
  }

  /** `n` bytes in the window: their index. */
  *#inline(n: number): Decoder<number> {
    this.#claim(n);
    const cursor = this.cursor;
    if (cursor.end - cursor.pos < n) {
      yield cursor.need(n);
      if (cursor.end - cursor.pos < n) {
        throw truncated(opcodeName(this.#opcode), this.#at, cursor.total, n, cursor.left);
      }
    }
    const start = cursor.pos;
    cursor.pos = start + n;
    return start;
  }

  /** The bytes up to the next newline, without it. */
  *#line(): Decoder<Uint8Array> {
    const cursor = this.cursor;
    let searched = 0;
    for (;;) {
      const found = cursor.bytes.subarray(0, cursor.end).indexOf(0x0a, cursor.pos + searched);
      if (found >= 0) {
        if (this.#frameEnd >= 0 && cursor.base + found + 1 > this.#frameEnd) {
          throw this.#badFrame("has an argument that its frame does not hold");
        }
        const line = cursor.bytes.subarray(cursor.pos, found);
        cursor.pos = found + 1;
        this.budget.check("maxStringBytes", line.length, this.#at);
        return line;
      }
      searched = cursor.left;
      if (cursor.ended) throw truncated(opcodeName(this.#opcode), this.#at, cursor.total);
      this.budget.check("maxStringBytes", searched, this.#at);
      yield cursor.need(2 * searched + 64);
    }
  }

  *#nameLine(): Decoder<string> {
    const line = yield* this.#line();
    this.budget.check("maxNameBytes", line.length, this.#at);
    const text = textFromUtf8(line, 0, line.length);
    if (text === null) throw this.#badText();
    return text;
  }

  // ---- texts, bytes, numbers

  /** Bytes of the window, kept: a view where the window stays, else a copy. */
  take(start: number, end: number): Uint8Array {
    const { bytes: window, stable, base } = this.cursor;
    const bytes = stable ? window.subarray(start, end) : window.slice(start, end);
    this.#offsets?.set(bytes, base + start);
    return bytes;
  }

  begin({ array, tuple, dtype, fortran }: BegunRun): void {
    this.awaitState(array);
    this.stack.push(array);
    this.#marks.push(this.stack.length);
    this.#fence = this.stack.length;
    this.stack.push(1, tuple, dtype, fortran);
  }

  end({ array, tuple, dtype, fortran, nbytes }: BegunRun): Payload | null {
    const stack = this.stack, at = this.#fence;
    if (stack.length !== at + 5 || stack[at - 1] !== array || stack[at] !== 1) return null;
    if (stack[at + 1] !== tuple || stack[at + 2] !== dtype || stack[at + 3] !== fortran) return null;
    const data = stack[at + 4];
    const isWhole = data instanceof Span ? data.encoding === "raw" : data instanceof Uint8Array;
    if (!isWhole || (data as Payload).length !== nbytes) return null;
    this.#popMark();
    stack.length = at;
    return data as Payload;
  }

  /** Make the part of a run that the entry `index` of the memo stands for. */
  #makePart(index: number, { part, toArray }: UnmadePart): unknown {
    const array = this.memo.get(index + toArray) as PickledArray;
    const made = this.#partOf(array, part);
    this.memo.set(index, made);
    return made;
  }

  #partOf(array: PickledArray, part: RunPart): unknown {
    switch (part) {
      case "zero":
        return Tuple.of<unknown>(0);
      case "shape":
        return Tuple.from(array.shape);
      case "data":
        // From here on another array may get the same bytes.
        this.#owned.add(array.data!);
        return array.data;
      case "state":
        this.#owned.add(array.data!);
        return Tuple.of<unknown>(1, Tuple.from(array.shape), array.dtype, array.fortran, array.data);
      case "args": {
        const cls = this.#runs.cls!;
        const args = Tuple.of<unknown>(cls, Tuple.of<unknown>(0), Uint8Array.of(0x62));
        this.#tainted.set(args, cls);
        return args;
      }
    }
  }

  /** Before an entry of the memo is replaced: parts of runs near it may find their array there. */
  #makePartsNear(index: number): void {
    this.#runs.forget();
    for (let near = Math.max(0, index - RUN_REACH); near <= index + RUN_REACH; near++) {
      const value = this.memo.get(near);
      if (value instanceof UnmadePart) this.#makePart(near, value);
    }
  }

  *#unicode(length: number): Decoder<void> {
    const { stack, cursor } = { stack: this.stack, cursor: this.cursor };
    const below = stack.length > 0 ? stack[stack.length - 1] : undefined;
    if (below instanceof Token && below.kind === "encode") {
      stack.push(new ByteText(yield* this.#byteText(length), this.#at));
      return;
    }
    this.budget.check("maxStringBytes", length, this.#at);
    this.budget.charge(PRICES.string + PRICES.unit * Math.min(length, cursor.remaining ?? length), this.#at);
    const start = yield* this.#inline(length);
    const text = textFromUtf8(cursor.bytes, start, start + length);
    if (text === null) throw this.#badText();
    stack.push(text);
  }

  /** A text that stands for bytes: never a JavaScript string, and decoded once, into the place where it stays (P5). */
  *#byteText(length: number): Decoder<Payload> {
    const cursor = this.cursor;
    if (length < BLOB_MIN) {
      const start = yield* this.#inline(length);
      const bytes = decodePayload(cursor.bytes.subarray(start, start + length), "latin1", this.#at);
      this.#offsets?.set(bytes, cursor.base + start);
      return bytes;
    }
    this.#claim(length);
    return (yield {
      kind: "blob",
      length,
      encoding: "latin1",
      size: this.#expectedSize(),
      at: this.#at,
      isSlice: this.#isInSlice(),
      behind: LONGEST_FIXED,
    }) as Payload;
  }

  /** Bytes of the array whose state is being put together on the stack: (1, shape, dtype, fortran, encode(... */
  #expectedSize(): number | undefined {
    const top = this.stack.length - 1;
    const shape = this.stack[top - 3], dtype = this.stack[top - 2];
    if (!(shape instanceof Tuple) || !(dtype instanceof PickledDType) || !dtype.info) return undefined;
    let size = dtype.info.itemsize;
    for (const dim of shape) size *= typeof dim === "number" ? dim : NaN;
    return Number.isSafeInteger(size) ? size : undefined;
  }

  /** Whether an array's data come, and its key is that of a slice of a big parameter: `linear.weight@@.0`. */
  #isInSlice(): boolean {
    const start = this.#marks.length > 0 ? this.#marks[this.#marks.length - 1] : 0;
    const key = this.stack[start - 2];
    const dtype = this.stack[start + 2];
    return this.stack[start - 1] instanceof PickledArray && dtype instanceof PickledDType && dtype.info !== undefined &&
      typeof key === "string" && isSliceKey(key);
  }

  *#bytes(length: number): Decoder<void> {
    if (length < BLOB_MIN) {
      const start = yield* this.#inline(length);
      this.budget.charge(PRICES.bytes, this.#at);
      this.stack.push(this.take(start, start + length));
      return;
    }
    this.#claim(length);
    this.budget.charge(PRICES.bytes, this.#at);
    this.stack.push(
      (yield {
        kind: "blob",
        length,
        encoding: "raw",
        size: length,
        at: this.#at,
        isSlice: this.#isInSlice(),
        behind: LONGEST_FIXED,
      }) as Payload,
    );
  }

  *#binstring(length: number): Decoder<void> {
    this.budget.check("maxStringBytes", length, this.#at);
    const start = yield* this.#inline(length);
    this.budget.charge(PRICES.string + PRICES.unit * length, this.#at);
    this.stack.push(textFromLatin1(this.cursor.bytes.subarray(start, start + length)));
  }

  *#long(length: number): Decoder<void> {
    this.budget.check("maxIntBytes", length, this.#at);
    const start = yield* this.#inline(length);
    this.budget.charge(PRICES.bigint + length, this.#at);
    this.stack.push(integerFromBytes(this.cursor.bytes.subarray(start, start + length)));
  }

  #pushFloat(value: number): void {
    this.stack.push(isFloatByNature(value) ? value : new Float(value));
  }

  #textual(opcode: number, line: Uint8Array): void {
    const stack = this.stack;
    if (opcode === 0x53 || opcode === 0x56) {
      this.budget.charge(PRICES.string + PRICES.unit * line.length, this.#at);
      const text = opcode === 0x53 ? textFromQuoted(line) : textFromRawUnicodeEscape(line);
      if (text === null) throw this.#badText();
      stack.push(text);
      return;
    }
    if (line.length > this.limits.maxIntDigits + 2) this.budget.exceed("maxIntDigits", line.length, this.#at);
    let text = textFromLatin1(line);
    if (opcode === 0x49 && (text === "01" || text === "00")) {
      stack.push(text === "01");
      return;
    }
    if (opcode === 0x4c && text.endsWith("L")) text = text.slice(0, -1);
    const digits = text.length - (text[0] === "-" || text[0] === "+" ? 1 : 0);
    if (opcode !== 0x46) this.budget.check("maxIntDigits", digits, this.#at);
    const isIndex = opcode === 0x67 || opcode === 0x70;
    const value = opcode === 0x46 ? floatFromText(text) : integerFromText(text, isIndex ? 10 : 0);
    if (value === null) {
      throw this.#bad("BAD_NUMBER", `is no number: ${quote(text)}`);
    }
    if (opcode === 0x46) this.#pushFloat(value as number);
    else if (!isIndex) stack.push(value);
    else if (typeof value !== "number" || value < 0 || value > 0xffffffff) throw this.#badMemo(value);
    else if (opcode === 0x67) this.#get(value);
    else this.#put(value);
  }

  // ---- stack, marks, memo

  #pop(): unknown {
    if (this.stack.length <= this.#fence) throw this.#badStack("takes more than the stack holds");
    return this.stack.pop();
  }

  #top(): unknown {
    if (this.stack.length <= this.#fence) throw this.#badStack("wants something on the stack");
    return this.stack[this.stack.length - 1];
  }

  /** The item below a mark that was just taken. */
  #below(start: number): unknown {
    if (start <= this.#fence) throw this.#badStack("wants something below its mark");
    return this.stack[start - 1];
  }

  /** Take the last mark away: the index of the first item above it. */
  #popMark(): number {
    const start = this.#marks.pop();
    if (start === undefined) throw this.#badStack("wants a mark");
    this.#fence = this.#marks.length > 0 ? this.#marks[this.#marks.length - 1] : 0;
    return start;
  }

  #put(index: number): void {
    const value = this.#top();
    const memo = this.memo;
    if (index < memo.length) this.#makePartsNear(index);
    memo.set(index, value);
    if (memo.size > this.limits.maxMemo) this.budget.exceed("maxMemo", memo.size, this.#at);
    this.budget.charge(PRICES.slot, this.#at);
  }

  #get(index: number): void {
    let value = this.memo.get(index);
    if (value === undefined) throw this.#badMemo(index);
    if (value instanceof UnmadePart) value = this.#makePart(index, value);
    this.stack.push(this.#spelled(value));
  }

  /** Something that is used a second time: the arguments of an `_codecs.encode` may be a value then. */
  #spelled(value: unknown): unknown {
    if (holdsByteText(value)) {
      for (let i = 0; i < value.length; i++) {
        if (value[i] instanceof ByteText) value[i] = this.#textOf(value[i] as ByteText);
      }
    }
    return value;
  }

  #tuple(n: number): void {
    const stack = this.stack;
    const start = stack.length - n;
    if (start < this.#fence) throw this.#badStack("takes more than the stack holds");
    this.budget.charge(PRICES.tuple + PRICES.slot * n, this.#at);
    const tuple = new Tuple();
    const below = start > 0 ? stack[start - 1] : undefined;
    const isForEncode = below instanceof Token && below.kind === "encode";
    for (let i = start; i < stack.length; i++) {
      const item = stack[i];
      if (typeof item === "object" && item !== null) {
        const token = item instanceof Token ? item : this.#tainted.size > 0 ? this.#tainted.get(item) : undefined;
        if (token) this.#tainted.set(tuple, token);
        else if (item instanceof Float) rememberFloat(tuple, tuple.length, item.value);
      }
      // Arguments keep their boxes: complex(1.0, 2.0) wants floats.
      if (item instanceof Float) tuple.push(item.value);
      else tuple.push(item instanceof ByteText && !isForEncode ? this.#textOf(item) : item);
    }
    stack.length = start;
    stack.push(tuple);
  }

  // ---- containers

  datum(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const token = value instanceof Token ? value : this.#tainted.size > 0 ? this.#tainted.get(value) : undefined;
    if (token) {
      this.#refuse(
        new UnsafeError(
          "FORBIDDEN_CALL",
          `Refused ${quote(token.symbol)} of byte ${token.offset} as a value: a symbol is no data.`,
          {
            offset: token.offset,
            symbol: token.symbol,
            opcode: opcodeName(this.#opcode),
            at: this.#place(),
          },
        ),
        token.symbol,
      );
    }
  }

  /** What a container holds in place of what lay on the stack. */
  #settle(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    this.datum(value);
    if (value instanceof ByteText) return this.#textOf(value);
    return value;
  }

  #textOf(text: ByteText): string {
    if (text.payload instanceof Span) {
      throw new UnsupportedError(
        "UNSUPPORTED_FEATURE",
        `The text at byte ${text.offset} stands for bytes and is used as a text`,
        {
          offset: text.offset,
        },
      );
    }
    return textFromLatin1(text.payload);
  }

  append(list: unknown[], item: unknown): void {
    if (item instanceof Float) {
      rememberFloat(list, list.length, item.value);
      list.push(item.value);
    } else list.push(this.#settle(item));
    this.budget.charge(PRICES.slot, this.#at);
  }

  #appendAll(list: unknown[], start: number): void {
    const stack = this.stack;
    for (let i = start; i < stack.length; i++) this.append(list, stack[i]);
    stack.length = start;
  }

  #setItems(dict: Map<unknown, unknown>, start: number): void {
    const stack = this.stack;
    if ((stack.length - start) % 2 !== 0) throw this.#badStack("wants keys and values in pairs");
    const { budget, limits } = this;
    for (let i = start; i < stack.length; i += 2) {
      const key = stack[i], value = stack[i + 1];
      const isCommon = typeof key === "string" && key.length <= limits.maxNameBytes / 3 &&
        (typeof value === "string" || value instanceof PickledArray);
      if (!isCommon) {
        this.setItem(dict, key, value);
        continue;
      }
      budget.charge(PRICES.entry, this.#at);
      const { size } = dict;
      dict.set(key, value);
      if (dict.size === size) this.#duplicate(key);
    }
    stack.length = start;
  }

  setItem(dict: Map<unknown, unknown>, key: unknown, value: unknown): void {
    let place: unknown = key;
    if (typeof key === "string") {
      if (key.length > this.limits.maxNameBytes / 3) this.#checkName(key);
    } else place = this.#keyIn(dict, key);
    this.budget.charge(PRICES.entry, this.#at);
    const { size } = dict;
    if (value instanceof Float) {
      rememberFloat(dict, place, value.value);
      dict.set(place, value.value);
    } else dict.set(place, this.#settle(value));
    // Asking before would look the key up twice; a dict that did not grow had it.
    if (dict.size === size && typeof key === "string") this.#duplicate(key);
  }

  /** The key of `dict` that equals `key`; `key` itself, remembered, where there is none yet. */
  #keyIn(container: Map<unknown, unknown> | Set<unknown>, key: unknown): unknown {
    const plain = key instanceof Float ? key.value : this.#settle(key);
    const form = canonicalForm(plain);
    if (form === null) {
      throw this.#bad("BAD_KEY", "has a key that Python cannot hash, or NaN");
    }
    const place = keyOf(container, plain, form);
    if (container.has(place)) {
      if (container instanceof Map) this.#duplicate(place);
    } else if (key instanceof Float || Object.is(key, -0)) {
      // A Map has 0 for -0, which is a float and no int all the same.
      rememberFloatKey(container, (plain as number) + 0);
    }
    return place;
  }

  addItem(set: Set<unknown>, item: unknown): void {
    this.budget.charge(PRICES.entry, this.#at);
    set.add(typeof item === "string" ? item : this.#keyIn(set, item));
  }

  #checkName(key: string): void {
    this.budget.check("maxNameBytes", utf8Size(key), this.#at);
  }

  #duplicate(key: unknown): void {
    const message = `The key ${quote(String(key))} comes twice, again in the ${
      opcodeName(this.#opcode)
    } at byte ${this.#at}: the last value counts.`;
    if (this.#strict) throw new FormatError("DUPLICATE_KEY", message, { offset: this.#at, at: this.#place() });
    if (this.warnings.length < MAX_WARNINGS) {
      this.warnings.push({ code: "DUPLICATE_KEY", message, offset: this.#at, at: this.#place() });
    }
  }

  // ---- symbols and calls

  #global(module: string, name: string): void {
    const kind = lookUpSymbol(module, name);
    const symbol = module + "." + name;
    if (kind === undefined) {
      this.#refuse(
        new UnsafeError(
          "FORBIDDEN_SYMBOL",
          `Refused symbol ${
            quote(symbol)
          } at byte ${this.#at}. This library never imports or calls anything; the file is not a plain checkpoint. Do not load it in Python. audit(file) lists everything it names.`,
          { offset: this.#at, symbol, opcode: opcodeName(this.#opcode), at: this.#place() },
        ),
        symbol,
      );
      this.stack.push(new Unknown());
      return;
    }
    this.#audit?.push({
      symbol,
      opcode: opcodeName(this.#opcode),
      offset: this.#at,
      at: this.#place(),
      verdict: "used-as-data",
    });
    this.stack.push(
      kind === "numpyType" ? new DTypeValue(dtypeName(name), true) : new Token(module, name, kind, this.#at),
    );
  }

  awaitState(array: PickledArray): void {
    this.#shells.add(array);
  }

  complete(array: PickledArray): void {
    this.#shells.delete(array);
    if (array.data === null) return;
    array.dataOffset = array.data instanceof Span ? array.data.offset : this.#offsets?.get(array.data) ?? -1;
    if (this.#owned.has(array.data)) array.sharesBytes = true;
    else this.#owned.add(array.data);
  }

  /** Carry out a pattern; in an audit a refusal leaves an unknown value and the walk goes on. */
  #guard<T>(subject: unknown, argument: unknown, act: () => T): T | Unknown {
    if (subject instanceof Unknown || argument instanceof Unknown) return new Unknown();
    if (!this.#audit) return act();
    try {
      return act();
    } catch (error) {
      if (!(error instanceof UnsafeError)) throw error;
      this.#refuse(error, error.symbol ?? "");
      return new Unknown();
    }
  }

  #refuse(error: UnsafeError, symbol: string): void {
    if (!this.#audit) throw error;
    const opcode = opcodeName(this.#opcode);
    this.#audit.push({ symbol, opcode, offset: error.offset!, at: error.at ?? "", verdict: "refused", error });
  }

  #mustBeUnknown(target: unknown, wanted: string): void {
    if (target instanceof Unknown) return;
    if (target instanceof Token) this.datum(target);
    else throw this.#badStack(`wants ${wanted}`);
  }

  // ---- the ends

  #proto(version: number): void {
    if (version > 5) {
      throw new UnsupportedError(
        "UNSUPPORTED_PROTOCOL",
        `Pickle protocol ${version} at byte ${this.#at}: 0 to 5 are known.`,
        {
          offset: this.#at,
          actual: version,
        },
      );
    }
    this.#protocol = Math.max(this.#protocol, version);
  }

  *#stop(): Decoder<Pickle> {
    const cursor = this.cursor;
    const stack = this.stack;
    checkNesting(stack, this.budget, this.#at);
    if (stack.length !== 1 || this.#marks.length > 0) throw this.#badStack("wants exactly one value and no open mark");
    const box = stack[0];
    const root = box instanceof Float ? box.value : this.#settle(box);
    for (const shell of this.#shells) {
      this.#refuse(
        new UnsafeError("FORBIDDEN_CALL", `The array of byte ${shell.offset} never got its state`, {
          offset: shell.offset,
        }),
        "",
      );
    }
    const end = cursor.offset;
    if (this.#frameEnd > end) throw this.#badFrame("ends before its frame");
    if (!cursor.ended && cursor.left === 0 && cursor.total === undefined) yield cursor.need(1);
    if (cursor.left > 0 || (cursor.total ?? end) > end) {
      const rest = cursor.total === undefined ? "" : ` (${cursor.total - end})`;
      this.warnings.push({
        code: "TRAILING_DATA",
        message: `Bytes follow the end of the pickle at byte ${end}${rest}`,
        offset: end,
      });
    }
    return { root, warnings: this.warnings, opcodes: this.#opcodes, end, protocol: this.#protocol };
  }

  #place(): string {
    return placeOf(this.stack, this.#marks);
  }

  /** What is wrong with the opcode that is carried out. */
  #bad(code: FormatCode, what: string): FormatError {
    const opcode = opcodeName(this.#opcode);
    return new FormatError(code, `${opcode} at byte ${this.#at} ${what}`, {
      offset: this.#at,
      opcode,
      at: this.#place(),
    });
  }

  #badStack(what: string): FormatError {
    return this.#bad("BAD_STACK", what);
  }

  #badMemo(index: unknown): FormatError {
    return this.#bad("BAD_MEMO", `names the memo entry ${index}, which is not there`);
  }

  #badFrame(what: string): FormatError {
    return this.#bad("BAD_FRAME", `${what} (the frame of byte ${this.#frameAt < 0 ? this.#at : this.#frameAt})`);
  }

  #badLength(length: number): FormatError {
    return this.#bad("BAD_LENGTH", `announces ${length} bytes`);
  }

  #badText(): FormatError {
    return this.#bad("BAD_TEXT", "holds no valid text");
  }

  #forbiddenOpcode(opcode: number): UnsafeError {
    const name = opcodeName(opcode);
    const torch = name === "PERSID" || name === "BINPERSID";
    return new UnsafeError(
      "FORBIDDEN_OPCODE",
      `Refused ${name} at byte ${this.#at}: it asks for things outside the file.` +
        (torch ? " This looks like a PyTorch file." : ""),
      { offset: this.#at, opcode: name, hint: torch ? "This looks like a PyTorch file." : undefined },
    );
  }
}

/** What `numpy.float32`, `numpy.bool_` and `numpy.dtypes.Float32DType` are called. */
function dtypeName(name: string): string {
  if (name.endsWith("DType")) return name.slice(0, -"DType".length).toLowerCase();
  return name === "bool_" ? "bool" : name;
}

function isSliceKey(key: string): boolean {
  const at = key.lastIndexOf("@@.") + 3;
  if (at < 4 || at === key.length) return false;
  for (let i = at; i < key.length; i++) if (key[i] < "0" || key[i] > "9") return false;
  return true;
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && !(value instanceof Tuple);
}

function utf8Size(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    n += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      n += 1;
      i++;
    }
  }
  return n;
}

/** The error of a file that ends too early. */
export function truncated(
  what: string,
  at: number,
  total: number | undefined,
  wanted?: number,
  left?: number,
): FormatError {
  const numbers = wanted === undefined ? "the file ends" : `announces ${wanted} bytes, ${left} are left`;
  return new FormatError(
    "TRUNCATED",
    `Truncated pickle: ${what} at byte ${at}: ${numbers}. The download is probably incomplete: compare the size with the publisher's.`,
    { offset: at, expected: wanted, actual: left ?? total },
  );
}
