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
  readonly children: readonly Container[];
  /** Index of the next child. */
  next: number;
}

function containerOf(value: unknown): Container | null {
  if (typeof value !== "object" || value === null) return null;
  // First what there is most of.
  if (value instanceof PickledArray) return value.items;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return value;
  return value instanceof PythonRecord ? value.fields : null;
}

const NONE: readonly Container[] = [];

/** The containers that stand in a container, as often as they do: an iterator would make an object of every member. */
function childrenOf(container: Container): readonly Container[] {
  let children: Container[] | null = null;
  const look = (value: unknown) => {
    const child = containerOf(value);
    if (child) (children ??= []).push(child);
  };
  container.forEach(look);
  if (container instanceof OrderedDict && container.attributes) look(container.attributes);
  return children ?? NONE;
}

/** Throw where containers below `roots` nest deeper than `maxDepth`, or their tree has more nodes than a number can count. */
export function checkNesting(roots: readonly unknown[], budget: Budget, at: number): void {
  const done = new Map<Container, Measure>();
  const path: Frame[] = [];
  const enter = (container: Container) => {
    // A container that is met again below itself counts as one level.
    const frame: Frame = { container, children: childrenOf(container), next: 0, depth: 1, weight: 1 };
    done.set(container, frame);
    path.push(frame);
    budget.check("maxDepth", path.length, at);
  };
  for (const root of roots) {
    const first = containerOf(root);
    if (first && !done.has(first)) enter(first);
    while (path.length > 0) {
      const top = path[path.length - 1];
      if (top.next < top.children.length) {
        const child = top.children[top.next++];
        const known = done.get(child);
        if (known) grow(top, known, budget, at);
        else enter(child);
      } else {
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
