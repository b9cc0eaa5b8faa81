/** Converts a document to what the page shows. */
import * as paddle from "../../mod.ts";
import { isContainer, membersOf, type OpenDocument, unsavedEdits } from "./document.ts";
import { shapeText } from "./format.ts";
import type { DocumentView } from "./protocol.ts";

/** The maximum number of values other than arrays, and the maximum length of one as text. */
const MOST = 2_000, LONGEST = 1000;

/** The view of a document. */
export function viewOf(id: number, document: OpenDocument): DocumentView {
  const { program } = document;
  const others = othersOf(document.value);
  return {
    id,
    label: document.label,
    arrays: [...document.arrays].map(([name, { dtype, shape, nbytes, size }]) => ({
      name,
      dtype,
      shape,
      nbytes,
      size,
    })),
    others: others.slice(0, MOST),
    program: program && {
      form: program.form,
      version: program.version,
      types: program.ops().map(({ type }) => type),
      feeds: program.feeds().map(({ name }) => name),
      fetches: program.fetches().map(({ name }) => name),
    },
    canRecover: document.model !== null,
    edits: unsavedEdits(document),
    notes: others.length > MOST
      ? [...document.notes, `Only the first ${MOST} values other than tensors are listed.`]
      : document.notes,
  };
}

/** Values other than arrays and programs, such as numbers and strings, by path: `MOST` and one more. */
function othersOf(root: paddle.Value): [string, string][] {
  const found: [string, string][] = [];
  const seen = new Set<unknown>();
  const todo: [unknown, string][] = [[root, ""]];
  while (todo.length > 0 && found.length <= MOST) {
    const [value, name] = todo.pop()!;
    if (value instanceof paddle.NDArray || value instanceof paddle.SelectedRows || value instanceof paddle.Program) {
      continue;
    }
    const isObject = value instanceof paddle.PickledObject;
    if (isContainer(value)) {
      if (seen.has(value)) continue;
      seen.add(value);
      for (const [key, item] of membersOf(value).reverse()) {
        todo.push([item, name === "" ? String(key) : `${name}.${key}`]);
      }
    }
    if (isObject || !isContainer(value)) found.push([name || "(value)", textOf(value)]);
  }
  return found;
}

function textOf(value: unknown): string {
  let text = String(value);
  if (typeof value === "string") text = JSON.stringify(value);
  else if (value === null) text = "None";
  else if (typeof value === "boolean") text = value ? "True" : "False";
  else if (value instanceof Uint8Array) text = `${value.length} bytes`;
  else if (value instanceof Set) text = `set of ${value.size}`;
  else if (value instanceof paddle.Float || value instanceof paddle.NumpyScalar) text = String(value.value);
  else if (value instanceof paddle.Complex) text = `${value.re} + ${value.im}j`;
  else if (value instanceof paddle.OpaqueArray) text = `array of ${value.dtype}, ${shapeText(value.shape)}`;
  else if (value instanceof paddle.PythonRecord) text = `${value.module}.${value.className}`;
  else if (value instanceof paddle.PickledObject) text = value.symbol;
  else if (value instanceof paddle.DTypeValue) text = value.dtype;
  else if (value instanceof paddle.Range || value instanceof paddle.Slice) {
    text = [value.start, value.stop, value.step].map(textOf).join(":");
  } else if (typeof value === "object") text = "object";
  return text.length > LONGEST ? text.slice(0, LONGEST) + "…" : text;
}
