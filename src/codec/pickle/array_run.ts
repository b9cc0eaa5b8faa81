/**
 * Executes the opcodes that make up nearly all of a state dict in one tight loop: strings, memo puts and gets, and the run that CPython
 * writes for every array after the first, whose symbols, `b'b'` and dtype come from the memo (FORMATS.md 3.4 and 3.5).
 *
 * ```text
 * run:  get _reconstruct · get ndarray · K 00 · TUPLE1 m · get b'b' · TUPLE3 m · REDUCE m · MARK · K 01 · shape m · get dtype
 *       · NEWTRUE|NEWFALSE · data m · TUPLE m · BUILD
 * get:  BINGET | LONG_BINGET     m: MEMOIZE | BINPUT | LONG_BINPUT, one after the other
 * data: SHORT_BINBYTES | BINBYTES, short
 *       | get encode · BINUNICODE, short m · get 'latin1' · TUPLE2 m · REDUCE     (protocol 2)
 * ```
 *
 * Nothing here waits or fails. The loop stops before any opcode that would do either, is not one of these, or comes near a limit. The
 * machine continues from there one opcode at a time and reports what is wrong. Both charge the budget the same.
 *
 * @module
 */
import { type Budget, PRICES } from "../../limits.ts";
import { Tuple } from "../../values.ts";
import { BLOB_MIN, type Cursor, type Payload, Span } from "../cursor.ts";
import type { ArrayLedger } from "./array_ledger.ts";
import { holdsByteText } from "./byte_text.ts";
import { EntryModel } from "./entry_model.ts";
import type { Memo } from "./memo.ts";
import type { PickleStack } from "./pickle_stack.ts";
import { latin1FromUtf8 } from "../../kernel.ts";
import * as op from "./opcodes.ts";
import { PickledArray, type PickledDType, type Slab, Token } from "./pickled.ts";
import { type RunParts, UnmadePart } from "./run_parts.ts";
import { afterPut, getIndex, getSize, MAX_AXES, RunPattern } from "./run_pattern.ts";
import { textFromUtf8 } from "../../words/utf8.ts";

// Copies: engines fold a module's own constants, but fetch imported ones, which takes 4 % of the time of a state dict.
const BINGET = op.BINGET, LONG_BINGET = op.LONG_BINGET;
const MEMOIZE = op.MEMOIZE, BINPUT = op.BINPUT, LONG_BINPUT = op.LONG_BINPUT;
const SHORT_BINUNICODE = op.SHORT_BINUNICODE, BINUNICODE = op.BINUNICODE;
const SHORT_BINBYTES = op.SHORT_BINBYTES, BINBYTES = op.BINBYTES, TUPLE = op.TUPLE, TUPLE2 = op.TUPLE2;
const REDUCE = op.REDUCE, BUILD = op.BUILD;

/** Strings of more UTF-8 bytes are left to the machine. */
const MAX_TEXT = 255;
/** Upper bound on the bytes of a run without its data, or of a string and its put: one bounds check instead of one per byte. */
const MAX_RUN = 128;
/** The bytes after the data when the puts are MEMOIZE, as a little-endian u32: MEMOIZE, TUPLE, MEMOIZE, BUILD. */
const TAIL = 0x62947494;
/** Upper bound on the items that a run has on the stack at a time. */
const MAX_ITEMS = 2 * MAX_AXES;
/** Upper bounds on the opcodes of a run, and on the memo entries that a run and its key add. */
const MAX_OPCODES = 30 + MAX_AXES;
const MAX_PUTS = 10;
/** The most bytes that can follow the data. */
const MAX_TAIL = 12;
/** Opcodes of a run before its data, not counting axes nor the mark and put that a shape may have; and those after the data. */
const HEAD_OPCODES = 15;
const TAIL_OPCODES = 4;
/** Puts before the data when the shape has none. */
const LEAST_PUTS = 3;
const RUN_OPCODES = HEAD_OPCODES + 1 + TAIL_OPCODES;
/** Charged before the data: tuples of 1, of 3 and of the axes, the array, three puts; and after it: a tuple of 5, two puts. */
const HEAD_PRICE = 3 * PRICES.tuple + (1 + 3) * PRICES.slot + PRICES.tensor + 3 * PRICES.slot;
const TAIL_PRICE = PRICES.tuple + 5 * PRICES.slot + 2 * PRICES.slot;
const RUN_PRICE = HEAD_PRICE + PRICES.bytes + TAIL_PRICE;
/** Data as a string: the opcodes this adds (get, put, get, TUPLE2, put, REDUCE), and what is charged for such a run. */
const TEXT_OPCODES = 6;
const TEXT_PRICE = HEAD_PRICE + PRICES.tuple + (2 + 2) * PRICES.slot + TAIL_PRICE;
/** Upper bound on the bytes after such a string. */
const MAX_TEXT_TAIL = 32;
/** Size of the buffers in which decoded strings of several arrays lie. */
const TEXT_SLAB = 65_536;

