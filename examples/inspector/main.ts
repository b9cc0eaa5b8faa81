/** The page: passes dropped files to the worker and shows its results. */
import { type Around, list, showOperator, showTensor, showValue } from "./detail.ts";
import { byId, element } from "./element.ts";
import { countText, isolated, sizeText, tensorsText } from "./format.ts";
import { chosenFiles, droppedFiles } from "./open_dropped.ts";
import type { ArrayRow, DocumentEntry, DocumentView, Failure, NamedFile, OperatorRow, SaveForm } from "./protocol.ts";
import { keep, targetOf } from "./save_target.ts";
import { tabs } from "./tabs.ts";
import { Tree } from "./tree.ts";
import { VirtualList } from "./virtual_list.ts";
import { type CallOptions, WorkerClient, WorkerFailure } from "./worker_client.ts";

/** The source of the bundled worker, inserted when the page is built. */
declare const WORKER_SOURCE: string;

const client = new WorkerClient(WORKER_SOURCE);
const detail = byId("detail"), status = byId("status"), chooser = byId<HTMLSelectElement>("document");
let entries: DocumentEntry[] = [];
let view: DocumentView | null = null;
let operators = new Map<number, OperatorRow>();
/** Numbers of changed elements that are not saved, by document. */
const unsaved = new Map<number, number>();
/** The tensor in the detail panel. */
let inDetail: ArrayRow | null = null;

/** Describes an error of the page itself; errors about files come from the worker. */
function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  return { name, code: "", message, place: "", hint: "" };
}

function say(text: string): void {
  status.textContent = text;
}

/** Show or hide a part. One that has the focus hands it to the content. */
function setHidden(id: string, isHidden: boolean): void {
  const part = byId(id);
  if (isHidden && part.contains(document.activeElement)) byId("content").focus({ preventScroll: true });
  part.hidden = isHidden;
}

function showFailure({ name, code, message, place, hint }: Failure, what = ""): void {
  failed = what;
  byId("failure-class").textContent = name;
  byId("failure-code").textContent = code;
  byId("failure-message").textContent = message;
  byId("failure-place").textContent = place && `Place: ${place}`;
  byId("failure-hint").textContent = hint && `Hint: ${hint}`;
  byId("failure").hidden = false;
  say(`Failed: ${code || name}`);
}

/** The long task that has the progress bar and the Cancel button. */
let running: AbortController | null = null;
/** Whether that is a save. Another long task runs beside it, without them. */
let isSaving = false;
let beside: AbortController | null = null;
/** The task whose failure is shown. */
let failed = "";
const WAIT = "The file is still being saved.";

/**
 * Run a task. There is one long task at a time, and one beside a save: a new one cancels the previous one. The result is null if the task
 * failed, and undefined if it was cancelled.
 */
async function task<T>(
  what: string,
  body: (options: CallOptions) => Promise<T>,
  isLong = true,
): Promise<T | null | undefined> {
  const controller = new AbortController();
  const bar = byId<HTMLProgressElement>("progress");
  if (isLong) beside?.abort();
  if (isLong && isSaving) beside = controller;
  else if (isLong) {
    running?.abort();
    running = controller;
    bar.removeAttribute("value");
    bar.hidden = byId("cancel").hidden = false;
    say(`${what}…`);
  }
  try {
    const onProgress = (done: number) => {
      if (running === controller) bar.value = done;
    };
    const result = await body({ signal: controller.signal, onProgress });
    // Something else may have been said since.
    if (running === controller && status.textContent === `${what}…`) say(`${what}: done.`);
    return result;
  } catch (error) {
    if (controller.signal.aborted) {
      if (running === controller) say(`${what}: cancelled.`);
      return undefined;
    }
    showFailure(error instanceof WorkerFailure ? error.failure : failureOf(error), what);
    return null;
  } finally {
    if (running === controller) {
      running = null;
      bar.hidden = true;
      setHidden("cancel", true);
    }
  }
}

