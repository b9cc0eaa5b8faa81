/**
 * The pickle machine: protocols 0 to 5, data only (FORMATS.md 3, RULES.md PKL-4 and PKL-9). A symbol is a pair of strings; nothing is
 * imported, called or evaluated. It is a generator that asks its driver for bytes and payloads, so it serves sync and async callers alike.
 *
 * ```text
 * opcode (1 byte)  argument: none | fixed width | length + bytes | line
 * ...              until STOP; a stack of values, a stack of marks, a memo
 * ```
 *
 * @module
 */
import { FormatError, UnsafeError, UnsupportedError, type Warning } from "../../errors.ts";
import { Budget, DEFAULT_LIMITS, type Limits, PRICES } from "../../limits.ts";
import { Float, FrozenSet, Tuple } from "../../values.ts";
import type { Ask, Cursor, Decoder, Payload, Span } from "../cursor.ts";
import { ArrayLedger } from "./array_ledger.ts";
import { ArrayRuns, type RunContext } from "./array_run.ts";
import { ByteText, spelledOut, usedAgain } from "./byte_text.ts";
import { type CallContext, Unfilled } from "./call.ts";
import { build, newObject, reduce } from "./calls.ts";
import { Containers } from "./containers.ts";
import { type Here, truncated } from "./here.ts";
import { Literals, LONGEST_FIXED } from "./literals.ts";
import { Memo } from "./memo.ts";
import { checkNesting, type Container, type NestedContainers } from "./nesting.ts";
import { OpcodeArguments } from "./opcode_arguments.ts";
import type { PickleAudit, Wanted } from "./pickle_audit.ts";
import { PickleStack } from "./pickle_stack.ts";
import { RunParts, UnmadePart } from "./run_parts.ts";
import { truncatedIn } from "../take.ts";
import { SymbolGuard } from "./symbol_guard.ts";

/** How {@linkcode readPickle} reads. */
export interface ReadPickleOptions {
  /** @default {DEFAULT_LIMITS} */
  limits?: Readonly<Limits>;
  /** Treat a repeated key as an error. @default {false} */
  strict?: boolean;
  /** Continue after a refusal, with an unknown value in its place, and note what was met. @default {undefined} */
  audit?: PickleAudit;
  /** Record the file offsets of the arrays' bytes. @default {false} */
  locate?: boolean;
}

/** The contents of a pickle, with its arrays still as they are in the file. */
export interface Pickle {
  /** The value; its leaves may be PickledArray, PickledDType and Span. */
  root: unknown;
  /** The containers in it, at any depth. */
  containers: NestedContainers;
  /** Warnings about oddities in it. */
  warnings: Warning[];
  /** Number of opcodes executed. */
  opcodes: number;
  /** Offset after STOP. */
  end: number;
  /** The highest protocol announced. */
  protocol: number;
  /** The budget charged while reading; later copies of arrays are charged to it, too. */
  budget: Budget;
}

/** Decode the pickle under the cursor. */
export function* readPickle(cursor: Cursor, options: ReadPickleOptions = {}): Decoder<Pickle> {
  const machine = new PickleMachine(cursor, options);
  try {
    return yield* machine.run();
  } catch (error) {
    // A frame that claims more than the stream has is the first error in the file, even if another one was found before.
    const claim = machine.args.unjudgedFrame;
    if (claim && (yield { kind: "reach", end: claim.end }) === false) throw truncated("FRAME", claim.at, cursor.total);
    const { path } = machine.stack.here;
    throw path === "" ? error : truncatedIn(error, path, path);
  }
}

class PickleMachine implements CallContext, RunContext {
  readonly cursor: Cursor;
  readonly budget: Budget;
  readonly audit: PickleAudit | undefined;
  readonly stack = new PickleStack();
  readonly memo = new Memo();
  readonly args: OpcodeArguments;
  readonly symbols: SymbolGuard;
  readonly containers: Containers;
  readonly arrays: ArrayLedger;
  readonly parts: RunParts;
  readonly #literals: Literals;
  readonly #runs: ArrayRuns;
  readonly #here: Here = this.stack.here;
  protocol = 0;
  #opcodes = 0;

