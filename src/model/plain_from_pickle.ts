/**
 * What a general pickle reader, without Paddle's conventions, makes of an unpickled object.
 *
 * @module
 */
import { Span } from "../codec/cursor.ts";
import { chargeCopy } from "../codec/pickle/array_ledger.ts";
import { rememberWritten } from "../codec/pickle/foreign_dtype.ts";
import { PickledArray, PickledDType } from "../codec/pickle/pickled.ts";
import type { Pickle } from "../codec/pickle/read_pickle.ts";
import type { Budget } from "../limits.ts";
import { NDArray } from "../ndarray.ts";
import { DTypeValue } from "../values.ts";
import { type ArrayContext, numpyArrayOf, numpyName } from "./array_of.ts";
import { atOnce } from "../words/steps.ts";
import { replaceIn } from "./walk.ts";

/** The value, in which every array is an NDArray, and pairs stay tuples. */
export function plainFromPickle(pickle: Pickle, context: ArrayContext): unknown {
  const shaper = new PlainShaper(context, pickle.budget);
  return atOnce(replaceIn(
    pickle.containers.all,
    pickle.root,
    (value) => value instanceof PickledArray ? shaper.array(value) : shaper.rest(value),
    () => false,
  ));
}

/** Makes arrays, one per object of the file. */
export class PlainShaper {
  readonly #context: ArrayContext;
  readonly #budget: Budget;
  /** Whether more than one value may be made from an array. */
  mayBeMore = false;

  /** `context` says how bytes become arrays; copies of bytes are charged to `budget`. */
  constructor(context: ArrayContext, budget: Budget) {
    this.#context = context;
    this.#budget = budget;
  }

  /** Convert an array. */
  array(array: PickledArray): unknown {
    if (array.made === undefined) {
      this.use(array, this.mayBeMore);
      const made = numpyArrayOf(array, this.#context);
      if (made instanceof NDArray) this.#context.onArray?.(made, array);
      array.made = made;
    }
    return array.made;
  }

  /** Convert any other leaf of a pickle; other values stay unchanged. */
  rest(value: unknown): unknown {
    if (value instanceof PickledDType) {
      const dtype = new DTypeValue(numpyName(value), false);
      if (value.state || value.bigEndian) rememberWritten(dtype, { dtype: value });
      return dtype;
    }
    if (value instanceof Span) return this.#context.lazy!(value, (bytes) => bytes, null);
    return value;
  }

  /**
   * Note that a value is made from an array's bytes. All values after the first get a copy of them, as in Python. If more may follow, the
   * first does not swap the bytes in place, either.
   */
  use(array: PickledArray, mayBeMore: boolean): void {
    if (array.isUsed) {
      array.sharesBytes = true;
      chargeCopy(this.#budget, array);
    } else {
      array.isUsed = true;
      if (mayBeMore && array.dtype!.bigEndian) array.sharesBytes = true;
    }
  }
}
