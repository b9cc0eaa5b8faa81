/**
 * Walks values without recursion, visiting shared structure once (RULES.md LIM-3, LIM-4).
 *
 * @module
 */
import { OpaqueArray, OrderedDict, partsOfObject, PickledObject, PythonRecord } from "../values.ts";
import type { Container } from "../codec/pickle/nesting.ts";
import { keyStep } from "../codec/pickle/object_path.ts";
import { isPlainObject } from "../words/plain_object.ts";
import { atOnce, STEP, StepPace } from "../words/steps.ts";

/** The container in a value: a list, tuple, dict or set itself; the fields of a record; the items of an array of objects. */
function containerOf(value: unknown): Container | null {
  if (typeof value !== "object" || value === null) return null;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return value;
  if (value instanceof OpaqueArray) return value.items as unknown[] | null;
  if (value instanceof PickledObject) return partsOfObject(value);
  return value instanceof PythonRecord ? value.fields : null;
}

function* childrenOf(container: Container): Generator<unknown> {
  yield* Array.isArray(container) || container instanceof Set ? container : container.values();
  if (container instanceof OrderedDict && container.attributes) yield container.attributes;
}

/** The containers in `root`, or `root` itself, in which `test` holds for some value, however deep. */
export function holdersOf(root: unknown, test: (value: unknown) => boolean): ReadonlySet<object> {
  const holders = new Set<Container>(), parents = new Map<Container, Container[]>();
  const first = containerOf(root);
  const todo = first ? [first] : [];
  if (first) parents.set(first, []);
  while (todo.length > 0) {
    const container = todo.pop()!;
    for (const child of childrenOf(container)) {
      if (test(child)) holders.add(container);
      const inner = containerOf(child);
      if (!inner) continue;
      const known = parents.get(inner);
      if (!known) {
        parents.set(inner, [container]);
        todo.push(inner);
      } else if (known.at(-1) !== container) known.push(container);
    }
  }
  // A Set also iterates over what is added meanwhile.
  for (const holder of holders) for (const parent of parents.get(holder)!) holders.add(parent);
  return holders;
}

/**
 * Whether `test` holds for some value in `root` or `root` itself, in steps, between which other work may run; `into` says which containers
 * are searched.
 */
export function* someInSteps(
  root: unknown,
  test: (value: unknown) => boolean,
  into: (container: object) => boolean,
): Generator<void, boolean> {
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
  let looked = 0;
  while (todo.length > 0) {
    if (++looked % STEP === 0) yield;
    for (const child of childrenOf(todo.pop()!)) {
      if (++looked % STEP === 0) yield;
      if (test(child)) return true;
      visit(child);
    }
  }
  return false;
}

/**
 * Whether `test` holds for some object in `root` (or `root` itself), a value given by a caller: searches dicts, plain objects, lists and
 * tuples, in steps.
 */
export function* someGivenInSteps(root: unknown, test: (value: object) => boolean): Generator<void, boolean> {
  const seen = new Set<object>();
  const todo: object[] = [];
  const visit = (value: unknown) => {
    if (typeof value === "object" && value !== null) todo.push(value);
  };
  visit(root);
  const pace = new StepPace();
  while (todo.length > 0) {
    const value = todo.pop()!;
    if (test(value)) return true;
    if (seen.has(value)) continue;
    seen.add(value);
    for (const member of membersGiven(value)) {
      if (pace.isDue(1)) yield;
      visit(member);
    }
  }
  return false;
}

function membersGiven(value: object): Iterable<unknown> {
  if (value instanceof Map) return value.values();
  return Array.isArray(value) ? value : isPlainObject(value) ? valuesOf(value) : [];
}

/** Values of an object, one by one: for a large object `Object.values` takes several times as long as `Object.keys`. */
function* valuesOf(object: object): Generator<unknown> {
  for (const key of Object.keys(object)) yield (object as Record<string, unknown>)[key];
}

/** Stands for no key: the value is the root, or the attributes of a dict. */
export const NO_KEY: unique symbol = Symbol();

/**
 * Returns the replacement of a value, or the value itself if it stays. `at` is the path of its container (no longer updated after many
 * containers), `key` its key or index there.
 */
export type Replace = (value: unknown, at: string, key: unknown) => unknown;

