/** The detail panel of one tensor: statistics, histogram, and its elements, which can be edited. */
import { element } from "./element.ts";
import { countText, isolated, numberText, shapeText, sizeText } from "./format.ts";
import { histogram } from "./histogram.ts";
import type { ArrayRow, ArrayStatistics, OperatorView } from "./protocol.ts";
import { type CallOptions, type WorkerClient, WorkerFailure } from "./worker_client.ts";

/** Size in bytes above which statistics are only computed on request. */
const UNASKED = 256 * 2 ** 20;
/** Elements per page. */
const PAGE = 20;

/** An array that is a whole file has no name. */
const NAMELESS = "(array)";

/** What the panel needs from the page around it. */
export interface Around {
  client: WorkerClient;
  /** Run a task with progress and a way to cancel it; null if it failed, undefined if it was cancelled. */
  task<T>(what: string, body: (options: CallOptions) => Promise<T>): Promise<T | null | undefined>;
  say(text: string): void;
  /** Whether a file is being saved: it is not edited meanwhile. */
  isSaving(): boolean;
  onEdit(id: number, edits: number): void;
}

/** A name as a heading; style.css shows the beginning of a very long one. */
function heading(name: string): HTMLElement {
  return element("h2", { title: name, dir: "auto" }, name);
}

/** A two-column list of names and values. */
export function list(entries: readonly (readonly [string, string])[]): HTMLElement {
  return element("dl", {}, ...entries.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
}

/** Show one tensor in `panel`. */
export function showTensor(panel: HTMLElement, around: Around, id: number, array: ArrayRow): void {
  const figures = element("div", { id: "statistics" }), title = array.name || NAMELESS;
  const button = element("button", { type: "button", id: "compute" }, "Compute");
  const compute = async () => {
    figures.replaceChildren(element("p", { class: "quiet" }, "Computing…"));
    const statistics = await around.task(
      `Statistics of ${isolated(title)}`,
      (options) => around.client.call("statistics", [id, array.name], options),
    );
    figures.replaceChildren(
      ...statistics ? figuresOf(statistics) : [element("p", { class: "quiet" }, "Not computed.")],
    );
    if (statistics) button.textContent = "Compute again";
  };
  const onEdit = (id: number, edits: number) => {
    around.onEdit(id, edits);
    if (!figures.querySelector("dl") || figures.querySelector("#outdated")) return;
    figures.prepend(element("p", { class: "quiet", id: "outdated" }, "From before the change:"));
  };
  button.addEventListener("click", compute);
  panel.replaceChildren(
    heading(title),
    list([
      ["Dtype", array.dtype],
      ["Shape", shapeText(array.shape)],
      ["Elements", countText(array.size)],
      ["Size", `${sizeText(array.nbytes)} (${countText(array.nbytes)} bytes)`],
    ]),
    element("h3", {}, "Statistics"),
    figures,
    element("p", { class: "pager" }, button),
    element("h3", {}, "Elements"),
    cellsOf({ ...around, onEdit }, id, array),
  );
  panel.scrollTop = 0;
  if (array.nbytes <= UNASKED) compute();
  else figures.append(element("p", { class: "quiet" }, "Not computed yet: the whole tensor must be read for it."));
}

function figuresOf(statistics: ArrayStatistics): HTMLElement[] {
  const { count, exact, min, max, mean, std, zeros, nan, infinite, bins } = statistics;
  if (count === 0) return [element("p", { class: "quiet" }, "There are no elements.")];
  // Only finite elements count.
  const finite = (x: number) => count === nan + infinite ? "none" : numberText(x);
  const shown = [
    list([
      ["Minimum", exact ? String(exact[0]) : finite(min)],
      ["Maximum", exact ? String(exact[1]) : finite(max)],
      ["Mean", finite(mean)],
      ["Standard deviation", finite(std)],
      ["Zeros", `${countText(zeros)} of ${countText(count)}`],
      ["NaN", countText(nan)],
      ["Infinite", countText(infinite)],
    ]),
  ];
  if (bins.length > 0) shown.push(element("h3", {}, "Histogram"), histogram(statistics));
  return shown;
}

/** A page of elements, each in an input field. */
function cellsOf(around: Around, id: number, array: ArrayRow): HTMLElement {
  let first = 0;
  const body = element("tbody");
  const go = element("input", { id: "go", "aria-label": "Indices of the element to go to", placeholder: "0, 0, …" });
  const previous = element("button", { type: "button", "aria-label": "Previous elements" }, "←");
  const next = element("button", { type: "button", "aria-label": "Next elements" }, "→");
  const submit = element("button", { type: "submit" }, "Go");
  const form = element(
    "form",
    { class: "pager" },
    previous,
    next,
    element("label", { for: "go" }, "Element"),
    go,
    submit,
  );
  const fill = async () => {
    // A button that is really disabled would lose the focus.
    previous.setAttribute("aria-disabled", String(first === 0));
    next.setAttribute("aria-disabled", String(first + PAGE >= array.size));
    const asked = first, last = Math.min(array.size, first + PAGE);
    const cells = await around.task(`Elements of ${isolated(array.name || NAMELESS)}`, (options) => {
      return around.client.call("cells", [id, array.name, asked, last], options);
    });
    // A page that was turned meanwhile may have arrived first.
    if (!cells || asked !== first) return;
    body.replaceChildren(
      ...cells.texts.map((text, i) => row(around, id, array, first + i, text, cells.edited[i])),
    );
  };
  const turn = (to: number) => {
    if (to < 0 || to >= array.size) return;
    first = to;
    fill();
  };
  previous.addEventListener("click", () => turn(first - PAGE));
  next.addEventListener("click", () => turn(first + PAGE));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const place = placeOf(go.value, array.shape);
    go.setAttribute("aria-invalid", String(place === null));
    if (place === null) return around.say(`“${go.value}” is no element of ${shapeText(array.shape)}.`);
    first = place - place % PAGE;
    fill().then(() => body.querySelector<HTMLInputElement>(`[data-place="${place}"]`)?.focus());
  });
  if (array.size === 0) return element("p", { class: "quiet" }, "There are none.");
  fill();
  const table = element(
    "table",
    { class: "cells", id: "cells", "aria-label": "Elements", "aria-describedby": "cells-help" },
    body,
  );
  const help = element(
    "p",
    { class: "quiet", id: "cells-help" },
    "Change a value and press Enter; Save writes a new file.",
  );
  return element("div", {}, form, help, table);
}

