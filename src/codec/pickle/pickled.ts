/**
 * What the pickle machine has on its stack besides plain values: symbols, dtypes, and arrays, which may still await their state.
 *
 * @module
 */
import type { DTypeInfo } from "../../dtype.ts";
import type { Layout } from "../../kernel.ts";
import type { PickledParts, Tuple, Value } from "../../values.ts";
import type { Payload } from "../cursor.ts";
import type { SymbolKind } from "./symbols.ts";

/** A symbol: two strings and the kind that the table gives them. It is inert. */
export class Token {
  readonly module: string;
  readonly name: string;
  readonly kind: SymbolKind;
  /** Offset of the opcode that named it. */
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

/** A numpy dtype. Arrays share it through the memo, so its state (the byte order) may come after them; the state is applied in place. */
export class PickledDType {
  /** As written: `f4`, `O8`, `U5`. */
  readonly code: string;
  /** The tensor dtype, or undefined for a kind that tensors cannot have. */
  readonly info: DTypeInfo | undefined;
  bigEndian = false;
  /** Whether its state was set. */
  built = false;
  /** Bytes per element. For kinds that tensors cannot have it comes from the code or the state; 0 if unknown. */
  itemsize: number;
  /** Unit of a date: `[D]`. */
  unit = "";
  /** For a kind that tensors cannot have, its state as in the file, from which the same dtype can be made again. */
  state: Tuple | null = null;
  constructor(code: string, info: DTypeInfo | undefined, itemsize: number) {
    this.code = code;
    this.info = info;
    this.itemsize = itemsize;
  }
  /** Whether each element is an array, as only those of a structure's field are. */
  get isSubarray(): boolean {
    return (this.state?.[2] ?? null) !== null;
  }
}

/** A buffer that holds the bytes of many arrays. */
export interface Slab {
  bytes: Uint8Array;
}

/** A numpy array: a shell after its `_reconstruct`, complete after its BUILD. */
export class PickledArray {
  declare dtype: PickledDType | null;
  declare shape: readonly number[];
  /** Whether the bytes are not in row-major order: they are in the order of `axes`, or column-major if that is null. */
  declare fortran: boolean;
  /** For each axis its position in memory order; 0 has the largest stride. */
  declare axes: readonly number[] | null;
  declare items: Value[] | null;
  /** File offset of `data` if requested (`locate`), else -1. */
  declare dataOffset: number;
  /** Something else has the same bytes object, so what is made from this array gets a copy. */
  declare sharesBytes: boolean;
  /** Of a Tensor that pickle wrote by itself; null for an array. */
  declare stopGradient: boolean | null;
  /** What was made from it, so that this happens only once. */
  declare made: unknown;
  /** Whether something was made from its bytes already. */
  declare isUsed: boolean;
  /** Offset at which errors about it are reported. */
  declare offset: number;
  /** Holds the bytes, from `start` on, until `data` is requested; null otherwise. */
  declare slab: Slab | null;
  declare start: number;
  /** The bytes, unless they are still in the slab. */
  declare own: Payload | null;

  // The fields are only declared: defining them first would cost another call, and there are many arrays.
  constructor(offset: number, dtype: PickledDType | null = null, shape: readonly number[] = [], fortran = false) {
    this.dtype = dtype;
    this.shape = shape;
    this.fortran = fortran;
    this.axes = null;
    this.items = null;
    this.dataOffset = -1;
    this.sharesBytes = false;
    this.stopGradient = null;
    this.made = undefined;
    this.isUsed = false;
    this.offset = offset;
    this.slab = null;
    this.start = -1;
    this.own = null;
  }

  /** Size in bytes, by dtype and shape. */
  get nbytes(): number {
    const { shape } = this;
    let size = this.dtype!.itemsize;
    for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
    return size;
  }

  /** The bytes, in the element order and byte order of the file; null for arrays of objects. */
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

/** The memory layout of an array that is not in row-major order, else null. */
export function layoutOf({ fortran, shape, dtype, axes }: PickledArray): Layout | null {
  return fortran && dtype ? { shape, itemsize: dtype.itemsize, axes } : null;
}

/** In an audit, the stack item left by an unknown symbol or a refused call. */
export class Unknown {
  readonly symbol: string;
  /** Null if the audit does not keep them. */
  readonly parts: PickledParts | null;
  constructor(symbol: string, parts: PickledParts | null) {
    this.symbol = symbol;
    this.parts = parts;
  }
}
