/**
 * How deep a pickle's containers nest, and how large they would be as a tree: judged once, at STOP, without recursion and with shared
 * containers looked at once (hardening H-LIM-3, H-LIM-4).
 *
 * @module
 */
import type { Budget } from "../../limits.ts";
import { OrderedDict, PythonRecord } from "../../values.ts";
import { PickledArray } from "./pickled.ts";

/** A list, tuple, dict or set; the fields of a record; the items of an array of objects. */
export type Container = unknown[] | Map<unknown, unknown> | Set<unknown>;

/** The containers of a pickle, each once. */
export interface Containers {
  /** Each behind one that holds it. */
  all: readonly Container[];
  /** Whether they are lists, tuples and dicts, and nothing but those has containers inside. */
  arePlain: boolean;
}

interface Measure {
  /** Containers on the longest way down. */
  depth: number;
  /** Containers, were each shared one written out. */
  weight: number;
}

interface Frame extends Measure {
  children: readonly Container[];
  /** Index of the next child. */
  next: number;
}

const LEAF: Measure = Object.freeze({ depth: 1, weight: 1 });
const NONE: readonly Container[] = [];

/** Throw where containers below `roots` nest deeper than `maxDepth`, or their tree has more nodes than a number can count. */
export function checkNesting(roots: readonly unknown[], budget: Budget, at: number): Containers {
  return new NestingCheck(budget, at).check(roots);
}

class NestingCheck {
  readonly #budget: Budget;
  readonly #at: number;
  readonly #done = new Map<Container, Measure>();
  readonly #all: Container[] = [];
  readonly #path: Frame[] = [];
  #arePlain = true;

  constructor(budget: Budget, at: number) {
    this.#budget = budget;
    this.#at = at;
  }

  check(roots: readonly unknown[]): Containers {
    const done = this.#done, path = this.#path;
    for (const root of roots) {
      const first = this.#containerOf(root);
      if (first && !done.has(first)) this.#enter(first);
      while (path.length > 0) {
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
    return { all: this.#all, arePlain: this.#arePlain };
  }

  /** Begin with a container: its measure, where nothing is inside; else it is the top of the path now. */
  #enter(container: Container): Measure | null {
    const path = this.#path;
    this.#budget.check("maxDepth", path.length + 1, this.#at);
    this.#all.push(container);
    const children = this.#childrenOf(container);
    if (children === NONE) {
      this.#done.set(container, LEAF);
      return LEAF;
    }
    if (container instanceof Set) this.#arePlain = false;
    // A container that is met again below itself counts as one level.
    const frame: Frame = { children, next: 0, depth: 1, weight: 1 };
    this.#done.set(container, frame);
    path.push(frame);
    return null;
  }

  /** The containers that stand in a container, as often as they do: an iterator would make an object of every member. */
  #childrenOf(container: Container): readonly Container[] {
    let children: Container[] | null = null;
    const look = (value: unknown) => {
      if (typeof value !== "object" || value === null) return;
      const child = this.#containerOf(value);
      if (child) (children ??= []).push(child);
    };
    container.forEach(look);
    if (container instanceof OrderedDict && container.attributes) look(container.attributes);
    return children ?? NONE;
  }

  #containerOf(value: unknown): Container | null {
    // First what there is most of.
    if (value instanceof PickledArray) return this.#notPlain(value.items);
    if (Array.isArray(value) || value instanceof Map || value instanceof Set) return value;
    return value instanceof PythonRecord ? this.#notPlain(value.fields) : null;
  }

  #notPlain(container: Container | null): Container | null {
    if (container) this.#arePlain = false;
    return container;
  }

  #grow(parent: Measure, child: Measure): void {
    parent.depth = Math.max(parent.depth, child.depth + 1);
    parent.weight += child.weight;
    this.#budget.check("maxDepth", parent.depth, this.#at);
    if (parent.weight > Number.MAX_SAFE_INTEGER) {
      this.#budget.exceed("maxStructureBytes", parent.weight, this.#at);
    }
  }
}