  constructor(cursor: Cursor, { limits = DEFAULT_LIMITS, strict = false, audit, locate = false }: ReadPickleOptions) {
    const { stack } = this;
    this.cursor = cursor;
    this.audit = audit;
    this.budget = new Budget(limits);
    this.args = new OpcodeArguments(cursor, stack.here, this.budget);
    this.symbols = new SymbolGuard(stack.here, this.budget, audit);
    this.containers = new Containers(stack, this.budget, this.symbols, strict);
    this.arrays = new ArrayLedger(locate, this.budget);
    this.parts = new RunParts(this.memo, this.arrays, this.symbols);
    this.#literals = new Literals(this.args, stack, this.budget, this.arrays);
    this.#runs = new ArrayRuns(this);
  }

  *run(): Decoder<Pickle> {
    const { cursor, budget, args, stack, memo, symbols, containers } = this;
    const { items } = stack;
    const here = this.#here, literals = this.#literals, runs = this.#runs;
    const { maxOpcodes, maxStackItems } = budget.limits;
    for (;;) {
      if (cursor.end - cursor.pos < LONGEST_FIXED && !cursor.ended) yield cursor.need(LONGEST_FIXED);
      const at = here.at = cursor.base + cursor.pos;
      if (args.frameEnd >= 0 && at >= args.frameEnd) args.frameEnd = -1;
      if (cursor.pos === cursor.end) throw this.#endOfFile();
      const opcode = here.opcode = cursor.bytes[cursor.pos];
      if (runs.mayBeginWith(opcode)) {
        const frameEnd = args.frameEnd < 0 ? Infinity : args.frameEnd - cursor.base;
        const done = runs.read(frameEnd, maxOpcodes - this.#opcodes);
        if (done > 0) {
          this.#opcodes += done;
          continue;
        }
      }
      if (++this.#opcodes > maxOpcodes) budget.exceed("maxOpcodes", this.#opcodes, at);
      if (items.length > maxStackItems) budget.exceed("maxStackItems", items.length, at);
      cursor.pos++;
      // Literals, not the names of opcodes.ts: engines make a jump table only of those, which saves 6 % of the time.
      switch (opcode) {
        case 0x80: // PROTO
          this.#proto(args.u8());
          break;
        case 0x95: // FRAME
          yield* args.frame();
          break;
        case 0x2e: // STOP
          return yield* this.#stop();
        case 0x28: // MARK
          stack.mark();
          if (stack.marks.length > maxStackItems) budget.exceed("maxStackItems", stack.marks.length, at);
          break;
        case 0x30: // POP
          if (items.length > stack.fence) items.pop();
          else stack.popMark();
          break;
        case 0x31: // POP_MARK
          items.length = stack.popMark();
          break;
        case 0x32: // DUP
          items.push(usedAgain(stack.top()));
          break;
        case 0x4e: // NONE
          items.push(null);
          break;
        case 0x88: // NEWTRUE
          items.push(true);
          break;
        case 0x89: // NEWFALSE
          items.push(false);
          break;
        case 0x4b: // BININT1
          items.push(args.u8());
          break;
        case 0x4d: // BININT2
          items.push(args.u16());
          break;
        case 0x4a: // BININT
          items.push(args.i32());
          break;
        case 0x47: // BINFLOAT
          literals.float(args.f64());
          break;
        case 0x8a: // LONG1
          yield* literals.long(args.u8());
          break;
        case 0x8b: // LONG4
          yield* literals.long(args.i32Length());
          break;
        case 0x8c: // SHORT_BINUNICODE
          yield* literals.unicode(args.u8());
          break;
        case 0x58: // BINUNICODE
          yield* literals.unicode(args.u32());
          break;
        case 0x8d: // BINUNICODE8
          yield* literals.unicode(args.u64Length());
          break;
        case 0x43: // SHORT_BINBYTES
          yield* literals.bytes(args.u8());
          break;
        case 0x42: // BINBYTES
          yield* literals.bytes(args.u32());
          break;
        case 0x8e: // BINBYTES8
          yield* literals.bytes(args.u64Length());
          break;
        case 0x96: // BYTEARRAY8
          yield* literals.bytearray(args.u64Length());
          break;
        case 0x55: // SHORT_BINSTRING
          yield* literals.binstring(args.u8());
          break;
        case 0x54: // BINSTRING
          yield* literals.binstring(args.i32Length());
          break;
        case 0x53: // STRING
        case 0x56: // UNICODE
          yield* literals.textLine(opcode === 0x53);
          break;
        case 0x49: // INT
        case 0x4c: // LONG
          yield* literals.intLine(opcode === 0x4c);
          break;
        case 0x46: // FLOAT
          yield* literals.floatLine();
          break;
        case 0x67: // GET
          this.#get(yield* literals.indexLine());
          break;
        case 0x70: // PUT
          this.#put(yield* literals.indexLine());
          break;
        case 0x5d: // EMPTY_LIST
          this.#make(PRICES.list, []);
          break;
        case 0x7d: // EMPTY_DICT
          this.#make(PRICES.dict, new Map());
          break;
        case 0x8f: // EMPTY_SET
          this.#make(PRICES.set, new Set());
          break;
        case 0x29: // EMPTY_TUPLE
          containers.tuple(0);
          break;
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: // TUPLE3
          containers.tuple(opcode - 0x84);
          break;
        case 0x74: // TUPLE
          containers.tuple(items.length - stack.popMark());
          break;
        case 0x6c: // LIST
          yield* this.#collect(PRICES.list, []);
          break;
        case 0x64: // DICT
          yield* this.#collect(PRICES.dict, new Map());
          break;
        case 0x91: // FROZENSET
          yield* this.#collect(PRICES.set, new FrozenSet());
          break;
        case 0x61: { // APPEND
          const item = stack.pop();
          const list = stack.top();
          const items = isList(list) ? list : symbols.itemsOf(list, "a list");
          if (items) containers.append(items as unknown[], item);
          break;
        }
        case 0x65: // APPENDS
          yield* this.#fillBelow(isList, "a list");
          break;
        case 0x73: { // SETITEM
          const value = stack.pop();
          const key = stack.pop();
          const dict = stack.top();
          const items = isDict(dict) ? dict : symbols.itemsOf(dict, "a dict");
          if (items) containers.setItem(items as Map<unknown, unknown>, key, value);
          break;
        }
        case 0x75: // SETITEMS
          yield* this.#fillBelow(isDict, "a dict");
          break;
        case 0x90: // ADDITEMS
          yield* this.#fillBelow(isSet, "a set");
          break;
        case 0x63: { // GLOBAL
          const module = yield* args.nameLine();
          items.push(symbols.lookUp(module, yield* args.nameLine()));
          break;
        }
        case 0x93: { // STACK_GLOBAL
          const last = stack.pop(), first = stack.pop();
          const name = stringOf(last), module = stringOf(first);
          if (name === null || module === null) {
            throw here.badStack("STACK_GLOBAL needs two strings, a module and a name");
          }
          items.push(symbols.lookUp(module, name));
          break;
        }
        case 0x52: // REDUCE
          yield* this.#reduce();
          break;
        case 0x81: // NEWOBJ
          this.#newObject(stack.pop(), undefined);
          break;
        case 0x92: { // NEWOBJ_EX
          const keywords = stack.pop();
          this.#newObject(stack.pop(), keywords);
          break;
        }
        case 0x62: // BUILD
          this.#build();
          break;
        case 0x71: // BINPUT
          this.#put(args.u8());
          break;
        case 0x72: // LONG_BINPUT
          this.#put(args.u32());
          break;
        case 0x94: // MEMOIZE
          this.#put(memo.size);
          break;
        case 0x68: // BINGET
          this.#get(args.u8());
          break;
        case 0x6a: // LONG_BINGET
          this.#get(args.u32());
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
          throw symbols.forbiddenOpcode();
        default:
          throw here.bad("BAD_OPCODE", "is not a pickle opcode");
      }
    }
  }

  // ---- containers

  #make(price: number, container: Container): void {
    this.budget.charge(price, this.#here.at);
    this.stack.items.push(container);
  }

  /** Move the items above the mark into a new container. */
  *#collect(price: number, container: Container): Decoder<void> {
    const start = this.stack.popMark();
    this.budget.charge(price, this.#here.at);
    yield* this.containers.fill(container, start);
    this.stack.items.push(container);
  }

  /** Move the items above the mark into the container below it, which must be `wanted`. */
  #fillBelow(
    isWanted: (value: unknown) => value is Container,
    wanted: Wanted,
  ): Iterable<Ask> {
    const { stack } = this;
    const start = stack.popMark();
    const below = stack.below(start);
    const container = isWanted(below) ? below : this.symbols.itemsOf(below, wanted);
    if (container) return this.containers.fill(container, start);
    stack.items.length = start;
    return [];
  }

  // ---- calls, in methods of their own: closures inside the loop would allocate a scope for every opcode

  *#reduce(): Decoder<void> {
    const { stack } = this, { at } = this.#here;
    const args = stack.pop(), callable = stack.pop();
    const value = this.symbols.attempt(callable, [args], () => reduce(this, callable, args, at));
    if (value instanceof Unfilled) yield* this.containers.fillFrom(value);
    stack.items.push(value instanceof Unfilled ? value.container : value);
  }