/** A run preceded by its key, with a put after each of key and shape. */
const ENTRY_OPCODES = RUN_OPCODES + 3;
const ENTRY_PRICE = RUN_PRICE + PRICES.string + 2 * PRICES.slot;

/** Upper bound on what one run or string is charged. */
const MAX_PRICE = 2 * RUN_PRICE;
const NOTHING = new Uint8Array(0);

const ZERO = new UnmadePart("zero", 2);
const ARGS = new UnmadePart("args", 1);
const SHAPE = new UnmadePart("shape", -1);
const DATA = new UnmadePart("data", -2);
const STATE = new UnmadePart("state", -3);
/** The parts when the data is a string: the string, the arguments of its `_codecs.encode`, the bytes, the state. */
const TEXT_PARTS = partsOfText(-2);
/** The shape of a 0-d array is EMPTY_TUPLE, which is not memoized. */
const DATA_OF_SCALAR = new UnmadePart("data", -1);
const STATE_OF_SCALAR = new UnmadePart("state", -2);
const TEXT_PARTS_OF_SCALAR = partsOfText(-1);

/** A run whose data is too large for the loop: the driver reads it, or leaves it in the file. */
interface BegunRun {
  readonly array: PickledArray;
  readonly shape: readonly number[];
  /** The shape as it is on the stack. */
  readonly tuple: Tuple;
  readonly dtype: PickledDType;
  /** The flag as stored in the file. */
  readonly fortran: boolean;
  /** Expected size of the data in bytes; -1 if the array exceeds a limit or has no tensor dtype. */
  readonly nbytes: number;
  /** Size of the memo when the run was begun. */
  readonly memoSize: number;
}

/** The part of a pickle machine that the loop works on. */
export interface RunContext {
  readonly cursor: Cursor;
  readonly stack: PickleStack;
  readonly memo: Memo;
  readonly parts: RunParts;
  readonly arrays: ArrayLedger;
  readonly budget: Budget;
}

/** The loop; one per pickle. */
export class ArrayRuns {
  readonly #context: RunContext;
  /** Window index after what was just read. */
  #end = 0;
  /** Opcodes executed by this call. */
  #opcodes = 0;
  /** The last shape: consecutive arrays of the same shape share it. */
  #shape: readonly number[] = Object.freeze([]);
  readonly #pattern = new RunPattern();
  readonly #model = new EntryModel();
  /** Holds the data of the arrays of this call; `[from, to)` is the part of the window to copy there. */
  #slab: Slab | null = null;
  #from = 0;
  #to = 0;
  /** Buffer for bytes decoded from strings, and how much of it is taken. */
  #textSlab: Slab = { bytes: NOTHING };
  #textEnd = 0;
  /** The last run that was begun, while its end may still follow. */
  #begun: BegunRun | null = null;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** A memo entry is about to be replaced: the model of earlier entries may no longer hold. */
  forget(): void {
    this.#model.size = 0;
  }

