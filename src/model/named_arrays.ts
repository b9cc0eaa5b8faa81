/**
 * Lists the arrays in a value by name.
 *
 * @module
 */
import { Budget, UNLIMITED } from "../limits.ts";
import { NDArray } from "../ndarray.ts";
import { SelectedRows, type Value } from "../values.ts";
import { keyName } from "./key_name.ts";
import { atOnce, StepPace } from "../words/steps.ts";

/** Name of the array if the file consists of only one. */
const ONLY = "";

/** A key on the way to a value, and the keys before it. */
interface Step {
  readonly key: string;
  readonly before: Step | null;
}

interface Found {
  readonly value: unknown;
  readonly name: string;
  readonly step: Step | null;
}

/**
 * Every array below `root`, in file order. The name is the key in the root dict or, deeper inside, all keys joined by dots
 * (`model.fc.weight`). If two names would be equal, the later array gets its path instead (`["model"]["fc.weight"]`), with a number if that
 * is taken, too.
 */
export function namedArrays(root: Value): Map<string, NDArray> {
  return atOnce(namedArraysInSteps(root));
}

/** {@linkcode namedArrays} in steps, between which other work may run; the names are charged as structure. */
export function* namedArraysInSteps(root: Value, limits = UNLIMITED): Generator<void, Map<string, NDArray>> {
  const budget = new Budget(limits);
  const pace = new StepPace();
  const found = new Map<string, NDArray>(), times = new Map<string, number>();
  const seen = new Set<object>();
  const todo: Found[] = [{ value: root, name: ONLY, step: null }];
  while (todo.length > 0) {
    if (pace.isDue(2)) yield;
    const { value, name, step } = todo.pop()!;
    const array = value instanceof SelectedRows ? value.value : value;
    if (array instanceof NDArray) {
      const own = step === null ? (value as { name?: string }).name || ONLY : name;
      // Each array has the keys above it in its name: a small file can ask for names that no memory holds.
      budget.charge(own.length, 0);
      found.set(found.has(own) ? freePath(found, pathOf(step), times) : own, array);
    } else if ((value instanceof Map || Array.isArray(value)) && !seen.has(value)) {
      const inside = yield* entriesOf(value, name, step, pace);
      if (inside.length > 0 || sizeOf(value) > MOST_AGAIN) seen.add(value);
      // In reverse, because the stack is last in, first out.
      for (let i = inside.length - 1; i >= 0; i--) todo.push(inside[i]);
    }
  }
  return found;
}

/** Containers up to this size are looked through again rather than remembered if nothing is in them, as most are small. */
const MOST_AGAIN = 16;

function sizeOf(container: Map<unknown, unknown> | unknown[]): number {
  return Array.isArray(container) ? container.length : container.size;
}

/** The members of a container that may be or contain arrays. */
function* entriesOf(
  container: Map<unknown, unknown> | unknown[],
  name: string,
  before: Step | null,
  pace: StepPace,
): Generator<void, Found[]> {
  const entries: Found[] = [];
  // Not entries(): that creates an array per entry.
  for (const at of container.keys()) {
    if (pace.isDue(2)) yield;
    const value = Array.isArray(container) ? container[at as number] : container.get(at);
    if (typeof value !== "object" || value === null) continue;
    const key = keyName(at);
    entries.push({ value, name: before === null ? key : `${name}.${key}`, step: { key, before } });
  }
  return entries;
}

/**
 * A path that no array has yet. Keys of different types may give the same path, as 1 and "1" do: these become `["1"]`, `["1"]#2` and so
 * on. `times` has the last number given to each path.
 */
function freePath(found: ReadonlyMap<string, NDArray>, path: string, times: Map<string, number>): string {
  let own = path;
  while (found.has(own)) {
    const time = (times.get(path) ?? 1) + 1;
    times.set(path, time);
    own = `${path}#${time}`;
  }
  return own;
}

function pathOf(step: Step | null): string {
  const steps: string[] = [];
  for (let at = step; at !== null; at = at.before) steps.push(`[${JSON.stringify(at.key)}]`);
  return steps.reverse().join("");
}
