/**
 * The run of opcodes that CPython writes for every array after the first: symbols, `b'b'` and the dtype come from the memo, so that only
 * the shape and the data differ. Recognised byte by byte (dossier 3.4 and 3.5): its head, and behind it the rest, where the data are short.
 *
 * ```text
 * head: get ndarray · K 00 · TUPLE1 m · get b'b' · TUPLE3 m · REDUCE m · MARK · K 01 · shape m · get dtype · NEWTRUE|NEWFALSE
 * rest: data m · TUPLE m · BUILD
 * get: BINGET | LONG_BINGET     m: MEMOIZE | BINPUT | LONG_BINPUT, one after the other     data: SHORT_BINBYTES | BINBYTES
 * ```
 *
 * @module
 */
import { BLOB_MIN, type Cursor } from "../cursor.ts";
import type { Memo } from "./memo.ts";
import { type PickledArray, PickledDType, Token } from "./pickled.ts";

/** Opcodes of a head with its memo puts, with one axis more or less. */
export const HEAD_OPCODES = 18;
/** Opcodes behind it. */
export const REST_OPCODES = 5;
/** Axes that a run may have; more go the common way. */
const MAX_AXES = 8;
/** More than the bytes of a head and of what stands before the data: one check in place of one for each byte. */
const MAX_HEAD = 128;
/** More than the bytes behind the data. */
const MAX_TAIL = 12;

/** What a run puts into the memo, in this order; a 0-d array has no shape there. */
const PARTS = ["zero", "args", "array", "shape", "data", "state"] as const;

/** A thing that a run puts into the memo. */
export type RunPart = typeof PARTS[number];

/** What the memo holds for the parts of a run, unmade: nobody asks for them. One for all parts of a run, in the entries from `first` on. */
export class DeferredParts {
  readonly first: number;
  readonly cls: Token;
  readonly array: PickledArray;
  readonly shape: readonly number[];
  constructor(first: number, cls: Token, array: PickledArray, shape: readonly number[]) {
    this.first = first;
    this.cls = cls;
    this.array = array;
    this.shape = shape;
  }

  /** The part that the entry `index` stands for. */
  partAt(index: number): RunPart {
    const k = index - this.first;
    return PARTS[k > 2 && this.shape.length === 0 ? k + 1 : k];
  }
}

/** Finds runs; its fields say what the last one found was. One object, used again and again. */
export class ArrayRun {
  cls!: Token;
  dtype!: PickledDType;
  shape: number[] = [];
  fortran = false;
  /** Memo index of the first part. */
  firstPut = 0;
  /** Parts that the head puts into the memo. */
  headPuts = 0;
  /** Behind the head, in the window. */
  headEnd = 0;
  dataStart = 0;
  dataEnd = 0;
  /** Parts that the rest puts into the memo. */
  restPuts = 0;
  /** Behind the BUILD, in the window. */
  end = 0;

  #bytes!: Uint8Array;
  #view!: DataView;
  #memo!: Memo;
  #p = 0;
  /** Index of the next put. */
  #next = 0;

  /** Whether a head, whole and with all its puts at the end of the memo, stands under the cursor. */
  matchHead(cursor: Cursor, memo: Memo): boolean {
    if (cursor.end - cursor.pos < MAX_HEAD || !memo.isDense) return false;
    const bytes = this.#bytes = cursor.bytes;
    this.#view = cursor.view;
    this.#memo = memo;
    this.#p = cursor.pos;
    this.#next = this.firstPut = memo.length;
    const cls = this.#get();
    if (!(cls instanceof Token) || cls.kind !== "ndarray") return false;
    if (bytes[this.#p] !== 0x4b || bytes[this.#p + 1] !== 0 || bytes[this.#p + 2] !== 0x85) return false;
    this.#p += 3;
    if (!this.#put()) return false;
    const letter = this.#get();
    if (!(letter instanceof Uint8Array) || letter.length !== 1 || letter[0] !== 0x62) return false;
    if (bytes[this.#p++] !== 0x87 || !this.#put()) return false;
    if (bytes[this.#p++] !== 0x52 || !this.#put()) return false;
    if (bytes[this.#p] !== 0x28 || bytes[this.#p + 1] !== 0x4b || bytes[this.#p + 2] !== 1) return false;
    this.#p += 3;
    if (!this.#shape()) return false;
    if (this.shape.length > 0 && !this.#put()) return false;
    const dtype = this.#get();
    if (!(dtype instanceof PickledDType)) return false;
    const flag = bytes[this.#p++];
    if (flag !== 0x88 && flag !== 0x89) return false;
    this.cls = cls;
    this.dtype = dtype;
    this.fortran = flag === 0x88;
    this.headEnd = this.#p;
    this.headPuts = this.#next - this.firstPut;
    return true;
  }

  /** Whether the rest, with short data, stands whole in the window behind the head. */
  matchRest(cursor: Cursor): boolean {
    const bytes = this.#bytes;
    this.#p = this.headEnd;
    const opcode = bytes[this.#p++];
    let length = 0;
    if (opcode === 0x43) length = bytes[this.#p++];
    else if (opcode === 0x42) {
      length = this.#view.getUint32(this.#p, true);
      this.#p += 4;
    } else return false;
    if (length >= BLOB_MIN || this.#p + length + MAX_TAIL > cursor.end) return false;
    this.dataStart = this.#p;
    this.dataEnd = this.#p += length;
    if (!this.#put()) return false;
    if (bytes[this.#p++] !== 0x74 || !this.#put()) return false;
    if (bytes[this.#p++] !== 0x62) return false;
    this.end = this.#p;
    this.restPuts = 2;
    return true;
  }

  #get(): unknown {
    const p = this.#p;
    if (this.#bytes[p] === 0x68) {
      this.#p = p + 2;
      return this.#memo.get(this.#bytes[p + 1]);
    }
    if (this.#bytes[p] !== 0x6a) return undefined;
    this.#p = p + 5;
    return this.#memo.get(this.#view.getUint32(p + 1, true));
  }

  /** A put at the end of the memo: any other goes the common way. */
  #put(): boolean {
    const opcode = this.#bytes[this.#p];
    const index = this.#next++;
    if (opcode === 0x94) {
      this.#p += 1;
      return this.#memo.isPacked;
    }
    if (opcode === 0x71) {
      this.#p += 2;
      return this.#bytes[this.#p - 1] === index;
    }
    if (opcode !== 0x72) return false;
    this.#p += 5;
    return this.#view.getUint32(this.#p - 4, true) === index;
  }

  #shape(): boolean {
    const bytes = this.#bytes;
    const shape: number[] = this.shape = [];
    if (bytes[this.#p] === 0x29) {
      this.#p++;
      return true;
    }
    const isMarked = bytes[this.#p] === 0x28;
    if (isMarked) this.#p++;
    for (;;) {
      const p = this.#p;
      const opcode = bytes[p];
      if (opcode === 0x4b) {
        shape.push(bytes[p + 1]);
        this.#p = p + 2;
      } else if (opcode === 0x4d) {
        shape.push(this.#view.getUint16(p + 1, true));
        this.#p = p + 3;
      } else if (opcode === 0x4a) {
        const dim = this.#view.getInt32(p + 1, true);
        if (dim < 0) return false;
        shape.push(dim);
        this.#p = p + 5;
      } else break;
      if (shape.length > MAX_AXES) return false;
    }
    const closing = isMarked ? 0x74 : 0x84 + shape.length;
    return bytes[this.#p++] === closing && (isMarked || (shape.length >= 1 && shape.length <= 3));
  }
}
