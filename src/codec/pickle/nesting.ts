/**
 * How deep a pickle's containers nest, and how large they would be as a tree: checked once, at STOP, without recursion and visiting shared
 * containers once (RULES.md LIM-3, LIM-4).
 *
 * @module
 */
import type { Budget } from "../../limits.ts";
import { STEP } from "../../words/steps.ts";
import { OrderedDict, PythonRecord } from "../../values.ts";
import { type Decoder, PAUSE } from "../cursor.ts";
import { PickledArray, Unknown } from "./pickled.ts";

/** A list, tuple, dict or set; the fields of a record; the items of an array of objects. */
export type Container = unknown[] | Map<unknown, unknown> | Set<unknown>;

/** The containers of a pickle, each once. */
export interface NestedContainers {
  /** Each one comes after a container that holds it. */
  all: readonly Container[];
  /** Whether containers are only found in lists, tuples and dicts (not in sets, records or arrays). */
  arePlain: boolean;
}

interface Measure {
  /** Containers on the longest path down. */
  depth: number;
  /** Number of containers, counting shared ones once per occurrence. */
  weight: number;
}

interface Frame extends Measure {
  children: readonly Container[];
  /** Index of the next child. */
  next: number;
}

const LEAF: Readonly<Measure> = { depth: 1, weight: 1 };
const NONE: readonly Container[] = [];

/**
 * Collect the containers below `roots`; `onBytes` is called with the bytes objects in them. Throws if they nest deeper than `maxDepth`, or
 * their tree has more than 2^53 nodes.
 */
export function* checkNesting(
  roots: readonly unknown[],
  budget: Budget,
  at: number,
  onBytes: (bytes: Uint8Array) => void,
): Decoder<NestedContainers> {
  const walk = new Walk(budget, at, onBytes);
  for (const root of roots) yield* walk.below(root);
  return walk;
}

/** A walk through containers, depth first. */
class Walk implements NestedContainers {
  readonly all: Container[] = [];
  arePlain = true;
  readonly #budget: Budget;
  readonly #at: number;
  readonly #onBytes: (bytes: Uint8Array) => void;
  readonly #done = new Map<Container, Readonly<Measure>>();
  /** The containers that hold the one being visited. */
  readonly #path: Frame[] = [];
  /** Items looked at since the last pause. */
  #looked = 0;

  constructor(budget: Budget, at: number, onBytes: (bytes: Uint8Array) => void) {
    this.#budget = budget;
    this.#at = at;
    this.#onBytes = onBytes;
  }

  *below(root: unknown): Decoder<void> {
    const path = this.#path, done = this.#done;
    const first = containerOf(root);
    if (first !== root) this.arePlain = false;
    if (first && !done.has(first)) this.#enter(first);
    while (path.length > 0) {
      if (this.#looked >= STEP) {
        this.#looked = 0;
        yield PAUSE;
      }
      const top = path[path.length - 1];
      if (top.next < top.children.length) {
        const child = top.children[top.next++];
        const known = done.get(child) ?? this.#enter(child);
        if (known) this.#grow(top, known);
      } else {
        path.pop();
        top.children = NONE;
        if (path.length > 0) this.#grow(path[path.length - 1], top);
      }
    }
  }

  /** Visit a container: the measure of one with no containers inside; any other is pushed onto the path. */
  #enter(container: Container): Readonly<Measure> | undefined {
    this.#budget.check("maxDepth", this.#path.length + 1, this.#at);
    this.all.push(container);
    const children = this.#childrenOf(container);
    if (children.length === 0) {
      this.#done.set(container, LEAF);
      return LEAF;
    }
    // A container that contains itself counts as one level where it recurs.
    const frame: Frame = { children, next: 0, depth: 1, weight: 1 };
    this.#done.set(container, frame);
    this.#path.push(frame);
    return undefined;
  }

  #childrenOf(container: Container): readonly Container[] {
    const size = Array.isArray(container) ? container.length : container.size;
    this.#looked += 1 + size;
    if (size === 0 && !(container instanceof OrderedDict)) return NONE;
    const children: Container[] = [];
    const look = (value: unknown) => {
      // Nearly all that a file holds ends here, without another call.
      if (typeof value !== "object" || value === null || (value instanceof PickledArray && value.items === null)) {
        return;
      }
      const child = containerOf(value);
      if (!child) {
        if (value instanceof Uint8Array) this.#onBytes(value);
        return;
      }
      children.push(child);
      if (child !== value || container instanceof Set) this.arePlain = false;
    };
    // An iterator would create an object per member.
    container.forEach(look);
    if (container instanceof OrderedDict) look(container.attributes);
    return children;
  }

  /** Note that `parent` contains a container of that measure. */
  #grow(parent: Measure, child: Readonly<Measure>): void {
    const budget = this.#budget, at = this.#at;
    parent.depth = Math.max(parent.depth, child.depth + 1);
    parent.weight += child.weight;
    budget.check("maxDepth", parent.depth, at);
    if (parent.weight > Number.MAX_SAFE_INTEGER) budget.exceed("maxStructureBytes", parent.weight, at);
  }
}

function containerOf(value: unknown): Container | null {
  if (typeof value !== "object" || value === null) return null;
  if (value instanceof PickledArray) return value.items;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return value;
  if (value instanceof Unknown) return value.parts;
  return value instanceof PythonRecord ? value.fields : null;
}