  /** Whether it may be worth calling `read` at such an opcode: a string, a get, or the put that starts the rest of a begun run. */
  mayBeginWith(opcode: number): boolean {
    return opcode === SHORT_BINUNICODE || opcode === BINGET || opcode === LONG_BINGET || opcode === BINUNICODE ||
      (this.#begun !== null && isPut(opcode));
  }

  /**
   * Execute opcodes from the cursor on for as long as they are of the expected kinds; `frameEnd` is the window index at which the current
   * frame ends. Returns the number of opcodes executed, at most `most`.
   */
  read(frameEnd: number, most: number): number {
    const { cursor, stack: { items: stack }, memo, budget } = this.#context;
    const { limits } = budget;
    const slots = memo.packed;
    if (slots === null) return 0;
    const { bytes, view } = cursor;
    const end = Math.min(cursor.end, frameEnd), last = Math.min(cursor.end - MAX_RUN, frameEnd - 1);
    this.#opcodes = 0;
    let p = this.#readEnd(cursor.pos, end, slots);
    // Any other put is left to the machine, which checks that there is an item above the last mark.
    if (p === cursor.pos && isPut(bytes[p])) return 0;
    while (
      p <= last && this.#opcodes + MAX_OPCODES < most && stack.length + MAX_ITEMS <= limits.maxStackItems
    ) {
      // An upper bound on what one iteration costs.
      if (budget.structure + MAX_PRICE > budget.room || slots.length + MAX_PUTS > limits.maxMemo) break;
      const opcode = bytes[p];
      if (opcode === BINGET || opcode === LONG_BINGET) {
        const isShort = opcode === BINGET;
        const value = slots[isShort ? bytes[p + 1] : view.getUint32(p + 1, true)];
        const next = p + (isShort ? 2 : 5);
        if (next > end) break;
        if (typeof value === "string") {
          p = this.#readTexts(p, last, end, most, slots);
          if (p >= next) continue;
        } else if (value === undefined || value instanceof UnmadePart || holdsByteText(value)) break;
        else if (value instanceof Token && value.kind === "reconstruct") {
          if (!this.#readRun(value, p, end, slots)) break;
          p = this.#end;
          continue;
        }
        stack.push(value);
        this.#opcodes++;
        p = next;
      } else if (isPut(opcode)) {
        const next = p + (opcode === MEMOIZE ? 1 : opcode === BINPUT ? 2 : 5);
        if (next > end) break;
        if (opcode === BINPUT && bytes[p + 1] !== slots.length) break;
        if (opcode === LONG_BINPUT && view.getUint32(p + 1, true) !== slots.length) break;
        slots.push(stack[stack.length - 1]);
        budget.structure += PRICES.slot;
        this.#opcodes++;
        p = next;
      } else if (opcode === SHORT_BINUNICODE || opcode === BINUNICODE) {
        if (stack[stack.length - 1] instanceof Token) break;
        if (opcode === SHORT_BINUNICODE && this.#model.size > 0) {
          const next = this.#readEntries(p, last, end, most, slots);
          if (next > p) {
            p = next;
            continue;
          }
        }
        const length = opcode === SHORT_BINUNICODE ? bytes[p + 1] : view.getUint32(p + 1, true);
        const start = p + (opcode === SHORT_BINUNICODE ? 2 : 5);
        if (length > MAX_TEXT || start + length > end || length > limits.maxStringBytes) break;
        const text = textFromUtf8(bytes, start, start + length);
        if (text === null) break;
        stack.push(text);
        budget.structure += PRICES.string + PRICES.unit * length;
        this.#opcodes++;
        p = start + length;
      } else break;
    }
    memo.size = slots.length;
    cursor.pos = p;
    if (this.#slab !== null) {
      // One copy, opcodes included: the bytes between the data are fewer than the array objects themselves take.
      this.#slab.bytes = bytes.slice(this.#from, this.#to);
      this.#slab = null;
    }
    return this.#opcodes;
  }

  /** Read dict entries that match the previous one except for key and data. Returns the index after them. */
  #readEntries(start: number, last: number, end: number, most: number, slots: unknown[]): number {
    const { cursor, stack: { items: stack }, budget, arrays: { locates } } = this.#context;
    const { limits } = budget;
    const { bytes, view, base, stable } = cursor;
    const { words, lastWord, size, dataSize, opcodes, price, dtype, shape, fortran } = this.#model;
    const count = Math.min(
      (most - this.#opcodes) / opcodes - 1,
      (budget.room - budget.structure) / (price + MAX_PRICE),
      (limits.maxStackItems - stack.length - MAX_ITEMS) / 2,
      (limits.maxMemo - slots.length) / 7 - 1,
      limits.maxTensors - budget.tensors,
    );
    const longest = Math.min(MAX_TEXT, limits.maxStringBytes);
    let done = 0, letters = 0, p = start;
    for (; done < count && p <= last && bytes[p] === SHORT_BINUNICODE; done++) {
      const length = bytes[p + 1];
      const head = p + 2 + length;
      const data = head + size;
      const tail = data + dataSize;
      if (tail + 4 > end || length > longest || view.getUint32(tail, true) !== TAIL) break;
      let k = 0;
      while (k < words.length && view.getInt32(head + 4 * k, true) === words[k]) k++;
      if (k < words.length || view.getInt32(data - 4, true) !== lastWord) break;
      const key = textFromUtf8(bytes, p + 2, head);
      if (key === null) break;
      const array = new PickledArray(base + tail + 3, dtype, shape, fortran);
      if (stable) array.data = bytes.subarray(data, tail);
      else this.#keep(array, data, tail);
      if (locates) array.dataOffset = base + data;
      stack.push(key, array);
      slots.push(key, ZERO, ARGS, array, SHAPE, DATA, STATE);
      letters += length;
      p = tail + 4;
    }
    this.#opcodes += done * opcodes;
    budget.structure += done * price + letters * PRICES.unit;
    budget.tensors += done;
    return p;
  }

  /** Read pairs of a string from the memo and a new, memoized one, as in a name table. Returns the index after them. */
  #readTexts(start: number, last: number, end: number, most: number, slots: unknown[]): number {
    const { cursor, stack: { items: stack }, budget } = this.#context;
    const { limits } = budget;
    const { bytes, view } = cursor;
    const count = Math.min(
      (most - this.#opcodes) / 3 - 1,
      (budget.room - budget.structure) / MAX_PRICE,
      (limits.maxStackItems - stack.length - MAX_ITEMS) / 2,
      limits.maxMemo - slots.length - 1,
    );
    const longest = Math.min(MAX_TEXT, limits.maxStringBytes);
    let done = 0, letters = 0, p = start;
    for (; done < count && p <= last; done++) {
      const key = slots[getIndex(bytes, view, p)];
      const text = p + getSize(bytes, p);
      const length = bytes[text + 1];
      const put = text + 2 + length;
      if (
        typeof key !== "string" || bytes[text] !== SHORT_BINUNICODE || length > longest || put + 1 > end ||
        bytes[put] !== MEMOIZE
      ) {
        break;
      }
      const value = textFromUtf8(bytes, text + 2, put);
      if (value === null) break;
      stack.push(key, value);
      slots.push(value);
      letters += length;
      p = put + 1;
    }
    this.#opcodes += done * 3;
    budget.structure += done * (PRICES.string + PRICES.slot) + letters * PRICES.unit;
    return p;
  }

  /** Execute the run that begins at `start` with the get of `_reconstruct`. Without such a run, returns false and does nothing. */
  #readRun(callable: Token, start: number, end: number, slots: unknown[]): boolean {
    const { cursor: { bytes, view, base }, budget, parts } = this.#context;
    const run = this.#pattern;
    if (!run.match(bytes, view, start, slots) || run.end > end) return false;
    if ((parts.cls !== null && parts.cls !== run.cls) || budget.tensors >= budget.limits.maxTensors) return false;
    parts.cls = run.cls;
    budget.tensors++;
    const { dims, dtype, size, puts } = run;
    const shape = this.#shape = sameShape(this.#shape, dims) ? this.#shape : Object.freeze(dims.slice());
    const hasShape = puts > LEAST_PUTS;
    this.#opcodes += shape.length + (run.isMarked ? 1 : 0) + (hasShape ? 1 : 0);
    budget.structure += shape.length * PRICES.slot + (hasShape ? PRICES.slot : 0);

    const data = this.#shortData(run.end, dtype, shape, size);
    const dataEnd = data + size * (dtype.info?.itemsize ?? 0);
    const build = data < 0 ? -1 : afterState(bytes, view, dataEnd, slots.length + puts);
    if (bytes[build] !== BUILD || build >= end) {
      if (data < 0 && this.#readText(end, slots)) return true;
      this.#begin(new PickledArray(callable.offset), shape, slots);
      this.#end = run.end;
      return true;
    }
    const array = new PickledArray(base + build, dtype, shape, run.fortran && shape.length > 1);
    this.#finish(array, data, dataEnd, slots);
    this.#end = build + 1;
    this.#model.size = 0;
    const isMemoized = hasShape && run.putSize === puts && bytes[start - 1] === MEMOIZE;
    if (isMemoized && view.getUint32(dataEnd, true) === TAIL) {
      this.#model.learn(view, start - 1, data, dataEnd, array);
      this.#model.opcodes = ENTRY_OPCODES + shape.length + (run.isMarked ? 1 : 0);
      this.#model.price = ENTRY_PRICE + 2 * shape.length * PRICES.slot;
    }
    return true;
  }

  /** Complete the recognized run with a short string as its data. Without one, returns false and does nothing. */
  #readText(end: number, slots: unknown[]): boolean {
    const { cursor: { bytes, view, base }, stack, arrays, budget: { limits } } = this.#context;
    const run = this.#pattern, shape = this.#shape;
    const nbytes = run.dtype.info && run.size <= limits.maxElements && shape.length <= limits.maxRank
      ? run.size * run.dtype.info.itemsize
      : 0;
    const text = textAt(bytes, view, run.end, end, slots);
    const length = text === null ? 0 : text.end - text.start;
    if (text === null || nbytes === 0 || nbytes > length || length > 2 * nbytes) return false;
    const build = afterText(bytes, view, text.end, slots, slots.length + run.puts);
    if (bytes[build] !== BUILD) return false;
    const slab = this.#textRoom(nbytes, end - text.start), start = this.#textEnd;
    const into = slab.bytes.subarray(start, start + nbytes);
    if (latin1FromUtf8(bytes.subarray(text.start, text.end), into) !== nbytes) return false;
    this.#textEnd += nbytes;

    const array = new PickledArray(base + build, run.dtype, shape, run.fortran && shape.length > 1);
    array.slab = slab;
    array.start = start;
    if (arrays.locates) array.dataOffset = base + text.start;
    slots.push(ZERO, ARGS, array);
    if (run.puts > LEAST_PUTS) slots.push(SHAPE, ...TEXT_PARTS);
    else slots.push(...TEXT_PARTS_OF_SCALAR);
    stack.items.push(array);
    this.#opcodes += RUN_OPCODES + TEXT_OPCODES;
    this.#context.budget.structure += TEXT_PRICE + shape.length * PRICES.slot;
    this.#end = build + 1;
    this.#model.size = 0;
    return true;
  }

  /** A slab with room for `nbytes`; `rest` is how many bytes the window still has, so no slab need be larger. */
  #textRoom(nbytes: number, rest: number): Slab {
    if (this.#textEnd + nbytes > this.#textSlab.bytes.length) {
      this.#textSlab = { bytes: new Uint8Array(Math.max(nbytes, Math.min(TEXT_SLAB, rest))) };
      this.#textEnd = 0;
    }
    return this.#textSlab;
  }

