/**
 * The arrays of a value, by name.
 *
 * @module
 */
import { NDArray } from "../ndarray.ts";
import { SelectedRows, type Value } from "../values.ts";

/** Name of the only array of a file that is one. */
const ONLY = "";

/**
 * Every array below `root`, in file order. At the top of a dict the name is the key; deeper inside, the keys joined by dots
 * (`model.fc.weight`). Where two names would be equal, the later one gets its place (`["model"]["fc.weight"]`).
 */
export function namedArrays(root: Value): Map<string, NDArray> {
  const found = new Map<string, NDArray>();
  const seen = new Set<object>();
  const todo: { value: unknown; name: string; place: string }[] = [{ value: root, name: ONLY, place: "" }];
  while (todo.length > 0) {
    const { value, name, place } = todo.pop()!;
    if (value instanceof NDArray) {
      found.set(found.has(name) ? place : name || (value as { name?: string }).name || ONLY, value);
      continue;
    }
    if (value instanceof SelectedRows) {
      found.set(name, value.value);
      continue;
    }
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    const entries = value instanceof Map ? [...value] : Array.isArray(value) ? value.map((item, i) => [i, item]) : [];
    if (entries.length > 0) seen.add(value);
    // Last first, because the stack gives the last one back first.
    for (let i = entries.length - 1; i >= 0; i--) {
      const [key, item] = entries[i];
      if (typeof item !== "object" || item === null) continue;
      const step = String(key);
      todo.push({
        value: item,
        name: name === ONLY ? step : `${name}.${step}`,
        place: `${place}[${JSON.stringify(step)}]`,
      });
    }
  }
  return found;
}
