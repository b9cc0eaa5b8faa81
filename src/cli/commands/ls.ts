/**
 * `ls`: the contents of a file, without reading its elements.
 *
 * @module
 */
import { NDArray } from "../../ndarray.ts";
import { Program } from "../../program.ts";
import { Tensor } from "../../tensor.ts";
import { command } from "../command.ts";
import { DONE } from "../failure.ts";
import { type OpenFile, withFile } from "../open_file.ts";
import { FROM_ARRAYS } from "../reading.ts";
import type { Session } from "../session.ts";
import { countText, nameText, shapeText, sizeText, table } from "../text.ts";
import { type Row, rowsOf } from "../value_rows.ts";
import { kindOf, typeText, valueJson, valueText } from "../value_text.ts";

/** The command. */
export const ls = command({
  name: "ls",
  summary: "list names, dtypes, shapes and sizes of what a file, model or folder holds",
  operands: ["FILE"],
  options: {
    ...FROM_ARRAYS,
    long: { help: "also offsets, parameter names, and values that are not arrays" },
  },
  notes: [
    "FILE is a path or URL: a checkpoint of any kind, .npy, .npz, safetensors, an .index.json; the prefix or a file of an",
    "inference model; a folder of Paddle 1.x. Array data are not read.",
  ],
  json: "{ file, kind, arrays: [{ name, dtype, shape, bytes, offset, kind, parameter? }], " +
    "values: [{ name, type, value }], bytes }",
  async run({ operands: [from], options, session }) {
    await withFile(from, options, session, (file) => list(file, options, session));
    return DONE;
  },
});

async function list(file: OpenFile, { long: isLong }: { long?: boolean }, session: Session): Promise<void> {
  const rows = [...rowsOf(file.value, file.arrays)].filter(({ value }) => !(value instanceof Program));
  const arrays = rows.filter(({ value }) => value instanceof NDArray);
  const values = rows.filter(({ value, name }) => !(value instanceof NDArray) && name !== "");
  const bytes = arrays.reduce((sum, { value }) => sum + (value as NDArray).nbytes, 0);
  if (session.json) {
    await session.printJson({
      file: file.shown,
      kind: file.kind,
      arrays: arrays.map(({ name, value }) => arrayJson(file, name, value as NDArray)),
      values: values.map(({ name, value, isFloat }) => ({
        name,
        type: typeText(value, isFloat),
        value: valueJson(value),
      })),
      bytes,
    });
    return;
  }
  const lines = isLong
    ? table([HEAD, ...rows.filter(({ name, value }) => name !== "" || value instanceof NDArray).map(longRow(file))], [
      3,
    ])
    : table(arrays.map(({ name, value }) => shortRow(name, value as NDArray)), [3]);
  const others = values.length > 0 ? `, ${countText(values.length, "other value")}` : "";
  const hint = others && !isLong ? " (--long shows them)" : "";
  const isProgram = file.value instanceof Program ? "a program: oarlock program shows it; " : "";
  await session.printAll(lines);
  await session.print(`${isProgram}${countText(arrays.length, "array")}, ${sizeText(bytes)}${others}${hint}`);
}

function shortRow(name: string, array: NDArray): string[] {
  return [nameText(name), array.dtype, shapeText(array.shape), sizeText(array.nbytes)];
}

const HEAD = ["name", "type", "shape", "size", "offset", "parameter or value"];

function longRow(file: OpenFile): (row: Row) => string[] {
  return ({ name, value, isFloat }) => {
    if (!(value instanceof NDArray)) return [name, typeText(value, isFloat), "", "", "", valueText(value, isFloat)];
    const offset = offsetOf(file, name);
    return [...shortRow(name, value), offset < 0 ? "" : String(offset), value instanceof Tensor ? value.name : ""];
  };
}

function arrayJson(file: OpenFile, name: string, array: NDArray): object {
  return {
    name,
    dtype: array.dtype,
    shape: array.shape,
    bytes: array.nbytes,
    offset: offsetOf(file, name),
    kind: kindOf(array),
    parameter: array instanceof Tensor && array.name !== "" ? array.name : undefined,
  };
}

function offsetOf({ checkpoint, arrays }: OpenFile, name: string): number {
  return arrays.has(name) ? checkpoint.info(name).offset : -1;
}
