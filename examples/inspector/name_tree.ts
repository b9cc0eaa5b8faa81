/** A tree of names, split at dots and slashes. */
import type { ArrayRow } from "./protocol.ts";

/** A group of names, or one array. */
export interface Node {
  label: string;
  level: number;
  parent: Node | null;
  children: Node[];
  array: ArrayRow | null;
  isOpen: boolean;
  /** Number of arrays in this group, and their total bytes. */
  count: number;
  nbytes: number;
  /** Position among its siblings, from 1. */
  place: number;
}

function nodeOf(label: string, parent: Node | null, array: ArrayRow | null): Node {
  const place = parent ? parent.children.length + 1 : 1;
  const level = parent ? parent.level + 1 : 0;
  return { label, level, parent, children: [], array, isOpen: true, count: 0, nbytes: 0, place };
}

/** The tree of these arrays, in their order; its root is not shown. */
export function nameTree(arrays: readonly ArrayRow[]): Node {
  const root = nodeOf("", null, null);
  const groups = new Map<Node, Map<string, Node>>();
  for (const array of arrays) {
    const parts = (array.name || "(array)").split(/[./]/);
    let parent = root;
    for (const part of parts.slice(0, -1)) {
      let known = groups.get(parent);
      if (!known) groups.set(parent, known = new Map());
      let node = known.get(part);
      if (!node) {
        known.set(part, node = nodeOf(part, parent, null));
        parent.children.push(node);
      }
      parent = node;
    }
    parent.children.push(nodeOf(parts[parts.length - 1], parent, array));
    for (let node: Node | null = parent; node; node = node.parent) {
      node.count++;
      node.nbytes += array.nbytes;
    }
  }
  return root;
}

/** The visible rows, in order. */
export function openRows(root: Node): Node[] {
  const rows: Node[] = [];
  const todo = [...root.children].reverse();
  while (todo.length > 0) {
    const node = todo.pop()!;
    rows.push(node);
    if (node.isOpen) { for (let i = node.children.length - 1; i >= 0; i--) todo.push(node.children[i]); }
  }
  return rows;
}

/** Open or close every group. */
export function openAll(root: Node, isOpen: boolean): void {
  const todo = [...root.children];
  while (todo.length > 0) {
    const node = todo.pop()!;
    if (node.children.length > 0) node.isOpen = isOpen;
    for (const child of node.children) todo.push(child);
  }
}