const around: Around = {
  client,
  say,
  isSaving: () => isSaving,
  // Reading elements is quick and does not cancel a running task.
  async task(what, body) {
    const result = await task(what, body, what.startsWith("Statistics"));
    // It failed before, and was asked for again.
    if (result && what === failed) setHidden("failure", true);
    return result;
  },
  onEdit(id, edits) {
    unsaved.set(id, edits);
    if (view?.id !== id) return;
    byId("undo").hidden = edits === 0;
    byId("save").classList.toggle("primary", edits > 0);
    byId("save").textContent = edits > 0 ? `Save ${edits} change${edits === 1 ? "" : "s"}` : "Save";
  },
};

const tree = new Tree(byId("tree"), showArray);
const values: VirtualList = new VirtualList({
  scroller: byId("values"),
  empty: () => "There are no other values here.",
  text: (index) => view!.others[index][0],
  render(index) {
    const [name, text] = view!.others[index];
    return element(
      "div",
      {
        class: "row value-row",
        role: "option",
        "aria-setsize": view!.others.length,
        "aria-posinset": index + 1,
        "aria-selected": String(index === values.active),
        "aria-label": `${name}: ${text}`,
      },
      element("span", { title: name }, name),
      " ",
      element("span", { title: text }, text),
    );
  },
  onChoose(index) {
    inDetail = null;
    showValue(detail, ...view!.others[index]);
    revealDetail();
  },
});

/** Operators are requested in pages of this size. */
const PAGE = 200;
const asked = new Set<number>();
const operatorList: VirtualList = new VirtualList({
  scroller: byId("operators"),
  empty: () => "There is no program here.",
  // Nearly all operators of a program are of one dialect, such as pd_op.
  text: (index) => view!.program!.types[index].replace(/^\w+\./, ""),
  render(index): HTMLElement {
    const known = operators.get(index);
    if (!known) ask(Math.floor(index / PAGE));
    const { type, inputs, outputs } = known ?? { type: view!.program!.types[index], inputs: "…", outputs: "…" };
    return element(
      "div",
      {
        class: "row operator-row",
        role: "option",
        "aria-setsize": view!.program!.types.length,
        "aria-posinset": index + 1,
        "aria-selected": String(index === operatorList.active),
        "aria-label": `${index}: ${type}, reads ${inputs || "nothing"}, writes ${outputs || "nothing"}`,
      },
      element("span", { class: "number" }, String(index)),
      element("span", { title: type }, type),
      element("span", { title: inputs }, inputs),
      element("span", { title: outputs }, outputs),
    );
  },
  async onChoose(index) {
    const { id } = view!;
    const operator = await task("Operator", () => client.call("operator", [id, index]), false);
    if (!operator || view?.id !== id) return;
    inDetail = null;
    showOperator(detail, index, operator);
    revealDetail();
  },
});

function showArray(array: ArrayRow): void {
  inDetail = array;
  showTensor(detail, around, view!.id, array);
  revealDetail();
}

/** On narrow screens the detail panel is below the list: scroll to it if it cannot be seen. */
function revealDetail(): void {
  if (detail.getBoundingClientRect().top > innerHeight * 0.8) detail.scrollIntoView();
}

async function ask(page: number): Promise<void> {
  if (asked.has(page)) return;
  asked.add(page);
  const { id } = view!;
  const rows = await task("Operators", () => client.call("operators", [id, page * PAGE, (page + 1) * PAGE]), false);
  if (view?.id !== id || !rows) return;
  rows.forEach((row, i) => operators.set(page * PAGE + i, row));
  operatorList.refresh();
}

const chooseTab = tabs(document.querySelector("[role=tablist]")!, () => {
  tree.refresh();
  operatorList.refresh();
  values.refresh();
});

