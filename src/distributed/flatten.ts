/**
 * Flattens a nested state dict to a single level, as in Paddle's distributed checkpoints: keys joined by dots.
 *
 * @module
 */
import { quote, ValueError } from "../errors.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { NDArray } from "../ndarray.ts";
import type { Value } from "../values.ts";

/** An array, and the keys that lead to it. */
export interface Leaf {
  array: NDArray;
  path: readonly string[];
}

/**
 * The arrays in `root`, in order.
 *
 * @throws {ValueError} `INVALID_VALUE`: something is neither an array nor a dict with string keys; `CYCLE`;
 *   `NAME_COLLISION`: two names become the same
 */
export function flatten(root: ReadonlyMap<string, Value>): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  const rest: { value: Value; path: string[] }[] = [{ value: root, path: [] }];
  for (let item = rest.pop(); item; item = rest.pop()) {
    const { value, path } = item, name = path.join(".");
    if (path.length > DEFAULT_LIMITS.maxDepth) {
      throw new ValueError("CYCLE", "The state dict contains itself or is nested too deeply");
    }
    if (value instanceof NDArray) {
      if (leaves.has(name)) throw new ValueError("NAME_COLLISION", `Two tensors become ${quote(name)}`, { at: name });
      leaves.set(name, { array: value, path });
    } else if (value instanceof Map) {
      for (const [key, below] of [...value].reverse()) {
        if (typeof key !== "string") throw invalid(path.concat(String(key)));
        rest.push({ value: below, path: [...path, key] });
      }
    } else throw invalid(path);
  }
  return leaves;
}

function invalid(path: readonly string[]): ValueError {
  const at = path.join(".");
  return new ValueError(
    "INVALID_VALUE",
    `A distributed checkpoint holds tensors in dicts with string keys: ${quote(at)} is not one`,
    { at },
  );
}
