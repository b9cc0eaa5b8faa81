/**
 * The opcodes that state dicts are nearly all made of, carried out in one tight loop: a text, what is put into and taken from the memo, and
 * the run that CPython writes for every array after the first, whose symbols, `b'b'` and dtype come from the memo (dossier 3.4 and 3.5).
 *
 * ```text
 * run:  get _reconstruct · get ndarray · K 00 · TUPLE1 m · get b'b' · TUPLE3 m · REDUCE m · MARK · K 01 · shape m · get dtype
 *       · NEWTRUE|NEWFALSE · data m · TUPLE m · BUILD
 * get:  BINGET | LONG_BINGET     m: MEMOIZE | BINPUT | LONG_BINPUT, one after the other     data: SHORT_BINBYTES | BINBYTES, short
 * ```
 *
 * Nothing here waits, and nothing fails: before an opcode that would do either, or is none of these, or comes near a limit, the loop ends
 * with nothing of that opcode done. The machine goes on from there one by one, and says what is wrong. Both charge the same.
 *
 * @module
 */
import { type Budget, type Limits, PRICES } from "../../limits.ts";
import { BLOB_MIN, type Cursor, type Payload } from "../cursor.ts";
import type { Memo } from "./memo.ts";
import { Tuple } from "../../values.ts";
import { holdsByteText, PickledArray, PickledDType, type Slab, Token } from "./pickled.ts";
import { textFromUtf8 } from "./text.ts";

/** Longer texts go the common way. */
const MAX_TEXT = 255;
/** Axes that a run may have; more go the common way. */
const MAX_AXES = 8;
/** More than the bytes of a run without its data, or of a text and its put: one check in place of one for each byte. */
const MAX_RUN = 128;
/** Bytes behind the data where the puts are MEMOIZE: put, TUPLE, put, BUILD, as one number. */
const TAIL = 0x62947494;
/** More items than a run has on the stack at a time. */
const MAX_ITEMS = 2 * MAX_AXES;
/** More opcodes than a run has. */
const MAX_OPCODES = 24 + MAX_AXES;
/** More than the bytes behind the data. */
const MAX_TAIL = 12;
/** Opcodes of a run up to its data, without axes and without the mark and the put that a shape may have; and those behind the data. */
const HEAD_OPCODES = 15;
const TAIL_OPCODES = 4;
const RUN_OPCODES = HEAD_OPCODES + 1 + TAIL_OPCODES;
/** What is charged up to the data: tuples of 1, of 3 and of the axes, the array, three puts; and behind them: a tuple of 5, two puts. */
const HEAD_PRICE = 3 * PRICES.tuple + (1 + 3) * PRICES.slot + PRICES.tensor + 3 * PRICES.slot;
const TAIL_PRICE = PRICES.tuple + 5 * PRICES.slot + 2 * PRICES.slot;
const RUN_PRICE = HEAD_PRICE + PRICES.bytes + TAIL_PRICE;

/** More than one run or text charges. */
const MAX_PRICE = 2 * RUN_PRICE;
const NOTHING = new Uint8Array(0);

/** What a run puts into the memo beside the array. */
export type RunPart = "zero" | "args" | "shape" | "data" | "state";

/** In the memo in place of a part of a run: it is made when somebody asks for it, and nobody does. */
export class UnmadePart {
  readonly part: RunPart;
  /** From its index in the memo to that of the array. */
  readonly toArray: number;
  constructor(part: RunPart, toArray: number) {
    this.part = part;
    this.toArray = toArray;
  }
}

/** Entries of the memo between a part and its array, at most. */
export const RUN_REACH = 3;

const ZERO = new UnmadePart("zero", 2);
const ARGS = new UnmadePart("args", 1);
const SHAPE = new UnmadePart("shape", -1);
const DATA = new UnmadePart("data", -2);
const STATE = new UnmadePart("state", -3);
/** A 0-d array has its shape from EMPTY_TUPLE, which is put nowhere. */
const DATA_OF_SCALAR = new UnmadePart("data", -1);
const STATE_OF_SCALAR = new UnmadePart("state", -2);