  /** The data comes later or is large: leave the unfinished array and state on the stack. */
  #begin(array: PickledArray, shape: readonly number[], slots: unknown[]): void {
    const { stack, arrays, budget } = this.#context;
    const { dtype, fortran, size, puts } = this.#pattern;
    const tuple = tupleOf(shape);
    slots.push(ZERO, ARGS, array);
    if (puts > LEAST_PUTS) slots.push(tuple);
    const { maxElements, maxRank } = budget.limits;
    const isPossible = dtype.info !== undefined && size <= maxElements && shape.length <= maxRank;
    const nbytes = isPossible ? size * dtype.info.itemsize : -1;
    arrays.awaitState(array);
    stack.items.push(array);
    stack.mark();
    stack.items.push(1, tuple, dtype, fortran);
    this.#begun = { array, shape, tuple, dtype, fortran, nbytes, memoSize: slots.length };
    this.#opcodes += HEAD_OPCODES;
    budget.structure += HEAD_PRICE;
  }

  /** The data is in the window: complete the array. */
  #finish(array: PickledArray, data: number, dataEnd: number, slots: unknown[]): void {
    const { cursor, stack, arrays, budget } = this.#context;
    if (cursor.stable) array.data = cursor.bytes.subarray(data, dataEnd);
    else this.#keep(array, data, dataEnd);
    if (arrays.locates) array.dataOffset = cursor.base + data;
    slots.push(ZERO, ARGS, array);
    if (this.#pattern.puts > LEAST_PUTS) slots.push(SHAPE, DATA, STATE);
    else slots.push(DATA_OF_SCALAR, STATE_OF_SCALAR);
    stack.items.push(array);
    this.#opcodes += RUN_OPCODES;
    budget.structure += RUN_PRICE + array.shape.length * PRICES.slot;
  }

  /** Execute the end of the begun run, if it is at `start` and the data has arrived. Returns the index after it, else `start`. */
  #readEnd(start: number, end: number, slots: unknown[]): number {
    const begun = this.#begun;
    this.#begun = null;
    const { cursor: { bytes, view, base }, budget, arrays } = this.#context;
    const { room, limits: { maxMemo } } = budget;
    if (begun === null || begun.memoSize !== slots.length || start + MAX_TAIL > end) return start;
    if (budget.structure + MAX_PRICE > room || slots.length + 2 > maxMemo) return start;
    const build = afterState(bytes, view, start, slots.length);
    if (bytes[build] !== BUILD) return start;
    const data = this.#takeData(begun);
    if (data === null) return start;
    const { array, shape, dtype, fortran } = begun;
    array.offset = base + build;
    array.dtype = dtype;
    array.shape = shape;
    array.fortran = fortran && shape.length > 1;
    array.data = data;
    arrays.complete(array);
    if (shape.length > 0) slots.push(DATA, STATE);
    else slots.push(DATA_OF_SCALAR, STATE_OF_SCALAR);
    this.#opcodes += TAIL_OPCODES;
    budget.structure += TAIL_PRICE + PRICES.slot * shape.length;
    return build + 1;
  }

  /** Pop what a begun run left on the stack, and return the data above it. If the stack differs, returns null and does nothing. */
  #takeData({ array, tuple, dtype, fortran, nbytes }: BegunRun): Payload | null {
    const { items, fence } = this.#context.stack;
    if (items.length !== fence + 5 || items[fence - 1] !== array || items[fence] !== 1) return null;
    if (items[fence + 1] !== tuple || items[fence + 2] !== dtype || items[fence + 3] !== fortran) return null;
    const data = items[fence + 4];
    if (!(data instanceof Uint8Array) && !(data instanceof Span && data.encoding === "raw")) return null;
    if (data.length !== nbytes) return null;
    items.length = this.#context.stack.popMark();
    return data;
  }

  /** Start of the data whose opcode is at `p`, if it is short, of the size the array needs, and entirely in the window; else -1. */
  #shortData(p: number, dtype: PickledDType, shape: readonly number[], size: number): number {
    const { cursor: { bytes, view, end }, budget: { limits } } = this.#context;
    const opcode = bytes[p];
    if ((opcode !== SHORT_BINBYTES && opcode !== BINBYTES) || !dtype.info) return -1;
    const length = opcode === SHORT_BINBYTES ? bytes[p + 1] : view.getUint32(p + 1, true);
    if (length >= BLOB_MIN || length !== size * dtype.info.itemsize) return -1;
    if (size > limits.maxElements || shape.length > limits.maxRank) return -1;
    const start = p + (opcode === SHORT_BINBYTES ? 2 : 5);
    return start + length + MAX_TAIL <= end ? start : -1;
  }

  /** Give `array` the window bytes `[data, end)` by way of the slab that is copied when the call ends. */
  #keep(array: PickledArray, data: number, end: number): void {
    if (this.#slab === null) {
      this.#slab = { bytes: NOTHING };
      this.#from = data;
    }
    array.slab = this.#slab;
    array.start = data - this.#from;
    this.#to = end;
  }
}