function row(around: Around, id: number, array: ArrayRow, place: number, text: string, edited: boolean): HTMLElement {
  const index = indexOf(place, array.shape);
  const input = element("input", {
    value: text,
    "data-place": place,
    "aria-label": `Element ${index}`.trim(),
    class: edited ? "edited" : "",
    spellcheck: "false",
    autocomplete: "off",
  });
  const refusal = element("p", { class: "refusal", id: `refusal-${place}`, role: "alert", hidden: true });
  let current = text;
  const refuse = (reason: string | null) => {
    refusal.hidden = reason === null;
    refusal.textContent = reason;
    input.setAttribute("aria-invalid", String(reason !== null));
    if (reason === null) input.removeAttribute("aria-describedby");
    else {
      input.setAttribute("aria-describedby", refusal.id);
      refusal.scrollIntoView({ block: "nearest" });
    }
  };
  const restore = () => {
    input.value = current;
    refuse(null);
  };
  input.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") restore();
    // What was refused may be accepted now, but there is no event of a change.
    if (key === "Enter" && !refusal.hidden) commit();
  });
  const commit = async () => {
    if (input.value === current) return restore();
    if (around.isSaving()) {
      return refuse(`The file is being saved: press Enter when that is done. Escape restores ${current}.`);
    }
    try {
      const done = await around.client.call("edit", [id, array.name, place, input.value]);
      current = done.text;
      restore();
      input.className = done.edited ? "edited" : "";
      around.say(`${isolated(array.name || NAMELESS)}${index && `[${index}]`} is ${done.text}.`);
      around.onEdit(id, done.edits);
    } catch (error) {
      if (!(error instanceof WorkerFailure)) throw error;
      refuse(`${error.message}. Escape restores ${current}.`);
    }
  };
  input.addEventListener("change", commit);
  return element("tr", {}, element("th", { scope: "row" }, `[${index}]`), element("td", {}, input, refusal));
}

function indexOf(place: number, shape: readonly number[]): string {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(place % shape[axis]);
    place = Math.floor(place / shape[axis]);
  }
  return index.join(", ");
}

function placeOf(text: string, shape: readonly number[]): number | null {
  const index = text.split(/[\s,[\]]+/).filter((part) => part !== "").map(Number);
  if (index.length !== shape.length || !index.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis])) {
    return null;
  }
  return index.reduce((place, i, axis) => place * shape[axis] + i, 0);
}

/** Show one operator in `panel`. */
export function showOperator(panel: HTMLElement, index: number, operator: OperatorView): void {
  panel.replaceChildren(
    heading(`${index}: ${operator.type}`),
    list([["Inputs", operator.inputs || "none"], ["Outputs", operator.outputs || "none"]]),
    element("h3", {}, "Attributes"),
    operator.attributes.length > 0 ? list(operator.attributes) : element("p", { class: "quiet" }, "There are none."),
  );
  panel.scrollTop = 0;
}

/** Show a value that is not a tensor in `panel`. */
export function showValue(panel: HTMLElement, name: string, text: string): void {
  panel.replaceChildren(heading(name), element("p", { class: "value" }, text));
  panel.scrollTop = 0;
}
