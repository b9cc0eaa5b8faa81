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
import { BLOB_MIN, type Cursor } from "../cursor.ts";
import type { Memo } from "./memo.ts";
import { Tuple } from "../../values.ts";
import { PickledArray, PickledDType, Token } from "./pickled.ts";
import { textFromUtf8 } from "./text.ts";

/** Longer texts go the common way. */
const MAX_TEXT = 255;
/** Axes that a run may have; more go the common way. */
const MAX_AXES = 8;
/** More than the bytes of a run without its data, or of a text and its put: one check in place of one for each byte. */
const MAX_RUN = 128;
/** More items than a run has on the stack at a time. */
const MAX_ITEMS = 2 * MAX_AXES;
/** More opcodes than a run has. */
const MAX_OPCODES = 24 + MAX_AXES;
/** More than the bytes behind the data. */
const MAX_TAIL = 12;
/** Opcodes of a run up to its data, and of a whole one, without axes and without the mark and the put that a shape may have. */
const HEAD_OPCODES = 15;
const RUN_OPCODES = 20;
/** What is charged up to the data: tuples of 1, of 3 and of the axes, the array, three puts; and in all: a tuple of 5, bytes, two puts more. */
const HEAD_PRICE = 3 * PRICES.tuple + (1 + 3) * PRICES.slot + PRICES.tensor + 3 * PRICES.slot;
const RUN_PRICE = HEAD_PRICE + PRICES.tuple + 5 * PRICES.slot + PRICES.bytes + 2 * PRICES.slot;

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

/** The part of a pickle machine that the loop works on. */
export interface RunContext {
  readonly cursor: Cursor;
  readonly stack: unknown[];
  readonly memo: Memo;
  readonly budget: Budget;
  readonly limits: Readonly<Limits>;
  /** Leave an array on the stack that waits for its state, and above it the beginning of that: MARK, 1, shape, dtype, order. */
  begin(array: PickledArray, shape: Tuple, dtype: PickledDType, fortran: boolean): void;
  /** Whether arrays note where their bytes lie. */
  readonly locates: boolean;
}

/** The loop; one for each pickle. */
export class ArrayRuns {
  /** The class that all runs name. */
  cls: Token | null = null;
  readonly #context: RunContext;
  /** Behind the run that was just read. */
  #end = 0;
  /** Carried out by this call. */
  #opcodes = 0;

