/**
 * What a run of array opcodes puts into the memo beside the array: nearly always nobody asks for it, so it is made only then.
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
 * `(0,)`, the arguments of `_reconstruct`, the shape, the text that stands for the bytes, the arguments of its `_codecs.encode`, the bytes, the
 * array's state.
 */
type RunPart = "zero" | "args" | "shape" | "text" | "encode" | "data" | "state";

/** In the memo in place of a part of a run. */
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
const REACH = 5;

/** Makes them. */
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

  /** Make the part that the entry `index` of the memo stands for. */
  make(index: number, { part, toArray }: UnmadePart): unknown {
    const made = this.#partOf(this.#memo.get(index + toArray) as PickledArray, part);
    this.#memo.set(index, made);
    return made;
  }

  /** Before an entry of the memo is replaced: parts near it may find their array there. */
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