/** A run whose data are long: whoever runs the machine has them, or leaves them where they are. */
export interface BegunRun {
  readonly array: PickledArray;
  readonly shape: readonly number[];
  /** The shape as it lies on the stack. */
  readonly tuple: Tuple;
  readonly dtype: PickledDType;
  /** The flag as the file has it. */
  readonly fortran: boolean;
  /** Bytes of the data. */
  readonly nbytes: number;
  /** Entries of the memo when it began. */
  readonly memoSize: number;
}

/** The part of a pickle machine that the loop works on. */
export interface RunContext {
  readonly cursor: Cursor;
  readonly stack: unknown[];
  readonly memo: Memo;
  readonly budget: Budget;
  readonly limits: Readonly<Limits>;
  /** Leave an array on the stack that waits for its state, and above it the beginning of that: MARK, 1, shape, dtype, order. */
  begin(begun: BegunRun): void;
  /** Take all of that off the stack, and the data above it, which are returned; null, and nothing done, where the stack is another. */
  end(begun: BegunRun): Payload | null;
  /** An array got its data. */
  complete(array: PickledArray): void;
  /** Whether arrays note where their bytes lie. */
  readonly locates: boolean;
}

/** The loop; one for each pickle. */
export class ArrayRuns {
  /** The class that all runs name. */
  cls: Token | null = null;
  readonly #context: RunContext;
  /** Behind what was just read. */
  #end = 0;
  /** Opcodes carried out by this call. */
  #opcodes = 0;
  /** Arrays that follow one another and have one shape share it. */
  #shape: readonly number[] = Object.freeze([]);
  readonly #dims: number[] = [];
  readonly #model = new EntryModel();
  /** Where the data of this call's arrays go, and where they begin and end in the window. */
  #slab: Slab | null = null;
  #from = 0;
  #to = 0;
  /** The run that was begun last, as long as its end may follow. */
  #begun: BegunRun | null = null;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** An entry of the memo is replaced: what was seen before may mean something else. */
  forget(): void {
    this.#model.size = 0;
  }

  /** Whether the rest of a run may follow: a put is then the first opcode of it. */
  get awaitsEnd(): boolean {
    return this.#begun !== null;
  }

