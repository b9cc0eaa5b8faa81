/** The tree of tensors, with the keyboard support of the ARIA tree pattern. */
import { element } from "./element.ts";
import { countText, shapeText, sizeText } from "./format.ts";
import { nameTree, type Node, openAll, openRows } from "./name_tree.ts";
import type { ArrayRow } from "./protocol.ts";
import { VirtualList } from "./virtual_list.ts";

/** The tree. */
export class Tree {
  readonly #list: VirtualList;
  readonly #onSelect: (array: ArrayRow) => void;
  #arrays: readonly ArrayRow[] = [];
  #wanted = "";
  #root: Node = nameTree([]);
  #rows: Node[] = [];
  #selected: ArrayRow | null = null;

  /** Shows the tree in `scroller`; `onSelect` is called with the array that is selected. */
  constructor(scroller: HTMLElement, onSelect: (array: ArrayRow) => void) {
    this.#onSelect = onSelect;
    // Registered before the list's own listener, since left and right arrows have a meaning here.
    scroller.addEventListener("keydown", (event) => this.#key(event));
    this.#list = new VirtualList({
      scroller,
      empty: () => this.#arrays.length === 0 ? "There are no tensors here." : `No name contains “${this.#wanted}”.`,
      render: (index) => this.#row(this.#rows[index]),
      text: (index) => this.#rows[index].label,
      onChoose: (index) => this.#choose(this.#rows[index]),
    });
  }

  /** Show these arrays. */
  show(arrays: readonly ArrayRow[]): void {
    this.#arrays = arrays;
    this.#selected = null;
    this.filter("");
  }

  /** Show only names that contain `text`; returns how many there are. */
  filter(text: string): number {
    this.#wanted = text.trim();
    const wanted = this.#wanted.toLowerCase();
    const arrays = this.#arrays.filter(({ name }) => name.toLowerCase().includes(wanted));
    this.#root = nameTree(arrays);
    this.#update(null);
    return arrays.length;
  }

  /** Render the visible rows again. */
  refresh(): void {
    this.#list.refresh();
  }

  /** Open or close all groups. */
  openAll(isOpen: boolean): void {
    openAll(this.#root, isOpen);
    this.#update(null);
  }

  #update(active: Node | null): void {
    this.#rows = openRows(this.#root);
    this.#list.setCount(this.#rows.length, active ? this.#rows.indexOf(active) : -1);
  }

  #choose(node: Node): void {
    if (node.array) {
      this.#selected = node.array;
      this.#list.refresh();
      this.#onSelect(node.array);
    } else {
      node.isOpen = !node.isOpen;
      this.#update(node);
    }
  }

  #key(event: KeyboardEvent): void {
    const node = this.#rows[this.#list.active];
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const isGroup = node.children.length > 0;
    if (event.key === "ArrowRight" && isGroup) {
      if (node.isOpen) this.#list.activate(this.#list.active + 1);
      else this.#choose(node);
    } else if (event.key === "ArrowLeft") {
      if (isGroup && node.isOpen) this.#choose(node);
      else if (node.parent && node.parent !== this.#root) this.#list.activate(this.#rows.indexOf(node.parent));
    } else if (event.key === "*") {
      for (const sibling of node.parent?.children ?? []) if (sibling.children.length > 0) sibling.isOpen = true;
      this.#update(node);
    } else return;
    event.preventDefault();
  }

  #row(node: Node): HTMLElement {
    const { array, level } = node;
    const isGroup = node.children.length > 0;
    const dtype = array ? array.dtype : "";
    const shape = array ? shapeText(array.shape) : `${countText(node.count)} tensor${node.count === 1 ? "" : "s"}`;
    const size = sizeText(array ? array.nbytes : node.nbytes);
    const name = element(
      "span",
      { class: isGroup ? "group" : "", title: array?.name ?? node.label },
      element("span", { class: "twisty", "aria-hidden": "true" }, isGroup ? node.isOpen ? "▾" : "▸" : ""),
      node.label,
    );
    // However deep, a part of the column is left for the name.
    name.style.paddingLeft = `min(${level - 1} * var(--indent), 50%)`;
    const row = element(
      "div",
      {
        class: "row tensor-row",
        role: "treeitem",
        "aria-level": level,
        "aria-setsize": node.parent!.children.length,
        "aria-posinset": node.place,
        "aria-selected": array !== null && array === this.#selected ? "true" : "false",
        "aria-label": [node.label, dtype, shape, size].filter((part) => part !== "").join(", "),
      },
      name,
      // The spaces separate words, not columns.
      " ",
      element("span", {}, dtype),
      " ",
      element("span", { title: shape }, shape),
      " ",
      element("span", { class: "number" }, size),
    );
    if (isGroup) row.setAttribute("aria-expanded", String(node.isOpen));
    return row;
  }
}
