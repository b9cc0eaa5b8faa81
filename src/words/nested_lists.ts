/**
 * Converts nested lists to a shape and elements.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import type { ArrayInput, Scalar } from "../ndarray.ts";
import { dtypeOfArray } from "./typed_view.ts";
import { Complex, type Float } from "../values.ts";

type Leaf = Scalar | Float;

/**
 * Nested lists as a shape and its elements, and the dtype of typed arrays in them, if they agree; works level by level instead of
 * recursively, as the caller chooses the depth.
 */
export function flatten(nested: ArrayInput): { shape: number[]; leaves: ArrayLike<Leaf>; dtype: DType | undefined } {
  checkLists(nested);
  const shape: number[] = [];
  let row: unknown;
  let level: ArrayLike<ArrayInput> = [nested];
  for (;;) {
    const first = level[0];
    if (!isList(first)) break;
    const length = first.length;
    row = first;
    if (level.length === 1) {
      level = first as ArrayLike<ArrayInput>;
    } else {
      const next: ArrayInput[] = [];
      for (let i = 0; i < level.length; i++) {
        const list = level[i];
        if (!isList(list) || list.length !== length) throw ragged(shape.length);
        if (list.constructor !== first.constructor) row = null;
        for (let k = 0; k < length; k++) next.push(list[k]);
      }
      level = next;
    }
    shape.push(length);
  }
  for (let i = 1; i < level.length; i++) if (isList(level[i])) throw ragged(shape.length);
  const dtype = ArrayBuffer.isView(row) ? dtypeOfArray(row) : undefined;
  return { shape, leaves: level as ArrayLike<Leaf>, dtype };
}

/** Refuse lists that contain themselves, or that have too many elements, as a few lists can if one occurs in another repeatedly. */
function checkLists(nested: ArrayInput): void {
  const seen = new Set<unknown>();
  let size = 1;
  for (let list: unknown = nested; isList(list); list = list[0]) {
    size *= list.length;
    if (seen.has(list)) throw new ValueError("CYCLE", "A list that contains itself cannot become an array");
    seen.add(list);
  }
  if (size > MAX_LIST) throw new ValueError("INVALID_VALUE", `${size} elements are more than a list can hold`);
}

/** Maximum length of a JavaScript array. */
const MAX_LIST = 2 ** 32 - 1;

function isList(x: unknown): x is ArrayLike<ArrayInput> {
  return Array.isArray(x) || (ArrayBuffer.isView(x) && !(x instanceof DataView));
}

function ragged(axis: number): ValueError {
  return new ValueError("INVALID_VALUE", `The lists on axis ${axis} differ in length`);
}

/** A dtype that can hold all elements, which are not in typed arrays of one kind. */
export function dtypeOf(leaves: ArrayLike<Leaf>): DType {
  let dtype: DType = leaves.length > 0 ? "bool" : "float32";
  for (let i = 0; i < leaves.length; i++) {
    const leaf = leaves[i];
    if (leaf instanceof Complex) return "complex64";
    if (typeof leaf === "boolean") continue;
    if (typeof leaf !== "bigint") dtype = "float32";
    else if (dtype === "bool") dtype = "int64";
  }
  return dtype;
}