function isPut(opcode: number): boolean {
  return opcode === MEMOIZE || opcode === BINPUT || opcode === LONG_BINPUT;
}

function partsOfText(toArray: number): UnmadePart[] {
  return (["text", "encode", "data", "state"] as const).map((part, i) => new UnmadePart(part, toArray - i));
}

/** The short string that encodes bytes, after the get of `_codecs.encode` at `p`; null if the window has no complete one. */
function textAt(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  windowEnd: number,
  slots: readonly unknown[],
): { start: number; end: number } | null {
  const encode = slots[getIndex(bytes, view, p)];
  if (!(encode instanceof Token) || encode.kind !== "encode") return null;
  const at = p + getSize(bytes, p), start = at + 5;
  if (bytes[at] !== BINUNICODE || start > windowEnd) return null;
  const length = view.getUint32(at + 1, true);
  return length < BLOB_MIN && start + length + MAX_TEXT_TAIL <= windowEnd ? { start, end: start + length } : null;
}

/** Index of the BUILD after a string: put · get 'latin1' · TUPLE2 · put · REDUCE · put · TUPLE · put; -1 if these are not there. */
function afterText(bytes: Uint8Array, view: DataView, p: number, slots: readonly unknown[], index: number): number {
  const name = afterPut(bytes, view, p, index);
  if (slots[getIndex(bytes, view, name)] !== "latin1") return -1;
  const tuple = name + getSize(bytes, name);
  const call = bytes[tuple] === TUPLE2 ? afterPut(bytes, view, tuple + 1, index + 1) : -1;
  return bytes[call] === REDUCE ? afterState(bytes, view, call + 1, index + 2) : -1;
}

function tupleOf(shape: readonly number[]): Tuple {
  const tuple = new Tuple();
  for (let axis = 0; axis < shape.length; axis++) tuple.push(shape[axis]);
  return tuple;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Index of the BUILD after the data: put · TUPLE · put; -1 if these are not there. */
function afterState(bytes: Uint8Array, view: DataView, p: number, index: number): number {
  const tuple = afterPut(bytes, view, p, index);
  return bytes[tuple] === TUPLE ? afterPut(bytes, view, tuple + 1, index + 1) : -1;
}
