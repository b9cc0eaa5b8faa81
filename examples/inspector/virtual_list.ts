/** A list of any length: only the visible rows are in the page. */
import { element } from "./element.ts";

/** Height of a row in pixels; must match style.css. */
const ROW = 28;
/** Extra rows above and below the visible ones. */
const AROUND = 6;

/** Options of a list. */
export interface VirtualListOptions {
  scroller: HTMLElement;
  /** Create row `index`. The list sets its id and its position. */
  render(index: number): HTMLElement;
  /** The text that is shown if there are no rows. */
  empty(): string;
  /** Called when the active row changes by keyboard or click. */
  onActive?(index: number): void;
  /** Called when the active row is chosen by Enter, Space or a click. */
  onChoose?(index: number): void;
  /** A row's text, for type-ahead. */
  text?(index: number): string;
}

/** A virtualised list with one active row, exposed by aria-activedescendant. */
export class VirtualList {
  readonly #options: VirtualListOptions;
  readonly #space = element("div", { role: "none" });
  #count = 0;
  #active = -1;
  #typed = "";
  #typedAt = 0;

  /** Creates the list in `scroller`, which scrolls. */
  constructor(options: VirtualListOptions) {
    this.#options = options;
    const { scroller } = options;
    scroller.append(this.#space);
    scroller.addEventListener("scroll", () => this.refresh());
    new ResizeObserver(() => this.refresh()).observe(scroller);
    scroller.addEventListener("keydown", (event) => this.#key(event));
    scroller.addEventListener("focus", () => {
      if (this.#active < 0 && this.#count > 0) this.activate(0);
    });
    // A row that is rendered again between press and release gets no click, so the press marks its row before focus arrives.
    scroller.addEventListener("pointerdown", ({ clientY }) => {
      const index = this.#indexAt(clientY);
      if (index !== null) this.#mark(index);
    });
    scroller.addEventListener("click", ({ clientY }) => {
      const index = this.#indexAt(clientY);
      if (index === null) return;
      this.activate(index);
      options.onChoose?.(index);
    });
  }

  /** Index of the active row; -1 if there is none. */
  get active(): number {
    return this.#active;
  }

  /** Set the number of rows. */
  setCount(count: number, active = -1): void {
    this.#count = count;
    this.#active = Math.min(active, count - 1);
    this.#space.style.height = `${count * ROW}px`;
    this.refresh();
  }

  /** Make a row active, and scroll it into view. */
  activate(index: number): void {
    if (this.#count === 0) return;
    this.#active = Math.max(0, Math.min(this.#count - 1, index));
    const { scroller } = this.#options;
    const top = this.#active * ROW;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top + ROW - scroller.clientHeight;
    }
    this.refresh();
    this.#options.onActive?.(this.#active);
  }

  /** The row at a vertical position in the window. */
  #indexAt(clientY: number): number | null {
    const { scroller } = this.#options;
    const index = Math.floor((clientY - scroller.getBoundingClientRect().top + scroller.scrollTop) / ROW);
    return index >= 0 && index < this.#count ? index : null;
  }

  /** Make a row that is already in the page active. */
  #mark(index: number): void {
    const { scroller } = this.#options;
    this.#active = index;
    for (const row of this.#space.children) row.classList.toggle("active", row.id === `${scroller.id}-${index}`);
    scroller.setAttribute("aria-activedescendant", `${scroller.id}-${index}`);
  }

  /** Render the visible rows again. */
  refresh(): void {
    const { scroller, render, empty } = this.#options;
    if (this.#count === 0) {
      this.#space.replaceChildren(element("p", { class: "empty" }, empty()));
      scroller.removeAttribute("aria-activedescendant");
      return;
    }
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - AROUND);
    const last = Math.min(this.#count, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW) + AROUND);
    const rows: HTMLElement[] = [];
    for (let index = first; index < last; index++) {
      const row = render(index);
      row.id = `${scroller.id}-${index}`;
      row.style.transform = `translateY(${index * ROW}px)`;
      row.classList.toggle("active", index === this.#active);
      rows.push(row);
    }
    this.#space.replaceChildren(...rows);
    if (this.#active >= first && this.#active < last) {
      scroller.setAttribute("aria-activedescendant", `${scroller.id}-${this.#active}`);
    } else scroller.removeAttribute("aria-activedescendant");
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const page = Math.max(1, Math.floor(this.#options.scroller.clientHeight / ROW) - 1);
    const to: Record<string, number> = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      PageDown: this.#active + page,
      PageUp: this.#active - page,
      Home: 0,
      End: this.#count - 1,
    };
    if (Object.hasOwn(to, event.key)) this.activate(to[event.key]);
    else if (event.key === "Enter" || (event.key === " " && this.#typed === "")) {
      if (this.#active >= 0) this.#options.onChoose?.(this.#active);
    } else if (event.key.length === 1 && this.#options.text) this.#type(event.key, event.timeStamp);
    else return;
    event.preventDefault();
  }

  /** Go to the next row that starts with the typed characters. */
  #type(key: string, at: number): void {
    this.#typed = at - this.#typedAt > 700 ? key : this.#typed + key;
    this.#typedAt = at;
    setTimeout(() => {
      if (this.#typedAt === at) this.#typed = "";
    }, 700);
    const wanted = this.#typed.toLowerCase();
    const from = this.#typed.length === 1 ? this.#active + 1 : Math.max(0, this.#active);
    for (let step = 0; step < this.#count; step++) {
      const index = (from + step) % this.#count;
      if (this.#options.text!(index).toLowerCase().startsWith(wanted)) return this.activate(index);
    }
  }
}
