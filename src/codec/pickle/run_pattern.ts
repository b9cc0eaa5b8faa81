/**
 * Recognizes the run of opcodes that CPython writes for an array (see array_run.ts), without side effects.
 *
 * @module
 */
import { PickledDType, Token } from "./pickled.ts";

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
    if (!this.#is(0x4b) || !this.#is(0) || !this.#is(0x85) || !this.#put()) return false;
    const letter = this.#get();
    if (!(letter instanceof Uint8Array) || letter.length !== 1 || letter[0] !== 0x62) return false;
    return this.#is(0x87) && this.#put() && this.#is(0x52) && this.#put() && this.#is(0x28) && this.#is(0x4b) &&
      this.#is(1);
  }

  /** EMPTY_TUPLE, or TUPLE1 to TUPLE3 or MARK ... TUPLE with a put. */
  #matchShape(): boolean {
    const { dims } = this;
    dims.length = 0;
    this.size = 1;
    this.isMarked = false;
    if (this.#is(0x29)) return true;
    this.isMarked = this.#is(0x28);
    for (let dim = this.#int(); dim >= 0; dim = this.#int()) {
      if (dims.length === MAX_AXES) return false;
      dims.push(dim);
      this.size *= dim;
    }
    if (!this.isMarked && (dims.length < 1 || dims.length > 3)) return false;
    return this.#is(this.isMarked ? 0x74 : 0x84 + dims.length) && this.#put();
  }

  /** get dtype · NEWTRUE|NEWFALSE */
  #matchDType(): boolean {
    const dtype = this.#get();
    if (!(dtype instanceof PickledDType)) return false;
    this.dtype = dtype;
    this.fortran = this.#is(0x88);
    this.end = this.#at + (this.fortran ? 0 : 1);
    return this.fortran || this.#is(0x89);
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
    const behind = behindPut(this.#bytes, this.#view, at, this.#slots.length + this.puts);
    if (behind < 0) return false;
    this.puts++;
    this.putSize += behind - at;
    this.#at = behind;
    return true;
  }

  /** Consume the next int; -1 if there is none that could be the length of an axis. */
  #int(): number {
    const at = this.#at, bytes = this.#bytes;
    switch (bytes[at]) {
      case 0x4b:
        this.#at = at + 2;
        return bytes[at + 1];
      case 0x4d:
        this.#at = at + 3;
        return this.#view.getUint16(at + 1, true);
      case 0x4a: {
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
  if (bytes[p] === 0x68) return bytes[p + 1];
  return bytes[p] === 0x6a ? view.getUint32(p + 1, true) : NO_INDEX;
}

/** Size in bytes of the get at `p`. */
export function getSize(bytes: Uint8Array, p: number): number {
  return bytes[p] === 0x68 ? 2 : 5;
}

/** Index after the put at `p`, which must be of `index`, the end of the memo; -1 if there is none. */
export function behindPut(bytes: Uint8Array, view: DataView, p: number, index: number): number {
  const opcode = bytes[p];
  if (opcode === 0x94) return p + 1;
  if (opcode === 0x71) return bytes[p + 1] === index ? p + 2 : -1;
  return opcode === 0x72 && view.getUint32(p + 1, true) === index ? p + 5 : -1;
}