function showView(shown: DocumentView): void {
  view = shown;
  const { arrays, program, others, notes } = shown;
  operators = new Map();
  asked.clear();
  byId("welcome").hidden = true;
  byId("workspace").hidden = false;
  byId("document-title").textContent = byId("document-title").title = shown.label;
  byId<HTMLInputElement>("filter").value = "";
  setHidden("recover", !shown.canRecover);
  // There is nothing but a program: it is in its own format already.
  byId("save-field").hidden = arrays.length === 0 && program !== null;
  byId("tab-tensors").textContent = `Tensors (${countText(arrays.length)})`;
  byId("tab-operators").textContent = `Operators (${countText(program?.types.length ?? 0)})`;
  byId("tab-operators").hidden = program === null;
  byId("tab-values").textContent = `Values (${countText(others.length)})`;
  byId("tab-values").hidden = others.length === 0;
  byId("program").textContent = program
    ? `${program.form}, version ${program.version ?? "unknown"}; feeds: ${
      program.feeds.join(", ") || "none"
    }; fetches: ${program.fetches.join(", ") || "none"}`
    : "";
  around.onEdit(shown.id, shown.edits);
  inDetail = null;
  tree.show(arrays);
  values.setCount(others.length);
  operatorList.setCount(program?.types.length ?? 0);
  chooseTab(
    arrays.length === 0 && program
      ? "tab-operators"
      : arrays.length === 0 && others.length > 0
      ? "tab-values"
      : "tab-tensors",
  );
  const total = arrays.reduce((sum, { nbytes }) => sum + nbytes, 0);
  detail.replaceChildren(
    element("h2", { title: shown.label }, shown.label),
    list([
      ["Tensors", countText(arrays.length)],
      ["Elements", countText(arrays.reduce((sum, { size }) => sum + size, 0))],
      ["Size of the tensors", sizeText(total)],
    ]),
    ...arrays.length > 0
      ? [element("p", { class: "quiet pager" }, "Choose a tensor to see its statistics and elements.")]
      : [],
    ...notes.length > 0
      ? [element("h3", {}, "Notes"), element("ul", {}, ...notes.map((note) => element("li", {}, note)))]
      : [],
  );
  const ofProgram = program ? `, ${countText(program.types.length)} operators` : "";
  say(`${isolated(shown.label)}: ${tensorsText(arrays.length)}, ${sizeText(total)}${ofProgram}.`);
}

/** Show one of the documents `among`. The current one stays if that fails, when the result is null, or is cancelled, when it is undefined. */
async function show(id: number, among: DocumentEntry[]): Promise<DocumentView | null | undefined> {
  const shown = await task("Opening", (options) => client.call("show", [id], options));
  if (shown) {
    enter(among);
    showView(shown);
  }
  if (view) chooser.value = String(view.id);
  return shown;
}

function enter(all: DocumentEntry[]): void {
  entries = all;
  for (const id of unsaved.keys()) if (!entries.some((entry) => entry.id === id)) unsaved.delete(id);
  chooser.replaceChildren(...entries.map(({ id, label }) => element("option", { value: id }, label)));
  byId("document-field").hidden = entries.length < 2;
  byId("document-title").hidden = entries.length >= 2;
}

/** Number of times that something was opened: what was opened later takes over. */
let openings = 0;

function allUnsaved(): number {
  return [...unsaved.values()].reduce((sum, edits) => sum + edits, 0);
}

/** Whether what is open may be closed; the user decides if something would be lost. */
function mayClose(): boolean {
  const edits = allUnsaved();
  const loss = isSaving
    ? "The file is not saved yet: that will be cancelled."
    : edits > 0
    ? `${countText(edits)} unsaved ${edits === 1 ? "change" : "changes"} will be lost.`
    : null;
  if (loss !== null && !confirm(`${loss} Go on?`)) return false;
  if (isSaving) running?.abort();
  isSaving = false;
  return true;
}

async function open(what: string, body: (options: CallOptions) => Promise<DocumentEntry[]>): Promise<void> {
  if (!mayClose()) return;
  byId("failure").hidden = true;
  const own = ++openings;
  const found = await task(what, body);
  if (!found || own !== openings) return;
  if (found.length === 0) return say("There are no files in it.");
  const [first] = found;
  // Show the first document that opens; keep the current one until then.
  for (const { id } of found) {
    const shown = await show(id, found);
    // After a cancelled one, something else may be opening already.
    if (shown === undefined || own !== openings) return;
    if (shown) return await client.call("closeBefore", [first.id]);
  }
  await client.call("closeFrom", [first.id]);
}

async function openFiles(filesOf: (signal?: AbortSignal) => NamedFile[] | Promise<NamedFile[]>): Promise<void> {
  await open("Opening", async (options) => {
    const files = await filesOf(options.signal);
    return files.length === 0 ? [] : await client.call("openFiles", [files], options);
  });
}