  /**
   * Carry out what stands under the cursor, as far as it goes; `frameEnd` is the end of the frame in force, in the window. Returns the
   * number of opcodes, `most` at most.
   */
  read(frameEnd: number, most: number): number {
    const { cursor, stack, memo, budget, limits } = this.#context;
    const slots = memo.packed;
    if (slots === null) return 0;
    const { bytes, view } = cursor;
    const end = Math.min(cursor.end, frameEnd), last = Math.min(cursor.end - MAX_RUN, frameEnd - 1);
    this.#opcodes = 0;
    let p = this.#readEnd(cursor.pos, end, slots);
    while (
      p <= last && this.#opcodes + MAX_OPCODES < most && stack.length + MAX_ITEMS <= limits.maxStackItems
    ) {
      // What follows costs less than this in any case.
      if (budget.structure + MAX_PRICE > limits.maxStructureBytes || slots.length + 7 > limits.maxMemo) break;
      const opcode = bytes[p];
      if (opcode === 0x68 || opcode === 0x6a) {
        const isShort = opcode === 0x68;
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
      } else if (opcode === 0x94 || opcode === 0x71 || opcode === 0x72) {
        const next = p + (opcode === 0x94 ? 1 : opcode === 0x71 ? 2 : 5);
        if (next > end) break;
        if (opcode === 0x71 && bytes[p + 1] !== slots.length) break;
        if (opcode === 0x72 && view.getUint32(p + 1, true) !== slots.length) break;
        slots.push(stack[stack.length - 1]);
        budget.structure += PRICES.slot;
        this.#opcodes++;
        p = next;
      } else if (opcode === 0x8c || opcode === 0x58) {
        if (stack[stack.length - 1] instanceof Token) break;
        if (opcode === 0x8c && this.#model.size > 0) {
          const next = this.#readEntries(p, last, end, most, slots);
          if (next > p) {
            p = next;
            continue;
          }
        }
        const length = opcode === 0x8c ? bytes[p + 1] : view.getUint32(p + 1, true);
        const start = p + (opcode === 0x8c ? 2 : 5);
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
      // In one piece: what lies between the data is less than the arrays themselves take.
      this.#slab.bytes = bytes.slice(this.#from, this.#to);
      this.#slab = null;
    }
    return this.#opcodes;
  }

  /** Entries of a dict that are like the one before, but for the key and the data: behind them. */
  #readEntries(start: number, last: number, end: number, most: number, slots: unknown[]): number {
    const { cursor, stack, budget, limits, locates } = this.#context;
    const { bytes, view, base, stable } = cursor;
    const { words, lastWord, size, dataSize, opcodes, price, dtype, shape, fortran } = this.#model;
    const count = Math.min(
      (most - this.#opcodes) / opcodes - 1,
      (limits.maxStructureBytes - budget.structure) / (price + MAX_PRICE),
      (limits.maxStackItems - stack.length - MAX_ITEMS) / 2,
      (limits.maxMemo - slots.length) / 7 - 1,
      limits.maxTensors - budget.tensors,
    );
    const longest = Math.min(MAX_TEXT, limits.maxStringBytes);
    let done = 0, letters = 0, p = start;
    for (; done < count && p <= last && bytes[p] === 0x8c; done++) {
      const length = bytes[p + 1];
      const head = p + 2 + length;
      const data = head + size;
      const tail = data + dataSize;
      if (tail + 4 > end || length > longest || view.getUint32(tail, true) !== TAIL) break;
      let k = 0;
      while (k < words.length && view.getUint32(head + 4 * k, true) === words[k]) k++;
      if (k < words.length || view.getUint32(data - 4, true) !== lastWord) break;
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

  /** Pairs of a text from the memo and one that stands here and is put there, as a table of names is made of: behind them. */
  #readTexts(start: number, last: number, end: number, most: number, slots: unknown[]): number {
    const { cursor, stack, budget, limits } = this.#context;
    const { bytes, view } = cursor;
    const count = Math.min(
      (most - this.#opcodes) / 3 - 1,
      (limits.maxStructureBytes - budget.structure) / MAX_PRICE,
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
      if (typeof key !== "string" || bytes[text] !== 0x8c || length > longest || put + 1 > end || bytes[put] !== 0x94) {
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

  /** Carry out the run that begins at `start` with the get of its `_reconstruct`; false, and nothing done, where there is no such run. */
  #readRun(callable: Token, start: number, end: number, slots: unknown[]): boolean {
    const context = this.#context;
    const { cursor, limits, budget, stack } = context;
    const { bytes, view } = cursor;
    const first = slots.length;
    let p = start + getSize(bytes, start), putSize = 0;
    const cls = slots[getIndex(bytes, view, p)];
    p += getSize(bytes, p);
    if (!(cls instanceof Token) || cls.kind !== "ndarray" || (this.cls !== null && this.cls !== cls)) return false;
    if (bytes[p] !== 0x4b || bytes[p + 1] !== 0 || bytes[p + 2] !== 0x85) return false;
    p += 3;
    putSize -= p;
    p = behindPut(bytes, view, p, first);
    putSize += p;
    const letter = slots[getIndex(bytes, view, p)];
    p += getSize(bytes, p);
    if (!(letter instanceof Uint8Array) || letter.length !== 1 || letter[0] !== 0x62 || bytes[p] !== 0x87) return false;
    putSize -= ++p;
    p = behindPut(bytes, view, p, first + 1);
    putSize += p;
    if (bytes[p] !== 0x52) return false;
    putSize -= ++p;
    p = behindPut(bytes, view, p, first + 2);
    putSize += p;
    if (bytes[p] !== 0x28 || bytes[p + 1] !== 0x4b || bytes[p + 2] !== 1) return false;
    p += 3;
    const dims = this.#dims;
    dims.length = 0;
    let size = 1, next = first + 3, isMarked = false;
    if (bytes[p] === 0x29) p++;
    else {
      isMarked = bytes[p] === 0x28;
      if (isMarked) p++;
      for (;; p += bytes[p] === 0x4b ? 2 : bytes[p] === 0x4d ? 3 : 5) {
        const opcode = bytes[p];
        const dim = opcode === 0x4b
          ? bytes[p + 1]
          : opcode === 0x4d
          ? view.getUint16(p + 1, true)
          : opcode === 0x4a
          ? view.getInt32(p + 1, true)
          : -1;
        if (dim < 0) break;
        if (dims.length === MAX_AXES) return false;
        dims.push(dim);
        size *= dim;
      }
      if (bytes[p] !== (isMarked ? 0x74 : 0x84 + dims.length) || dims.length < (isMarked ? 0 : 1)) return false;
      if (!isMarked && dims.length > 3) return false;
      putSize -= ++p;
      p = behindPut(bytes, view, p, next++);
      putSize += p;
    }
    const hasShape = next > first + 3;
    const dtype = slots[getIndex(bytes, view, p)];
    p += getSize(bytes, p);
    const flag = bytes[p++];
    if (!(dtype instanceof PickledDType) || (flag !== 0x88 && flag !== 0x89)) return false;
    if (p > end || budget.tensors >= limits.maxTensors) return false;

    this.cls = cls;
    budget.tensors++;
    const shape = this.#shape = sameShape(this.#shape, dims) ? this.#shape : Object.freeze(dims.slice());
    const fortran = flag === 0x88 && shape.length > 1;
    let opcodes = shape.length + (isMarked ? 1 : 0) + (hasShape ? 1 : 0);
    let price = hasShape ? PRICES.slot : 0;
    const data = this.#shortData(p, dtype, shape, size);
    const dataEnd = data + size * (dtype.info?.itemsize ?? 0);
    let tail = data < 0 ? -1 : behindPut(bytes, view, dataEnd, next);
    tail = bytes[tail] === 0x74 ? behindPut(bytes, view, tail + 1, next + 1) : -1;
    if (bytes[tail] !== 0x62 || tail >= end) {
      // The data come later or are long: up to here, then.
      const array = new PickledArray(callable.offset);
      const tuple = tupleOf(shape);
      slots.push(ZERO, ARGS, array);
      if (hasShape) slots.push(tuple);
      const nbytes = dtype.info && size <= limits.maxElements && shape.length <= limits.maxRank
        ? size * dtype.info.itemsize
        : -1;
      const begun = { array, shape, tuple, dtype, fortran: flag === 0x88, nbytes, memoSize: slots.length };
      context.begin(begun);
      this.#begun = begun;
      opcodes += HEAD_OPCODES;
      price += HEAD_PRICE + shape.length * PRICES.slot;
      this.#end = p;
    } else {
      const array = new PickledArray(cursor.base + tail, dtype, shape, fortran);
      if (cursor.stable) array.data = bytes.subarray(data, dataEnd);
      else this.#keep(array, data, dataEnd);
      if (context.locates) array.dataOffset = cursor.base + data;
      slots.push(ZERO, ARGS, array);
      if (hasShape) slots.push(SHAPE, DATA, STATE);
      else slots.push(DATA_OF_SCALAR, STATE_OF_SCALAR);
      stack.push(array);
      opcodes += RUN_OPCODES;
      price += RUN_PRICE + 2 * shape.length * PRICES.slot;
      this.#end = tail + 1;
      const isMemoized = hasShape && putSize === 4 && bytes[start - 1] === 0x94;
      this.#model.size = 0;
      if (isMemoized && view.getUint32(dataEnd, true) === TAIL) {
        this.#model.learn(view, start - 1, data, dataEnd, array);
        this.#model.opcodes = opcodes + 2;
        this.#model.price = price + PRICES.string + PRICES.slot;
      }
    }
    this.#opcodes += opcodes;
    budget.structure += price;
    return true;
  }

  /** Carry out the end of the run that was begun, if it stands at `start` and its data have come: behind it. */
  #readEnd(start: number, end: number, slots: unknown[]): number {
    const begun = this.#begun;
    this.#begun = null;
    const context = this.#context;
    const { cursor: { bytes, view, base }, budget, limits } = context;
    if (begun === null || begun.memoSize !== slots.length || start + MAX_TAIL > end) return start;
    if (budget.structure + MAX_PRICE > limits.maxStructureBytes || slots.length + 2 > limits.maxMemo) return start;
    let p = behindPut(bytes, view, start, slots.length);
    p = bytes[p] === 0x74 ? behindPut(bytes, view, p + 1, slots.length + 1) : -1;
    if (bytes[p] !== 0x62) return start;
    const data = context.end(begun);
    if (data === null) return start;
    const { array, shape, dtype, fortran } = begun;
    array.offset = base + p;
    array.dtype = dtype;
    array.shape = shape;
    array.fortran = fortran && shape.length > 1;
    array.data = data;
    context.complete(array);
    if (shape.length > 0) slots.push(DATA, STATE);
    else slots.push(DATA_OF_SCALAR, STATE_OF_SCALAR);
    this.#opcodes += TAIL_OPCODES;
    budget.structure += TAIL_PRICE + PRICES.slot * shape.length;
    return p + 1;
  }

  /** Where the data begin that stand at `p`, if they are short, as many as the array wants, and whole in the window; else -1. */
  #shortData(p: number, dtype: PickledDType, shape: readonly number[], size: number): number {
    const { cursor: { bytes, view, end }, limits } = this.#context;
    const opcode = bytes[p];
    if ((opcode !== 0x43 && opcode !== 0x42) || !dtype.info) return -1;
    const length = opcode === 0x43 ? bytes[p + 1] : view.getUint32(p + 1, true);
    if (length >= BLOB_MIN || length !== size * dtype.info.itemsize) return -1;
    if (size > limits.maxElements || shape.length > limits.maxRank) return -1;
    const start = p + (opcode === 0x43 ? 2 : 5);
    return start + length + MAX_TAIL <= end ? start : -1;
  }

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

/** What the last entry of a dict was like: a text, MEMOIZE, and a run whose puts are MEMOIZE. Such ones follow one another. */
class EntryModel {
  /** Bytes between the key and the data; 0 where there is no model. */
  size = 0;
  /** These bytes as numbers of four; the last four once more. */
  readonly words: number[] = [];
  lastWord = 0;
  dataSize = 0;
  /** Opcodes of the entry, and what it charges beside the letters of the key. */
  opcodes = 0;
  price = 0;
  dtype!: PickledDType;
  shape!: readonly number[];
  fortran = false;

  /** Take the bytes from behind a key to the data for the model of the next entries. */
  learn(view: DataView, head: number, data: number, dataEnd: number, { dtype, shape, fortran }: PickledArray): void {
    this.size = data - head;
    this.dataSize = dataEnd - data;
    this.words.length = 0;
    for (let p = head; p + 4 <= data; p += 4) this.words.push(view.getUint32(p, true));
    this.lastWord = view.getUint32(data - 4, true);
    this.dtype = dtype!;
    this.shape = shape;
    this.fortran = fortran;
  }
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

/** What the get at `p` names; Infinity, which nothing has, where there is none. */
function getIndex(bytes: Uint8Array, view: DataView, p: number): number {
  if (bytes[p] === 0x68) return bytes[p + 1];
  return bytes[p] === 0x6a ? view.getUint32(p + 1, true) : Infinity;
}

function getSize(bytes: Uint8Array, p: number): number {
  return bytes[p] === 0x68 ? 2 : 5;
}

/** Behind a put of `index`, which is the end of the memo; -1 where none stands at `p`. */
function behindPut(bytes: Uint8Array, view: DataView, p: number, index: number): number {
  const opcode = bytes[p];
  if (opcode === 0x94) return p + 1;
  if (opcode === 0x71) return bytes[p + 1] === index ? p + 2 : -1;
  return opcode === 0x72 && view.getUint32(p + 1, true) === index ? p + 5 : -1;
}