  /** Arrays of this call, where their data begin in the window, and from where to where all these data lie. */
  readonly #kept: PickledArray[] = [];
  readonly #starts: number[] = [];
  #from = 0;
  #to = 0;
  /** Arrays that follow one another and have one shape share it. */
  #shape: readonly number[] = Object.freeze([]);
  readonly #dims: number[] = [];
  #bytesKept = 0;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /**
   * Carry out what stands under the cursor, as far as it goes; `frameEnd` is the end of the frame in force, in the window. Returns the
   * number of opcodes, `most` at most.
   */
  read(frameEnd: number, most: number): number {
    const { cursor, stack, memo, budget, limits } = this.#context;
    if (!memo.isPacked) return 0;
    const { bytes, view } = cursor;
    const stop = Math.min(cursor.end, frameEnd) - MAX_RUN;
    let p = cursor.pos;
    this.#opcodes = 0;
    while (p <= stop && this.#opcodes + MAX_OPCODES < most && stack.length + MAX_ITEMS <= limits.maxStackItems) {
      // What follows costs less than this in any case.
      if (budget.structure + 2 * RUN_PRICE > limits.maxStructureBytes || memo.length + 6 > limits.maxMemo) break;
      const opcode = bytes[p];
      if (opcode === 0x68 || opcode === 0x6a) {
        const isShort = opcode === 0x68;
        const value = memo.get(isShort ? bytes[p + 1] : view.getUint32(p + 1, true));
        if (value === undefined || value instanceof UnmadePart) break;
        const next = p + (isShort ? 2 : 5);
        if (value instanceof Token && value.kind === "reconstruct") {
          if (!this.#readRun(value, next, stop + MAX_RUN)) break;
          p = this.#end;
        } else {
          stack.push(value);
          this.#opcodes++;
          p = next;
        }
      } else if (opcode === 0x94 || opcode === 0x71 || opcode === 0x72) {
        if (opcode === 0x71 && bytes[p + 1] !== memo.length) break;
        if (opcode === 0x72 && view.getUint32(p + 1, true) !== memo.length) break;
        memo.append(stack[stack.length - 1]);
        budget.structure += PRICES.slot;
        this.#opcodes++;
        p += opcode === 0x94 ? 1 : opcode === 0x71 ? 2 : 5;
      } else if (opcode === 0x8c || opcode === 0x58) {
        const length = opcode === 0x8c ? bytes[p + 1] : view.getUint32(p + 1, true);
        const start = p + (opcode === 0x8c ? 2 : 5);
        if (length > MAX_TEXT || start + length > stop + MAX_RUN || length > limits.maxStringBytes) break;
        if (stack[stack.length - 1] instanceof Token) break;
        const text = textFromUtf8(bytes, start, start + length);
        if (text === null) break;
        stack.push(text);
        budget.structure += PRICES.string + PRICES.unit * length;
        this.#opcodes++;
        p = start + length;
      } else break;
    }
    cursor.pos = p;
    if (this.#kept.length > 0) this.#keepBytes(bytes);
    return this.#opcodes;
  }

  /** Carry out the run behind the get of its `_reconstruct`; false, and nothing done, where there is no such run. */
  #readRun(callable: Token, start: number, stop: number): boolean {
    const context = this.#context;
    const { cursor, limits, budget, stack, memo } = context;
    const { bytes, view } = cursor;
    const first = memo.length;
    let p = start;
    const cls = memo.get(getIndex(bytes, view, p));
    p += getSize(bytes, p);
    if (!(cls instanceof Token) || cls.kind !== "ndarray" || (this.cls !== null && this.cls !== cls)) return false;
    if (bytes[p] !== 0x4b || bytes[p + 1] !== 0 || bytes[p + 2] !== 0x85) return false;
    p = behindPut(bytes, view, p + 3, first);
    const letter = memo.get(getIndex(bytes, view, p));
    p += getSize(bytes, p);
    if (!(letter instanceof Uint8Array) || letter.length !== 1 || letter[0] !== 0x62 || bytes[p] !== 0x87) return false;
    p = behindPut(bytes, view, p + 1, first + 1);
    if (bytes[p] !== 0x52) return false;
    p = behindPut(bytes, view, p + 1, first + 2);
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
      p = behindPut(bytes, view, p + 1, next++);
    }
    const hasShape = next > first + 3;
    const dtype = memo.get(getIndex(bytes, view, p));
    p += getSize(bytes, p);
    const flag = bytes[p++];
    if (!(dtype instanceof PickledDType) || (flag !== 0x88 && flag !== 0x89)) return false;
    if (budget.tensors >= limits.maxTensors) return false;

    const shape = this.#shape = sameShape(this.#shape, dims) ? this.#shape : Object.freeze(dims.slice());
    const array = new PickledArray(callable.offset);
    const dataStart = this.#shortData(p, stop, dtype, shape, size);
    const dataEnd = dataStart + size * (dtype.info?.itemsize ?? 0);
    let end = dataStart < 0 ? -1 : behindPut(bytes, view, dataEnd, next);
    end = bytes[end] === 0x74 ? behindPut(bytes, view, end + 1, next + 1) : -1;
    if (bytes[end] !== 0x62) {
      // The data come later or are long: up to here, then.
      this.#charge(HEAD_OPCODES, HEAD_PRICE + shape.length * PRICES.slot, shape.length, isMarked, hasShape);
      const tuple = Tuple.from(shape);
      memo.append(ZERO);
      memo.append(ARGS);
      memo.append(array);
      if (hasShape) memo.append(tuple);
      context.begin(array, tuple, dtype, flag === 0x88);
      this.#end = p;
    } else {
      this.#charge(RUN_OPCODES, RUN_PRICE + 2 * shape.length * PRICES.slot, shape.length, isMarked, hasShape);
      memo.append(ZERO);
      memo.append(ARGS);
      memo.append(array);
      if (hasShape) memo.append(SHAPE);
      memo.append(hasShape ? DATA : DATA_OF_SCALAR);
      memo.append(hasShape ? STATE : STATE_OF_SCALAR);
      array.shape = shape;
      array.dtype = dtype;
      array.fortran = flag === 0x88 && shape.length > 1;
      if (cursor.stable) array.data = bytes.subarray(dataStart, dataEnd);
      else this.#keep(array, dataStart, dataEnd);
      array.offset = cursor.base + end;
      if (context.locates) array.dataOffset = cursor.base + dataStart;
      stack.push(array);
      this.#end = end + 1;
    }
    this.cls = cls;
    budget.tensors++;
    return true;
  }

  /** Where the data begin that stand at `p`, if they are short, as many as the array wants, and whole in the window; else -1. */
  #shortData(p: number, stop: number, dtype: PickledDType, shape: readonly number[], size: number): number {
    const { cursor: { bytes, view }, limits } = this.#context;
    const opcode = bytes[p];
    if ((opcode !== 0x43 && opcode !== 0x42) || !dtype.info) return -1;
    const length = opcode === 0x43 ? bytes[p + 1] : view.getUint32(p + 1, true);
    if (length >= BLOB_MIN || length !== size * dtype.info.itemsize) return -1;
    if (size > limits.maxElements || shape.length > limits.maxRank) return -1;
    const start = p + (opcode === 0x43 ? 2 : 5);
    return start + length + MAX_TAIL <= stop ? start : -1;
  }

  #keep(array: PickledArray, start: number, end: number): void {
    if (this.#kept.length === 0) this.#from = start;
    this.#kept.push(array);
    this.#starts.push(start);
    this.#to = end;
    this.#bytesKept += end - start;
  }

  /** Take the data of this call's arrays out of the window: in one piece, if they are a good part of it. */
  #keepBytes(window: Uint8Array): void {
    const kept = this.#kept;
    const isDense = kept.length > 1 && this.#bytesKept >= (this.#to - this.#from) / 4;
    const slab = isDense ? window.slice(this.#from, this.#to) : window;
    for (let i = 0; i < kept.length; i++) {
      const array = kept[i], start = this.#starts[i];
      if (isDense) array.pack(slab, start - this.#from);
      else array.data = window.slice(start, start + array.nbytes);
    }
    kept.length = this.#starts.length = this.#bytesKept = 0;
  }

  #charge(opcodes: number, price: number, axes: number, isMarked: boolean, hasShape: boolean): void {
    this.#opcodes += opcodes + axes + (isMarked ? 1 : 0) + (hasShape ? 1 : 0);
    this.#context.budget.structure += price + (hasShape ? PRICES.slot : 0);
  }
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
