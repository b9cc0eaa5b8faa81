/**
 * The arrays of a value, by name.
 *
 * @module
 */
import { NDArray } from "../ndarray.ts";
import { SelectedRows, type Value } from "../values.ts";
import { atOnce, StepPace } from "../words/steps.ts";

/** Name of the only array of a file that is one. */
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
 * Every array below `root`, in file order. At the top of a dict the name is the key; deeper inside, the keys joined by dots
 * (`model.fc.weight`). Where two names would be equal, the later one gets its place (`["model"]["fc.weight"]`).
 */
export function namedArrays(root: Value): Map<string, NDArray> {
  return atOnce(namedArraysInSteps(root));
}

/** The same in steps, between which others may have a turn. */
export function* namedArraysInSteps(root: Value): Generator<void, Map<string, NDArray>> {
  const pace = new StepPace();
  const found = new Map<string, NDArray>();
  const seen = new Set<object>();
  const todo: Found[] = [{ value: root, name: ONLY, step: null }];
  while (todo.length > 0) {
    if (pace.isDue(2)) yield;
    const { value, name, step } = todo.pop()!;
    if (value instanceof NDArray) {
      found.set(found.has(name) ? placeOf(step) : name || (value as { name?: string }).name || ONLY, value);
    } else if (value instanceof SelectedRows) found.set(name, value.value);
    else if ((value instanceof Map || Array.isArray(value)) && !seen.has(value)) {
      const inside = yield* entriesOf(value, name, step, pace);
      if (inside.length > 0) seen.add(value);
      // Last first, because the stack gives the last one back first.
      for (let i = inside.length - 1; i >= 0; i--) todo.push(inside[i]);
    }
  }
  return found;
}

/** What lies in a container and may be an array or hold one. */
function* entriesOf(
  container: Map<unknown, unknown> | unknown[],
  name: string,
  before: Step | null,
  pace: StepPace,
): Generator<void, Found[]> {
  const entries: Found[] = [];
  // Not pairs: that makes a list of each.
  for (const at of container.keys()) {
    if (pace.isDue(2)) yield;
    const value = Array.isArray(container) ? container[at as number] : container.get(at);
    if (typeof value !== "object" || value === null) continue;
    const key = String(at);
    entries.push({ value, name: name === ONLY ? key : `${name}.${key}`, step: { key, before } });
  }
  return entries;
}

function placeOf(step: Step | null): string {
  const steps: string[] = [];
  for (let at = step; at !== null; at = at.before) steps.push(`[${JSON.stringify(at.key)}]`);
  return steps.reverse().join("");
}
