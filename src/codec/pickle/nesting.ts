/**
 * How deep a pickle's containers nest, and how large they would be as a tree: judged once, at STOP, without recursion and with shared
 * containers looked at once (hardening H-LIM-3, H-LIM-4).
 *
 * @module
 */
import type { Budget } from "../../limits.ts";
import { OrderedDict, PythonRecord } from "../../values.ts";
import { PickledArray } from "./pickled.ts";

type Container = unknown[] | Map<unknown, unknown> | Set<unknown>;

interface Measure {
  /** Containers on the longest way down. */
  depth: number;
  /** Containers, were each shared one written out. */
  weight: number;
}

interface Frame extends Measure {
  container: Container;
  children: Iterator<unknown>;
}

function containerOf(value: unknown): Container | null {
  if (typeof value !== "object" || value === null) return null;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return value;
  return value instanceof PythonRecord ? value.fields : value instanceof PickledArray ? value.items : null;
}

function* withAttributes(dict: OrderedDict): Generator<unknown> {
  yield* dict.values();
  if (dict.attributes) yield dict.attributes;
}

function childrenOf(container: Container): Iterator<unknown> {
  return container instanceof OrderedDict ? withAttributes(container) : container.values();
}

/** Throw where containers below `roots` nest deeper than `maxDepth`, or their tree has more nodes than a number can count. */
export function checkNesting(roots: readonly unknown[], budget: Budget, at: number): void {
  const done = new Map<Container, Measure>();
  const path: Frame[] = [];
  const enter = (container: Container) => {
    // A container that is met again below itself counts as one level.
    const frame: Frame = { container, children: childrenOf(container), depth: 1, weight: 1 };
    done.set(container, frame);
    path.push(frame);
    budget.check("maxDepth", path.length, at);
  };
  for (const root of roots) {
    const first = containerOf(root);
    if (first && !done.has(first)) enter(first);
    while (path.length > 0) {
      const top = path[path.length - 1];
      const step = top.children.next();
      const child = step.done ? null : containerOf(step.value);
      if (child) {
        const known = done.get(child);
        if (known) grow(top, known, budget, at);
        else enter(child);
      } else if (step.done) {
        path.pop();
        done.set(top.container, { depth: top.depth, weight: top.weight });
        if (path.length > 0) grow(path[path.length - 1], top, budget, at);
      }
    }
  }
}

function grow(parent: Measure, child: Measure, budget: Budget, at: number): void {
  parent.depth = Math.max(parent.depth, child.depth + 1);
  parent.weight += child.weight;
  budget.check("maxDepth", parent.depth, at);
  if (parent.weight > Number.MAX_SAFE_INTEGER) budget.exceed("maxStructureBytes", parent.weight, at);
}
