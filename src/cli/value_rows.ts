/**
 * Lists the contents of a value row by row, and looks up names in it.
 *
 * @module
 */
import { keyName } from "../model/key_name.ts";
import { holdersOf } from "../model/walk.ts";
import { NDArray } from "../ndarray.ts";
import { PythonRecord, SelectedRows, type Value } from "../values.ts";
import { isFloatAt, isFloatKeyAt, typeText, valueText } from "./value_text.ts";

/** An array, or another value. */
export interface Row {
  /** Keys joined by dots, as in `Checkpoint.names`. */
  readonly name: string;
  /** The keys one by one, in brackets: those of other rows may join to the same name. */
  readonly path: string;
  readonly value: Value;
  /** Whether a number was a float in the file. */
  readonly isFloat: boolean;
  /** What the array has the selected rows of. */
  readonly selected?: SelectedRows;
  /** Python's types of the keys, joined by dots; `index` in a list. The keys 1 and "1" make the same name. */
  readonly keyTypes: string;
}

/** Every array and every other value in `root`, in file order; a list without arrays is one row. `arrays` has the names of the arrays. */
export function* rowsOf(root: Value, arrays: ReadonlyMap<string, NDArray>, base = ""): Generator<Row> {
  const names = new Set(arrays.keys()), seen = new Set<object>(), times = new Map<string, number>();
  const holders = holdersOf(root, (item) => item instanceof NDArray);
  const todo: { value: Value; name: string; path: string; isFloat: boolean; keyTypes: string }[] = [
    { value: root, name: base, path: "", isFloat: false, keyTypes: "" },
  ];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    const { value, name, path, isFloat, keyTypes } = item;
    const array = value instanceof SelectedRows ? value.value : value;
    if (array instanceof NDArray) {
      // If the name is taken, namedArrays names the second array by its path, and numbers those after it.
      const time = times.get(path) ?? 1;
      const own = [name, path, `${path}#${time + 1}`].find((free) => names.delete(free));
      if (own !== name) times.set(path, own === path ? 1 : time + 1);
      const selected = value instanceof SelectedRows ? value : undefined;
      yield {
        name: own ?? (array as { name?: string }).name ?? name,
        path,
        value: array,
        isFloat: false,
        selected,
        keyTypes,
      };
      continue;
    }
    const entries = entriesOf(value);
    if (!entries || entries.length === 0 || seen.has(value as object) || isFlat(value, holders)) {
      yield { name, path, value, isFloat, keyTypes };
      continue;
    }
    seen.add(value as object);
    const container = containerOf(value)!;
    for (let i = entries.length - 1; i >= 0; i--) {
      const [key, element] = entries[i];
      const keyType = Array.isArray(container) ? "index" : typeText(key, isFloatKeyAt(container, key));
      const step = stepOf([key, element]);
      todo.push({
        value: element,
        name: path === "" && base === "" ? step : `${name}.${step}`,
        path: `${path}[${JSON.stringify(step)}]`,
        isFloat: isFloatAt(container, key, element),
        keyTypes: keyTypes === "" ? keyType : `${keyTypes}.${keyType}`,
      });
    }
  }
}

/** A value, and what contains it. */
export interface Found {
  readonly value: Value;
  /** The dict or list that contains it; null for the whole value. */
  readonly container: Map<unknown, unknown> | unknown[] | null;
  readonly key: unknown;
  /** The part of the name before the key. */
  readonly prefix: string;
}

/** The value that `name` refers to in `root`: keys joined by dots, which may contain dots themselves; null if there is none. */
export function findValue(root: Value, name: string): Found | null {
  const todo: Found[] = [{ value: root, container: null, key: null, prefix: "" }];
  const rests = [name];
  // Every step consumes a part of the name, so this ends even if a value contains itself.
  for (let found = todo.pop(); found !== undefined; found = todo.pop()) {
    const rest = rests.pop()!;
    if (rest === "" && found.container) return found;
    const container = containerOf(found.value);
    if (!container) continue;
    const done = name.slice(0, name.length - rest.length);
    for (const [key, value] of candidates(container, rest)) {
      const step = stepOf([key, value]);
      todo.push({ value, container, key, prefix: done });
      rests.push(rest.slice(step.length + 1));
    }
  }
  return null;
}

/** Entries whose key is what `rest` starts with, the longest key last. */
function candidates(container: Map<unknown, unknown> | unknown[], rest: string): [unknown, unknown][] {
  if (Array.isArray(container)) {
    const index = /^(0|[1-9][0-9]{0,9})(\.|$)/.exec(rest);
    return index && Number(index[1]) < container.length ? [[Number(index[1]), container[Number(index[1])]]] : [];
  }
  return [...container].filter((entry) => {
    const step = stepOf(entry);
    return rest === step || (rest.startsWith(step) && rest[step.length] === ".");
  }).sort((a, b) => stepOf(a).length - stepOf(b).length);
}

/** A key as a part of a name, as in `Checkpoint.names`. The keys of plain values are spelled out: a distributed checkpoint's are records. */
function stepOf([key, value]: readonly [unknown, unknown]): string {
  const isSpelledOut = typeof value !== "object" && (key instanceof PythonRecord || key instanceof Set);
  return isSpelledOut ? valueText(key) : keyName(key);
}

function containerOf(value: Value): Map<unknown, unknown> | unknown[] | null {
  if (value instanceof Map || Array.isArray(value)) return value;
  return value instanceof PythonRecord ? value.fields : null;
}

function entriesOf(value: Value): [unknown, unknown][] | null {
  const container = containerOf(value);
  return container ? [...container.entries()] : null;
}

/** Whether a value is a list without arrays: its elements read better in one row. */
function isFlat(value: Value, holders: ReadonlySet<object>): boolean {
  return Array.isArray(value) && !holders.has(value);
}
