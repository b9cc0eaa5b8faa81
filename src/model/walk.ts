/**
 * Walks over values: without recursion, and over shared structure once (hardening H-LIM-3, H-LIM-4).
 *
 * @module
 */
import { OpaqueArray, OrderedDict, PythonRecord } from "../values.ts";
import type { Container } from "../codec/pickle/nesting.ts";
import { keyStep } from "../codec/pickle/place.ts";

/** The container inside a value: a list, tuple, dict or set itself; the fields of a record; the items of an array of objects. */
function containerOf(value: unknown): Container | null {
  if (typeof value !== "object" || value === null) return null;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return value;
  if (value instanceof OpaqueArray) return value.items as unknown[] | null;
  return value instanceof PythonRecord ? value.fields : null;
}

function* childrenOf(container: Container): Generator<unknown> {
  yield* Array.isArray(container) || container instanceof Set ? container : container.values();
  if (container instanceof OrderedDict && container.attributes) yield container.attributes;
}

/** Whether `test` holds for some value below (and including) `root`; `into` says which containers are looked into. */
export function some(root: unknown, test: (value: unknown) => boolean, into: (container: object) => boolean): boolean {
  if (test(root)) return true;
  const seen = new Set<Container>();
  const todo: Container[] = [];
  const visit = (value: unknown) => {
    const container = containerOf(value);
    if (container && !seen.has(container) && into(container)) {
      seen.add(container);
      todo.push(container);
    }
  };
  visit(root);
  while (todo.length > 0) {
    for (const child of childrenOf(todo.pop()!)) {
      if (test(child)) return true;
      visit(child);
    }
  }
  return false;
}

/** No key: the value is the root, or the attributes of a dict. */
export const NO_KEY: unique symbol = Symbol();

/**
 * What takes the place of a value; the value itself where it stays. `at` is the place of the container that holds it, as long as few
 * containers were met, `key` its key or index there.
 */
export type Replace = (value: unknown, at: string, key: unknown) => unknown;

/**
 * Put other values in place of leaves, inside the containers that hold them; what is given for the root is returned. `replace` gives the
 * same value back for what stays; of what it puts in place, only arrays of objects are looked into.
 */
export function replaceLeaves(root: unknown, replace: Replace): unknown {
  const result = replace(root, "", NO_KEY);
  if (result !== root && !(result instanceof OpaqueArray)) return result;
  const first = containerOf(result);
  if (!first) return result;
  const seen = new Set<Container>([first]);
  const todo: { container: Container; at: string }[] = [{ container: first, at: "" }];
  const visit = (value: unknown, at: string, key: unknown): unknown => {
    const other = replace(value, at, key);
    if (other === value || other instanceof OpaqueArray) {
      const container = containerOf(other);
      if (container && !seen.has(container)) {
        seen.add(container);
        todo.push({ container, at: seen.size < 1000 && key !== NO_KEY ? at + keyStep(key) : at });
      }
    }
    return other;
  };
  while (todo.length > 0) {
    const { container, at } = todo.pop()!;
    replaceMembers(container, (value, key) => visit(value, at, key));
  }
  return result;
}

/** What a generator gives at its end: for who has no turns to give. */
export function atOnce<T>(steps: Generator<void, T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Members that are looked at between two steps. */
const STEP = 16_384;

/**
 * The same, where all containers are known: each but those that `isLeaf` are looked into, without a search, in steps. `at` is no more
 * than whether the value stands in the root.
 */
export function* replaceIn(
  all: readonly Container[],
  root: unknown,
  replace: Replace,
  isLeaf: (container: Container) => boolean,
): Generator<void, unknown> {
  const result = replace(root, "", NO_KEY);
  if (result !== root && !(result instanceof OpaqueArray)) return result;
  let looked = 0;
  for (const container of all) {
    if (isLeaf(container)) continue;
    looked += 1 + (Array.isArray(container) ? container.length : container.size);
    if (looked >= STEP) {
      looked = 0;
      yield;
    }
    const at = container === root ? "" : "?";
    replaceMembers(container, (value, key) => replace(value, at, key));
  }
  return result;
}

/** Put other values in place of the members of one container. */
function replaceMembers(container: Container, change: (value: unknown, key: unknown) => unknown): void {
  if (Array.isArray(container)) {
    for (let i = 0; i < container.length; i++) {
      const value = container[i];
      if (isPlain(value)) continue;
      const other = change(value, i);
      if (other !== value) container[i] = other;
    }
  } else if (container instanceof Map) {
    // Not for...of: that makes a list of every pair.
    container.forEach((value, key) => {
      if (isPlain(value)) return;
      const other = change(value, key);
      if (other !== value) container.set(key, other);
    });
    if (container instanceof OrderedDict && container.attributes) change(container.attributes, NO_KEY);
  } else {
    const members = [...container];
    const others = members.map((member, i) => change(member, i));
    if (others.some((other, i) => other !== members[i])) {
      container.clear();
      for (const other of others) container.add(other);
    }
  }
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}