for (const [button, input] of [["choose-files", "files"], ["choose-folder", "folder"]]) {
  const field = byId<HTMLInputElement>(input);
  byId(button).addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    const files = chosenFiles(field.files!);
    openFiles(() => files);
    field.value = "";
  });
}
byId("url-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = byId<HTMLInputElement>("url");
  open("Opening", (options) => client.call("openUrl", [value], options));
});
/** Whether text is dragged to a field, which takes it. */
function isOfField({ dataTransfer, target }: DragEvent): boolean {
  return target instanceof HTMLInputElement && !dataTransfer?.types.includes("Files");
}
addEventListener("dragover", (event) => {
  if (isOfField(event)) return;
  event.preventDefault();
  document.body.classList.add("dragging");
});
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) document.body.classList.remove("dragging");
});
addEventListener("drop", (event) => {
  document.body.classList.remove("dragging");
  if (isOfField(event)) return;
  event.preventDefault();
  if (!event.dataTransfer?.types.includes("Files")) return say("There are no files in it.");
  openFiles(droppedFiles(event.dataTransfer));
});
chooser.addEventListener("change", () => {
  byId("failure").hidden = true;
  show(Number(chooser.value), entries);
});
addEventListener("beforeunload", (event) => {
  if (allUnsaved() > 0 || isSaving) event.preventDefault();
});
byId("filter").addEventListener("input", ({ target }) => {
  const count = tree.filter((target as HTMLInputElement).value);
  say(`${countText(count)} of ${tensorsText(view!.arrays.length)}.`);
});
byId("expand").addEventListener("click", () => tree.openAll(true));
byId("collapse").addEventListener("click", () => tree.openAll(false));
byId("cancel").addEventListener("click", () => running?.abort());
byId("failure-close").addEventListener("click", () => setHidden("failure", true));
byId("recover").addEventListener("click", async () => {
  byId("failure").hidden = true;
  const recovered = await task("Recovering", (options) => client.call("recover", [view!.id], options));
  if (!recovered) return;
  await show(recovered.id, [...entries, recovered]);
});
byId("undo").addEventListener("click", async () => {
  if (isSaving) return say(WAIT);
  const { id } = view!;
  await client.call("undo", [id]);
  around.onEdit(id, 0);
  if (inDetail) showArray(inDetail);
  byId("save").focus();
  say("All changes are undone.");
});
byId("save").addEventListener("click", async () => {
  if (isSaving) return say(WAIT);
  const form = byId<HTMLSelectElement>("form").value as SaveForm;
  const { id, label, others } = view!;
  const target = await targetOf(label, form).catch((error) => {
    if (error?.name !== "AbortError") showFailure(failureOf(error));
    return null;
  });
  if (!target) return;
  byId("failure").hidden = true;
  const saving = task("Saving", (options) => client.call("save", [id, form, target.handle], options));
  isSaving = true;
  const saved = await saving.finally(() => isSaving = false);
  if (!saved) return;
  if (saved.blob) keep(saved.blob, target.name);
  around.onEdit(id, 0);
  const refused = view?.id === id ? refusedText() : "";
  // The open file may have been overwritten: show the new one.
  if (target.handle && target.name === label.replace(/^.*\//, "")) {
    const isReplaced = await client.call("replace", [id, await target.handle.getFile()]);
    if (isReplaced && view?.id === id) await show(id, entries);
  }
  const lost = form === "pdparams" ? 0 : others.length;
  const without = lost === 0
    ? ""
    : `, without ${lost === 1 ? "1 value that is" : `${countText(lost)} values that are`} not a tensor`;
  const [warning, ...more] = saved.warnings;
  const warned = warning === undefined
    ? ""
    : ` ${warning}${more.length > 0 ? `, and ${more.length} more like this` : ""}.`;
  say(`${isolated(target.name)}: ${sizeText(saved.bytes)} saved${without}${refused}.${warned}`);
});

/** Tells what is typed into the elements but was not accepted, and so is not saved. */
function refusedText(): string {
  const inputs = [...detail.querySelectorAll<HTMLInputElement>("#cells [aria-invalid=true]")];
  return inputs.length === 0 ? "" : `, without ${inputs.map(({ value }) => `“${value}”`).join(", ")}`;
}