/**
 * Replace leaves within their containers, which are modified in place; returns the replacement of the root. `replace` returns the same
 * value if that stays; of its replacements, only arrays of objects are walked into.
 */
export function replaceLeaves(root: unknown, replace: Replace): unknown {
  return atOnce(replaceLeavesInSteps(root, replace));
}

/** {@linkcode replaceLeaves} in steps, between which other work may run. */
export function* replaceLeavesInSteps(root: unknown, replace: Replace): Generator<void, unknown> {
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
  const pace = new StepPace();
  while (todo.length > 0) {
    const { container, at } = todo.pop()!;
    yield* replaceMembers(container, (value, key) => visit(value, at, key), pace);
  }
  return result;
}

/**
 * {@linkcode replaceLeaves} for when all containers are known: walks each of them except those for which `isLeaf` holds, without a search,
 * in steps. Here `at` only tells whether the container is the root (`""`) or not.
 */
export function* replaceIn(
  all: readonly Container[],
  root: unknown,
  replace: Replace,
  isLeaf: (container: Container) => boolean,
): Generator<void, unknown> {
  const result = replace(root, "", NO_KEY);
  if (result !== root && !(result instanceof OpaqueArray)) return result;
  const pace = new StepPace();
  const inside = (value: unknown, key: unknown) => replace(value, "?", key);
  for (const container of all) {
    if (isLeaf(container)) continue;
    const change = container === root ? (value: unknown, key: unknown) => replace(value, "", key) : inside;
    // A generator for every small container would cost more than the work itself.
    if (sizeOf(container) > STEP) yield* replaceMany(container, change);
    else {
      if (pace.isDue(1 + sizeOf(container))) yield;
      replaceFew(container, change);
    }
    replaceAttributes(container, change);
  }
  return result;
}

/** Replace members of one container. */
function* replaceMembers(
  container: Container,
  change: (value: unknown, key: unknown) => unknown,
  pace: StepPace,
): Generator<void, void> {
  const size = sizeOf(container);
  if (size <= STEP) {
    if (pace.isDue(1 + size)) yield;
    replaceFew(container, change);
  } else yield* replaceMany(container, change);
  replaceAttributes(container, change);
}

function sizeOf(container: Container): number {
  return Array.isArray(container) ? container.length : container.size;
}

function replaceAttributes(container: Container, change: (value: unknown, key: unknown) => unknown): void {
  if (container instanceof OrderedDict && container.attributes) change(container.attributes, NO_KEY);
}

function replaceFew(container: Container, change: (value: unknown, key: unknown) => unknown): void {
  if (Array.isArray(container)) {
    for (let i = 0; i < container.length; i++) {
      const value = container[i];
      if (isPlain(value)) continue;
      const other = change(value, i);
      if (other !== value) container[i] = other;
    }
  } else if (container.size === 0) return;
  else if (container instanceof Map) {
    // Not for...of: that creates an array per entry.
    container.forEach((value, key) => {
      if (isPlain(value)) return;
      const other = change(value, key);
      if (other !== value) container.set(key, other);
    });
  } else {
    const members = [...container];
    putMembers(container, members, members.map((member, i) => change(member, i)));
  }
}

/** {@linkcode replaceFew} for large containers, in steps. */
function* replaceMany(
  container: Container,
  change: (value: unknown, key: unknown) => unknown,
): Generator<void, void> {
  const members = Array.isArray(container) ? container : [...container.keys()];
  if (container instanceof Set) {
    const others: unknown[] = [];
    for (const member of members) {
      others.push(change(member, others.length));
      if (others.length % STEP === 0) yield;
    }
    return putMembers(container, members, others);
  }
  for (let i = 0; i < members.length; i++) {
    if (i % STEP === 0) yield;
    const key = Array.isArray(container) ? i : members[i];
    const value = Array.isArray(container) ? container[i] : container.get(key);
    if (isPlain(value)) continue;
    const other = change(value, key);
    if (other === value) continue;
    if (Array.isArray(container)) container[i] = other;
    else container.set(key, other);
  }
}

function putMembers(set: Set<unknown>, members: readonly unknown[], others: readonly unknown[]): void {
  if (others.every((other, i) => other === members[i])) return;
  set.clear();
  for (const other of others) set.add(other);
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}
