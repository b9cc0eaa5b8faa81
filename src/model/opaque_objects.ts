/**
 * What an audit that keeps unknown symbols makes of them (RULES.md PKL-11).
 *
 * @module
 */
import { ByteText, spelledOut } from "../codec/pickle/byte_text.ts";
import { PickledArray, Token, Unknown } from "../codec/pickle/pickled.ts";
import type { Pickle } from "../codec/pickle/read_pickle.ts";
import { Float, PickledObject, type PickledParts } from "../values.ts";
import { replaceIn } from "./walk.ts";

/**
 * Put a PickledObject in the place of all that is not plain data: objects, symbols used as values, and arrays without a dtype. The pickle is
 * modified, in steps.
 */
export function* opaqueObjectsIn(pickle: Pickle): Generator<void, void> {
  const made = new Map<object, PickledObject>();
  const objectOf = (value: object, symbol: string, parts?: PickledParts | null): PickledObject => {
    let object = made.get(value);
    if (!object) made.set(value, object = new PickledObject(symbol, parts ?? undefined));
    return object;
  };
  const replace = (value: unknown): unknown => {
    if (value instanceof Unknown) return objectOf(value, value.symbol, value.parts);
    if (value instanceof Token) return objectOf(value, value.symbol);
    // A state or argument by itself is still as it was on the stack.
    if (value instanceof Float) return value.value;
    if (value instanceof ByteText) return spelledOut(value);
    if (!(value instanceof PickledArray) || value.dtype !== null) return value;
    return objectOf(value, "numpy.ndarray", value.items as PickledParts | null);
  };
  // The root by itself: replaceIn looks into no other container once the root is replaced.
  yield* replaceIn(pickle.containers.all, null, replace, () => false);
  pickle.root = replace(pickle.root);
}
