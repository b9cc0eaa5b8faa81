/**
 * Recognizes the run of opcodes that CPython writes for an array (see array_run.ts): looks, and changes nothing.
 *
 * @module
 */
import { PickledDType, Token } from "./pickled.ts";

/** Axes that a run may have; more go the common way. */
export const MAX_AXES = 8;
/** What a get names where there is none: no memo has it. */
const NO_INDEX = Infinity;

/** The last run that was recognized, up to its data. */
export class RunPattern {
  /** The class that it names: ndarray. */
  cls!: Token;
  dtype!: PickledDType;
  /** The flag for column-major order, as the file has it. */
  fortran = false;
  readonly dims: number[] = [];
  /** Elements. */
  size = 1;
  /** A shape of more than three axes begins with a MARK. */
  isMarked = false;
  /** Puts up to the data: three, and one of a shape that is not EMPTY_TUPLE. */
  puts = 3;
  /** Bytes of these puts. */
  putSize = 0;
  /** Where the opcode of the data stands. */
  end = 0;

  #bytes!: Uint8Array;
  #view!: DataView;
  #slots!: readonly unknown[];
  #at = 0;

  /** Whether such a run begins at `start` with the get of its `_reconstruct`; `slots` is the memo. */
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

  /** The int under way, or -1 where none that could be an axis stands there. */
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

/** What the get at `p` names; an index that no memo has where there is none. */
export function getIndex(bytes: Uint8Array, view: DataView, p: number): number {
  if (bytes[p] === 0x68) return bytes[p + 1];
  return bytes[p] === 0x6a ? view.getUint32(p + 1, true) : NO_INDEX;
}

/** Bytes of the get at `p`. */
export function getSize(bytes: Uint8Array, p: number): number {
  return bytes[p] === 0x68 ? 2 : 5;
}

/** Behind a put of `index`, which is the end of the memo; -1 where none stands at `p`. */
export function behindPut(bytes: Uint8Array, view: DataView, p: number, index: number): number {
  const opcode = bytes[p];
  if (opcode === 0x94) return p + 1;
  if (opcode === 0x71) return bytes[p + 1] === index ? p + 2 : -1;
  return opcode === 0x72 && view.getUint32(p + 1, true) === index ? p + 5 : -1;
}
