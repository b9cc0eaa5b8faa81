/**
 * What lies on the stack of the pickle machine and is no plain value: symbols, arrays that wait for their state.
 *
 * @module
 */
import type { DTypeInfo } from "../../dtype.ts";
import type { Tuple, Value } from "../../values.ts";
import type { Payload } from "../cursor.ts";
import type { SymbolKind } from "./symbols.ts";

/** A symbol: two strings and what the table says of them. It does nothing. */
export class Token {
  readonly module: string;
  readonly name: string;
  readonly kind: SymbolKind;
  /** Byte of the opcode that named it. */
  readonly offset: number;
  constructor(module: string, name: string, kind: SymbolKind, offset: number) {
    this.module = module;
    this.name = name;
    this.kind = kind;
    this.offset = offset;
  }
  /** `module.name`. */
  get symbol(): string {
    return this.module + "." + this.name;
  }
}

/** A numpy dtype. Arrays share it by memo, so that its state (the byte order) may come after them; it is applied in place. */
export class PickledDType {
  /** As written: `f4`, `O8`, `U5`. */
  readonly code: string;
  /** What is known of it, or undefined for a kind that no tensor has. */
  readonly info: DTypeInfo | undefined;
  bigEndian = false;
  built = false;
  /** Bytes of one element, for kinds that no tensor has: from the code or the state; 0 where unknown. */
  itemsize: number;
  /** Unit of a date: `[D]`. */
  unit = "";
  /** Its state as in the file, of a kind that no tensor has: what makes the same dtype again. */
  state: Tuple | null = null;
  constructor(code: string, info: DTypeInfo | undefined, itemsize: number) {
    this.code = code;
    this.info = info;
    this.itemsize = itemsize;
  }
}

/** A buffer that has the bytes of many arrays. */
export interface Slab {
  bytes: Uint8Array;
}

/** A numpy array: a shell from its `_reconstruct` on, complete after its BUILD. */
export class PickledArray {
  declare dtype: PickledDType | null;
  declare shape: readonly number[];
  declare fortran: boolean;
  declare items: Value[] | null;
  /** Byte of the file where `data` begins, where it was asked for (`locate`), else -1. */
  declare dataOffset: number;
  /** Another array of the file has the same bytes object: they are copied before anybody can change them. */
  declare sharesBytes: boolean;
  /** A static tensor (`eval('data', ...)` and its later forms). */
  declare isStatic: boolean;
  /** What was made of it, so that it is made once. */
  declare made: unknown;
  /** Whether something has its bytes. */
  declare isUsed: boolean;
  /** Byte where errors about it are reported. */
  declare offset: number;
  /** Has the bytes, from `start` on, as long as nobody asked for `data`; else null. */
  declare slab: Slab | null;
  declare start: number;
  /** The bytes, once they are no other's. */
  declare own: Payload | null;

  // The fields are only declared: to define them first would be another call, and there are many arrays.
  constructor(offset: number, dtype: PickledDType | null = null, shape: readonly number[] = [], fortran = false) {
    this.dtype = dtype;
    this.shape = shape;
    this.fortran = fortran;
    this.items = null;
    this.dataOffset = -1;
    this.sharesBytes = false;
    this.isStatic = false;
    this.made = undefined;
    this.isUsed = false;
    this.offset = offset;
    this.slab = null;
    this.start = -1;
    this.own = null;
  }

  /** Bytes that dtype and shape ask for. */
  get nbytes(): number {
    const { shape } = this;
    let size = this.dtype!.itemsize;
    for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
    return size;
  }

  /** The bytes, in the order and byte order of the file; null for arrays of objects. */
  get data(): Payload | null {
    const { slab, start } = this;
    if (slab !== null) {
      this.own = slab.bytes.slice(start, start + this.nbytes);
      this.slab = null;
    }
    return this.own;
  }

  set data(data: Payload | null) {
    this.own = data;
    this.slab = null;
  }
}

/** In an audit: what an unknown symbol or a refused call left on the stack. */
export class Unknown {}
