/**
 * What lies on the stack of the pickle machine and is no plain value: symbols, arrays that wait for their state, texts that stand for bytes.
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

/** A numpy array: a shell from its `_reconstruct` on, complete after its BUILD. */
export class PickledArray {
  dtype: PickledDType | null = null;
  shape: readonly number[] = [];
  fortran = false;
  items: Value[] | null = null;
  /** Byte of the file where `data` begins, where it was asked for (`locate`), else -1. */
  dataOffset = -1;
  /** Another array of the file has the same bytes object: they are copied before anybody can change them. */
  sharesBytes = false;
  /** A static tensor (`eval('data', ...)` and its later forms). */
  isStatic = false;
  /** What was made of it, so that it is made once. */
  made: unknown = undefined;
  /** Whether something has its bytes. */
  isUsed = false;
  /** Byte where errors about it are reported. */
  offset: number;
  /** Where the bytes begin in `#data`, which other arrays have as well; -1 where it is theirs alone. */
  start = -1;
  #data: Payload | null = null;

  constructor(offset: number) {
    this.offset = offset;
  }

  /** Bytes that dtype and shape ask for. */
  get nbytes(): number {
    const { shape } = this;
    let size = this.dtype!.itemsize;
    for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
    return size;
  }

  /** The buffer that has the bytes from `start` on; null where nobody shares it, or somebody has asked for `data`. */
  get slab(): Uint8Array | null {
    return this.start < 0 ? null : this.#data as Uint8Array;
  }

  /** The bytes, in the order and byte order of the file; null for arrays of objects. */
  get data(): Payload | null {
    const { slab, start } = this;
    if (slab !== null) {
      this.#data = slab.slice(start, start + this.nbytes);
      this.start = -1;
    }
    return this.#data;
  }

  set data(data: Payload | null) {
    this.#data = data;
    this.start = -1;
  }

  /** Leave the bytes where they are, from `start` on, until somebody asks for them. */
  pack(slab: Uint8Array, start: number): void {
    this.#data = slab;
    this.start = start;
  }
}

/** A text below an `_codecs.encode`: bytes from the first (protocol 2 writes bytes so); a string only if somebody asks. */
export class ByteText {
  readonly payload: Payload;
  readonly offset: number;
  constructor(payload: Payload, offset: number) {
    this.payload = payload;
    this.offset = offset;
  }
}

/** In an audit: what an unknown symbol or a refused call left on the stack. */
export class Unknown {}
