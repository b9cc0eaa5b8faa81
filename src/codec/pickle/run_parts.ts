/**
 * What a run of array opcodes memoizes besides the array. It is hardly ever fetched, so it is only made on demand.
 *
 * @module
 */
import { Tuple } from "../../values.ts";
import type { ArrayLedger } from "./array_ledger.ts";
import { ByteText } from "./byte_text.ts";
import type { Memo } from "./memo.ts";
import type { PickledArray, Token } from "./pickled.ts";
import type { SymbolGuard } from "./symbol_guard.ts";

/**
 * `(0,)`, the arguments of `_reconstruct`, the shape, the string that encodes the bytes, the arguments of its `_codecs.encode`, the bytes,
 * the array's state.
 */
type RunPart = "zero" | "args" | "shape" | "text" | "encode" | "data" | "state";

/** Takes the place of a part of a run in the memo. */
export class UnmadePart {
  readonly part: RunPart;
  /** Distance from its memo index to that of the array. */
  readonly toArray: number;
  constructor(part: RunPart, toArray: number) {
    this.part = part;
    this.toArray = toArray;
  }
}

/** Maximum distance between the memo indices of a part and its array. */
const REACH = 5;

/** Makes the parts on demand. */
export class RunParts {
  /** The class that all runs name. */
  cls: Token | null = null;
  readonly #memo: Memo;
  readonly #arrays: ArrayLedger;
  readonly #symbols: SymbolGuard;

  constructor(memo: Memo, arrays: ArrayLedger, symbols: SymbolGuard) {
    this.#memo = memo;
    this.#arrays = arrays;
    this.#symbols = symbols;
  }

  /** Make the part that memo entry `index` stands for. */
  make(index: number, { part, toArray }: UnmadePart): unknown {
    const made = this.#partOf(this.#memo.get(index + toArray) as PickledArray, part);
    this.#memo.set(index, made);
    return made;
  }

  /** To be called before memo entry `index` is replaced: makes the parts near it, whose array may be that entry. */
  makeNear(index: number): void {
    for (let near = Math.max(0, index - REACH); near <= index + REACH; near++) {
      const value = this.#memo.get(near);
      if (value instanceof UnmadePart) this.make(near, value);
    }
  }

  #textOf(array: PickledArray): ByteText {
    return new ByteText(this.#arrays.shareBytes(array), array.offset);
  }

  #partOf(array: PickledArray, part: RunPart): unknown {
    switch (part) {
      case "zero":
        return Tuple.of<unknown>(0);
      case "shape":
        return Tuple.from(array.shape);
      case "text":
        return this.#textOf(array);
      case "encode":
        return Tuple.of<unknown>(this.#textOf(array), "latin1");
      case "data":
        return this.#arrays.shareBytes(array);
      case "state":
        return Tuple.of<unknown>(
          1,
          Tuple.from(array.shape),
          array.dtype,
          array.fortran,
          this.#arrays.shareBytes(array),
        );
      case "args": {
        const args = Tuple.of<unknown>(this.cls, Tuple.of<unknown>(0), Uint8Array.of(0x62));
        this.#symbols.taint(args, this.cls!);
        return args;
      }
    }
  }
}
