/**
 * `show`: the elements of one array, or any other value.
 *
 * @module
 */
import { NDArray } from "../../ndarray.ts";
import { statistics } from "../../words/statistics.ts";
import { OpaqueArray, SelectedRows } from "../../values.ts";
import { elementCount } from "../../words/element_count.ts";
import { arrayText } from "../array_text.ts";
import { command, type Given, UsageError } from "../command.ts";
import { shownPart } from "../shown_part.ts";
import { DONE } from "../failure.ts";
import { checkCount } from "../json_text.ts";
import { arrayNamed, notNamed, type OpenFile, withFile } from "../open_file.ts";
import { FROM_ARRAYS } from "../reading.ts";
import type { Session } from "../session.ts";
import { nameText, shapeText, sizeText, table } from "../text.ts";
import { findValue, rowsOf } from "../value_rows.ts";
import { isFloatAt, typeText, valueJson, valueText } from "../value_text.ts";

const OPTIONS = {
  ...FROM_ARRAYS,
  slice: { value: "A:B", help: "rows A to B (exclusive) of the first axis, as in Python; only these are read" },
  stats: { help: "minimum, maximum, mean, and counts of NaNs and infinities, instead of the values" },
  full: { help: "all values of a large array" },
} as const;

/** The command. */
export const show = command({
  name: "show",
  summary: "show the values of an array, or any other value in a file",
  operands: ["FILE", "NAME?"],
  options: OPTIONS,
  notes: [
    "Of an array of more than 1000 elements only the first and last rows are read and shown, without --full or --json.",
  ],
  json:
    "{ name, dtype, shape, data } with data in lists (or stats: { min, max, mean, nan, inf }), { name, type, value } " +
    "for other values; NaN and infinities are strings",
  async run({ operands: [from, name], options, session }) {
    await withFile(from, options, session, async (file) => {
      if (name === undefined && file.arrays.size !== 1) return await showValue(file, "", options, session);
      const isArray = name === undefined || file.arrays.has(name);
      if (!isArray) return await showValue(file, name, options, session);
      await showArray(file, arrayNamed(file, name), options, session);
    });
    return DONE;
  },
});

type Options = Given<typeof OPTIONS>;

async function showArray(
  file: OpenFile,
  name: string,
  options: Options,
  session: Session,
): Promise<void> {
  const { checkpoint } = file;
  const { signal } = session;
  const { dtype, shape } = checkpoint.info(name);
  const bounds = options.slice === undefined ? null : boundsOf(options.slice, shape);
  const whole = async () =>
    bounds ? await checkpoint.getSlice(name, bounds, { signal }) : await checkpoint.get(name, { signal });
  if (options.stats) {
    const array = await whole(), { shape, nbytes } = array;
    const { min, max, mean, nanCount, infCount } = statistics(array);
    if (session.json) {
      const stats = { min, max, mean, nan: nanCount, inf: infCount };
      return await session.printJson({ name, dtype, shape, stats });
    }
    await session.print(
      `${nameText(name)}  ${dtype}  ${shapeText(shape)}  ${sizeText(nbytes)}`,
      ...table([["min", String(min)], ["max", String(max)], ["mean", String(mean)], ["nan", String(nanCount)], [
        "inf",
        String(infCount),
      ]]),
    );
    return;
  }
  const allShown = async () => {
    if (!bounds) checkCount(elementCount(shape));
    const array = await whole();
    checkCount(array.size);
    return array;
  };
  if (session.json) {
    const array = await allShown();
    return await session.printJson({ name, dtype, shape: array.shape, data: array.toArray() });
  }
  const elements = options.full ? await allShown() : bounds ? await whole() : await shownPart(checkpoint, name, signal);
  await session.print(`${nameText(name)}  ${dtype}  ${shapeText(shape)}`);
  await session.printAll(arrayText(elements, options));
}

async function showValue(file: OpenFile, name: string, options: Options, session: Session): Promise<void> {
  const { value: root, arrays } = file;
  const found = name === "" ? { value: root, container: null, key: null } : findValue(root, name);
  if (!found) throw notNamed(name, [...rowsOf(root, arrays)].map((row) => row.name));
  const { value, container, key } = found;
  for (const option of ["slice", "stats", "full"] as const) {
    if (options[option] !== undefined) throw new UsageError(`--${option} applies to one array: name one`);
  }
  const isFloat = container !== null && isFloatAt(container, key, value);
  if (session.json) {
    return await session.printJson({ name, type: typeText(value, isFloat), value: valueJson(value) });
  }
  const rows = [...rowsOf(value, arrays, name)];
  if (rows.length === 1 && rows[0].value === value) {
    const text = valueText(value, isFloat);
    return await session.print(value instanceof OpaqueArray ? `${typeText(value)} ${text}` : text);
  }
  await session.printAll(
    table(rows.map(({ name, value, isFloat }) => {
      const array = value instanceof SelectedRows ? value.value : value;
      return array instanceof NDArray
        ? [nameText(name), array.dtype, shapeText(array.shape)]
        : [name, typeText(value, isFloat), valueText(value, isFloat)];
    })),
  );
}

function boundsOf(text: string, shape: readonly number[]): [number, number] {
  const parts = /^(-?\d{1,15})?(:(-?\d{1,15})?)?$/.exec(text);
  if (!parts || text === "") throw new UsageError(`--slice must be A:B, A:, :B or one row A: got ${text}`);
  const [, first, colon, last] = parts;
  if (shape.length === 0) throw new UsageError("A 0-d array has no rows: leave --slice out");
  if (colon === undefined) {
    const row = Number(first);
    return [row, row === -1 ? shape[0] : row + 1];
  }
  return [first === undefined ? 0 : Number(first), last === undefined ? shape[0] : Number(last)];
}
