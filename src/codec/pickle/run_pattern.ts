/**
 * Recognizes the run of opcodes that CPython writes for an array (see array_run.ts), without side effects.
 *
 * @module
 */
import * as op from "./opcodes.ts";
import { PickledDType, Token } from "./pickled.ts";

// Copies: engines fold a module's own constants, but fetch imported ones, which takes 4 % of the time of a state dict.
const BINGET = op.BINGET, LONG_BINGET = op.LONG_BINGET;
const MEMOIZE = op.MEMOIZE, BINPUT = op.BINPUT, LONG_BINPUT = op.LONG_BINPUT;
const BININT1 = op.BININT1, BININT2 = op.BININT2, BININT = op.BININT;
const MARK = op.MARK, EMPTY_TUPLE = op.EMPTY_TUPLE, TUPLE = op.TUPLE, TUPLE1 = op.TUPLE1, TUPLE3 = op.TUPLE3;
const NEWTRUE = op.NEWTRUE, NEWFALSE = op.NEWFALSE, REDUCE = op.REDUCE;

/** Maximum axes of a run; arrays with more are left to the machine. */
export const MAX_AXES = 8;
/** The index of a get that is not there: no memo has it. */
const NO_INDEX = Infinity;

/** The last run that was recognized, up to its data. */
export class RunPattern {
  /** The class it names: ndarray. */
  cls!: Token;
  dtype!: PickledDType;
  /** The Fortran-order flag, as stored in the file. */
  fortran = false;
  readonly dims: number[] = [];
  /** Number of elements. */
  size = 1;
  /** Whether the shape begins with a MARK, as one of more than three axes does. */
  isMarked = false;
  /** Puts before the data: three, plus one if the shape is not EMPTY_TUPLE. */
  puts = 3;
  /** Total size of these puts in bytes. */
  putSize = 0;
  /** Index of the data's opcode. */
  end = 0;

  #bytes!: Uint8Array;
  #view!: DataView;
  #slots!: readonly unknown[];
  #at = 0;

  /** Whether such a run begins at `start` with the get of `_reconstruct`; `slots` is the memo. */
  match(bytes: Uint8Array, view: DataView, start: number, slots: readonly unknown[]): boolean {
    this.#bytes = bytes;
    this.#view = view;
    this.#slots = slots;
    this.#at = start + getSize(bytes, start);
    this.puts = this.putSize = 0;
    return this.#matchCall() && this.#matchShape() && this.#matchDType();
  }

  /** get ndarray · K 00 · TUPLE1 m · get b'b' · TUPLE3 m · REDUCE m · MARK · K 01 */
  #matchCall(): boolean {
    const cls = this.#get();
    if (!(cls instanceof Token) || cls.kind !== "ndarray") return false;
    this.cls = cls;
    if (!this.#is(BININT1) || !this.#is(0) || !this.#is(TUPLE1) || !this.#put()) return false;
    const letter = this.#get();
    if (!(letter instanceof Uint8Array) || letter.length !== 1 || letter[0] !== 0x62) return false;
    return this.#is(TUPLE3) && this.#put() && this.#is(REDUCE) && this.#put() && this.#is(MARK) && this.#is(BININT1) &&
      this.#is(1);
  }

  /** EMPTY_TUPLE, or TUPLE1 to TUPLE3 or MARK ... TUPLE with a put. */
  #matchShape(): boolean {
    const { dims } = this;
    dims.length = 0;
    this.size = 1;
    this.isMarked = false;
    if (this.#is(EMPTY_TUPLE)) return true;
    this.isMarked = this.#is(MARK);
    for (let dim = this.#int(); dim >= 0; dim = this.#int()) {
      if (dims.length === MAX_AXES) return false;
      dims.push(dim);
      this.size *= dim;
    }
    if (!this.isMarked && (dims.length < 1 || dims.length > 3)) return false;
    return this.#is(this.isMarked ? TUPLE : TUPLE1 - 1 + dims.length) && this.#put();
  }

  /** get dtype · NEWTRUE|NEWFALSE */
  #matchDType(): boolean {
    const dtype = this.#get();
    if (!(dtype instanceof PickledDType)) return false;
    this.dtype = dtype;
    this.fortran = this.#is(NEWTRUE);
    this.end = this.#at + (this.fortran ? 0 : 1);
    return this.fortran || this.#is(NEWFALSE);
  }

  #is(opcode: number): boolean {
    if (this.#bytes[this.#at] !== opcode) return false;
    this.#at++;
    return true;
  }

  #get(): unknown {
    const at = this.#at;
    this.#at = at + getSize(this.#bytes, at);
    return this.#slots[getIndex(this.#bytes, this.#view, at)];
  }

  #put(): boolean {
    const at = this.#at;
    const after = afterPut(this.#bytes, this.#view, at, this.#slots.length + this.puts);
    if (after < 0) return false;
    this.puts++;
    this.putSize += after - at;
    this.#at = after;
    return true;
  }

  /** Consume the next int; -1 if there is none that could be the length of an axis. */
  #int(): number {
    const at = this.#at, bytes = this.#bytes;
    switch (bytes[at]) {
      case BININT1:
        this.#at = at + 2;
        return bytes[at + 1];
      case BININT2:
        this.#at = at + 3;
        return this.#view.getUint16(at + 1, true);
      case BININT: {
        const dim = this.#view.getInt32(at + 1, true);
        if (dim >= 0) this.#at = at + 5;
        return dim;
      }
    }
    return -1;
  }
}

/** The memo index of the get at `p`; if there is none, an index that no memo has. */
export function getIndex(bytes: Uint8Array, view: DataView, p: number): number {
  if (bytes[p] === BINGET) return bytes[p + 1];
  return bytes[p] === LONG_BINGET ? view.getUint32(p + 1, true) : NO_INDEX;
}

/** Size in bytes of the get at `p`. */
export function getSize(bytes: Uint8Array, p: number): number {
  return bytes[p] === BINGET ? 2 : 5;
}

/** Index after the put at `p`, which must be of `index`, the end of the memo; -1 if there is none. */
export function afterPut(bytes: Uint8Array, view: DataView, p: number, index: number): number {
  const opcode = bytes[p];
  if (opcode === MEMOIZE) return p + 1;
  if (opcode === BINPUT) return bytes[p + 1] === index ? p + 2 : -1;
  return opcode === LONG_BINPUT && view.getUint32(p + 1, true) === index ? p + 5 : -1;
}