  #newObject(args: unknown, keywords: unknown): void {
    const { at } = this.#here;
    const cls = this.stack.pop();
    const made = this.symbols.attempt(cls, [args, keywords], () => newObject(this, cls, args, keywords, at));
    this.stack.items.push(made);
  }

  #build(): void {
    const { stack } = this, { at } = this.#here;
    const state = stack.pop(), target = stack.top();
    const left = this.symbols.attempt(target, [state], () => build(this, target, state, at));
    if (left) this.audit!.keepState(target, left, this.arrays);
  }

  // ---- memo

  #put(index: number): void {
    const value = this.stack.top();
    const { memo, budget } = this;
    if (index < memo.length) {
      this.#runs.forget();
      this.parts.makeNear(index);
    }
    memo.set(index, value);
    if (memo.size > budget.limits.maxMemo) budget.exceed("maxMemo", memo.size, this.#here.at);
    budget.charge(PRICES.slot, this.#here.at);
  }

  #get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.#here.badMemo(index);
    this.stack.items.push(usedAgain(value instanceof UnmadePart ? this.parts.make(index, value) : value));
  }

  // ---- start and end

  #proto(version: number): void {
    if (version > 5) {
      const { at } = this.#here;
      throw new UnsupportedError(
        "UNSUPPORTED_PROTOCOL",
        `Pickle protocol ${version} at byte ${at}: protocols 0 to 5 are supported.`,
        {
          offset: at,
          actual: version,
        },
      );
    }
    this.protocol = Math.max(this.protocol, version);
  }

  #endOfFile(): FormatError {
    const { at } = this.#here;
    return at === 0
      ? new FormatError("EMPTY", "The file is empty: a save that failed leaves such a file.", { offset: 0 })
      : truncated("the next opcode", at, this.cursor.total);
  }

  *#stop(): Decoder<Pickle> {
    const { cursor, budget, stack: { items, marks } } = this;
    const containers = yield* checkNesting(items, budget, this.#here.at, (bytes) => this.arrays.keep(bytes));
    if (items.length !== 1 || marks.length > 0) throw this.#here.badStack("needs exactly one value and no open mark");
    const box = items[0];
    const root = box instanceof Float ? box.value : this.containers.settle(box);
    this.#refuseUnfinished();
    const end = cursor.offset;
    this.args.checkFrameEnded();
    if (!cursor.ended && cursor.left === 0 && cursor.total === undefined) yield cursor.need(1);
    const { warnings } = this.containers;
    if (cursor.left > 0 || (cursor.total ?? end) > end) warnings.push(trailingData(end, cursor.total));
    yield* this.#readOpaque();
    return { root, containers, warnings, opcodes: this.#opcodes, end, protocol: this.protocol, budget };
  }

  *#readOpaque(): Decoder<void> {
    const { cursor } = this;
    for (const array of this.arrays.opaque) {
      const { offset, length, encoding, at } = array.data as Span;
      cursor.pos = cursor.end = offset - cursor.base;
      array.data = (yield { kind: "blob", length, encoding, size: undefined, at, eager: true }) as Payload;
    }
  }

  #refuseUnfinished(): void {
    for (const { offset } of this.arrays.waiting) {
      const message = `The array of byte ${offset} never got its state`;
      this.symbols.refuse(new UnsafeError("FORBIDDEN_CALL", message, { offset }), "");
    }
  }
}

function trailingData(end: number, total: number | undefined): Warning {
  const rest = total === undefined ? "" : ` (${total - end})`;
  return {
    code: "TRAILING_DATA",
    message: `Bytes follow the end of the pickle at byte ${end}${rest}`,
    offset: end,
  };
}

function stringOf(value: unknown): string | null {
  return value instanceof ByteText ? spelledOut(value) : typeof value === "string" ? value : null;
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && !(value instanceof Tuple);
}

function isDict(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map;
}

function isSet(value: unknown): value is Set<unknown> {
  return value instanceof Set && !(value instanceof FrozenSet);
}
