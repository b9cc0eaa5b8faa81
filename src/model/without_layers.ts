/**
 * Replaces Layers inside a value to be saved.
 *
 * @module
 */
import { isPlainObject, mapOfObject } from "../words/plain_object.ts";
import { carryFloats } from "../words/floats.ts";
import { DefaultDict, OrderedDict, Tuple } from "../values.ts";
import { isOwnContainer } from "./check_value.ts";
import { someGivenInSteps } from "./walk.ts";
import { StepPace } from "../words/steps.ts";

/** What identifies a Layer here, below the module of the class: a state dict but, unlike in optimizers and schedulers, no `step`. */
interface LayerLike {
  stateDict(): Map<unknown, unknown>;
}

function isLayer(value: unknown): value is LayerLike {
  return typeof value === "object" && value !== null && "stateDict" in value && typeof value.stateDict === "function" &&
    !(value instanceof Map) && !("step" in value);
}

/**
 * Replaces Layers by their state dicts, which every version of Paddle loads, in steps between which other work may run. If there are any, the
 * containers are copied.
 */
export function* withoutLayersInSteps(root: unknown): Generator<void, unknown> {
  if (isLayer(root)) return root.stateDict();
  const made = new Map<unknown, unknown>();
  const todo: [unknown, unknown][] = [];
  const pace = new StepPace();
  if (!(yield* someGivenInSteps(root, isLayer))) return root;
  const copyOf = (value: unknown): unknown => {
    let copy = made.get(value);
    if (copy === undefined && isLayer(value)) made.set(value, copy = value.stateDict());
    if (copy === undefined) {
      copy = emptyLike(value);
      if (copy === null) return value;
      made.set(value, copy);
      todo.push([value, copy]);
    }
    return copy;
  };
  const result = copyOf(root);
  while (todo.length > 0) {
    const [from, to] = todo.pop()!;
    const entries = from instanceof Map
      ? from
      : Array.isArray(from)
      ? from.entries()
      : yield* mapOfObject(from as object);
    for (const [key, value] of entries) {
      if (pace.isDue(1)) yield;
      carryFloats(from as object, to as object, key, value);
      if (to instanceof Map) to.set(key, copyOf(value));
      else (to as unknown[]).push(copyOf(value));
    }
  }
  return result;
}

/**
 * An empty container of the same kind, with the attributes of an OrderedDict; null for anything else, or for a container whose class cannot
 * be saved anyway.
 */
export function emptyLike(value: unknown): Map<unknown, unknown> | unknown[] | null {
  if (isPlainObject(value)) return new Map();
  if (!isOwnContainer(value)) return null;
  if (value instanceof OrderedDict) {
    const dict = new OrderedDict();
    dict.attributes = value.attributes;
    return dict;
  }
  if (value instanceof DefaultDict) {
    const dict = new DefaultDict();
    dict.factory = value.factory;
    return dict;
  }
  if (value instanceof Map) return new Map();
  if (value instanceof Tuple) return new Tuple();
  return Array.isArray(value) ? [] : null;
}
