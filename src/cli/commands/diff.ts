/**
 * `diff`: compares two files.
 *
 * @module
 */
import { isComplex } from "../../words/convert.ts";
import { NDArray } from "../../ndarray.ts";
import { maxDifference } from "../../words/statistics.ts";
import { command, UsageError } from "../command.ts";
import { DONE, NO } from "../failure.ts";
import { type OpenFile, withFile } from "../open_file.ts";
import { FROM_ARRAYS } from "../reading.ts";
import { isSameValue } from "../same_value.ts";
import type { Session } from "../session.ts";
import { countText, nameText, shapeText, table } from "../text.ts";
import type { SelectedRows } from "../../values.ts";
import { type Row, rowsOf } from "../value_rows.ts";
import { typeText, valueJson, valueText } from "../value_text.ts";

/** The command. */
export const diff = command({
  name: "diff",
  summary: "compare names, dtypes, shapes and values of two files",
  operands: ["A", "B"],
  options: {
    ...FROM_ARRAYS,
    tolerance: { value: "X", help: "treat values that differ by no more than this as equal (default 0)" },
    "ignore-dtype": { help: "treat equal values of different dtypes as equal" },
  },
  notes: [
    "Exit code 0: the same, 1: they differ. Only one pair of arrays is in memory at a time. NaN equals NaN.",
    "Of two models, the parameters are compared, not the programs.",
  ],
  json: "{ same, equal, onlyInA: [name], onlyInB: [name], differ: [{ name, a, b, maxDifference? }] } " +
    "with a and b as { dtype, shape, rows?, height?, keys? } or { type, value, keys? }",
  async run({ operands: [a, b], options, session }) {
    const tolerance = toleranceOf(options.tolerance);
    const found = await withFile(
      a,
      options,
      session,
      (left) =>
        withFile(
          b,
          options,
          session,
          (right) => compare(left, right, { tolerance, ignoreDtype: options["ignore-dtype"] }, session),
        ),
    );
    const same = found.onlyInA.length + found.onlyInB.length + found.differ.length === 0;
    if (session.json) await session.printJson({ same, ...found, differ: found.differ.map(differenceJson) });
    else await session.printAll(lines(found));
    return same ? DONE : NO;
  },
});

interface Difference {
  name: string;
  a: Row;
  b: Row;
  maxDifference?: number;
}

interface Found {
  equal: number;
  onlyInA: string[];
  onlyInB: string[];
  differ: Difference[];
}

function toleranceOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const tolerance = Number(text);
  if (text.trim() === "" || !(tolerance >= 0)) {
    throw new UsageError(`--tolerance must be a number not below 0: got ${text}`);
  }
  return tolerance;
}

async function compare(
  a: OpenFile,
  b: OpenFile,
  { tolerance, ignoreDtype }: { tolerance: number; ignoreDtype?: boolean },
  { signal }: Session,
): Promise<Found> {
  const left = byName(a), right = byName(b), pairs = pairsOf(left, right);
  const found: Found = { equal: 0, onlyInA: [], onlyInB: [], differ: [] };
  for (const [name, row] of left) {
    const other = pairs.get(row);
    if (!other) {
      found.onlyInA.push(name);
      continue;
    }
    const difference: Difference = { name, a: row, b: other };
    if (row.keyTypes !== other.keyTypes) found.differ.push(difference);
    else if (row.value instanceof NDArray && other.value instanceof NDArray) {
      const isShaped = String(row.value.shape) === String(other.value.shape) &&
        isComplex(row.value.dtype) === isComplex(other.value.dtype);
      if (isShaped) {
        const [x, y] = await Promise.all([
          a.checkpoint.get(row.name, { signal }),
          b.checkpoint.get(other.name, { signal }),
        ]);
        difference.maxDifference = maxDifference(x, y);
      }
      const isNear = isShaped && difference.maxDifference! <= tolerance && isSameRows(row.selected, other.selected);
      if (isNear && (ignoreDtype || row.value.dtype === other.value.dtype)) found.equal++;
      else found.differ.push(difference);
    } else if (isSameValue(row, other, tolerance)) found.equal++;
    else found.differ.push(difference);
  }
  const paired = new Set(pairs.values());
  for (const [name, row] of right) if (!paired.has(row)) found.onlyInB.push(name);
  return found;
}

type Rows = ReadonlyMap<string, Row>;

/** The row of `right` for each of `left`: the one with the same keys, wherever it is in its file, or else the one of the same name. */
function pairsOf(left: Rows, right: Rows): Map<Row, Row> {
  const pairs = new Map<Row, Row>(), paired = new Set<Row>();
  const places = new Map([...right.values()].map((row) => [placeOf(row), row]));
  const pair = (row: Row, other: Row | undefined) => {
    if (!other || pairs.has(row) || paired.has(other)) return;
    pairs.set(row, other);
    paired.add(other);
  };
  for (const row of left.values()) pair(row, places.get(placeOf(row)));
  for (const [name, row] of left) pair(row, right.get(name));
  return pairs;
}

function placeOf({ name, path, keyTypes }: Row): string {
  return `${keyTypes} ${path || name}`;
}

/** Whether two arrays are the same rows of a matrix, or neither is a part of one. */
function isSameRows(a: SelectedRows | undefined, b: SelectedRows | undefined): boolean {
  return a?.height === b?.height && String(a?.rows) === String(b?.rows);
}

/** The rows by name; the keys of `{ "a.b": 1, a: { b: 2 } }` join to the same name, so further rows of a name are numbered. */
function byName(file: OpenFile): Map<string, Row> {
  const rows = new Map<string, Row>(), times = new Map<string, number>();
  for (const row of rowsOf(file.value, file.arrays)) {
    let name = row.name;
    while (rows.has(name)) {
      const time = (times.get(row.name) ?? 1) + 1;
      times.set(row.name, time);
      name = `${row.name}#${time}`;
    }
    rows.set(name, row);
  }
  return rows;
}

function differenceJson({ name, a, b, maxDifference }: Difference): unknown {
  const keys = a.keyTypes !== b.keyTypes;
  return { name, a: sideJson(a, keys), b: sideJson(b, keys), maxDifference };
}

function sideJson({ value, isFloat, selected, keyTypes }: Row, withKeys: boolean): unknown {
  const keys = withKeys ? keyTypes : undefined;
  if (value instanceof NDArray) {
    return { dtype: value.dtype, shape: value.shape, rows: selected?.rows, height: selected?.height, keys };
  }
  return { type: typeText(value, isFloat), value: valueJson(value), keys };
}

function lines({ equal, onlyInA, onlyInB, differ }: Found): string[] {
  const near = (x: number | undefined) => x === undefined ? "" : `max difference ${x}`;
  return [
    ...onlyInA.map((name) => `- ${nameText(name)}`),
    ...onlyInB.map((name) => `+ ${nameText(name)}`),
    ...table(differ.map(({ name, a, b, maxDifference }) => {
      const keys = a.keyTypes !== b.keyTypes, [x, y] = [sideText(a, keys), sideText(b, keys)];
      return [`~ ${nameText(name)}`, x === y ? x : `${x} -> ${y}`, near(maxDifference)];
    })),
    `${countText(equal, "entry", "entries")} the same, ${differ.length} differ, ` +
    `${onlyInA.length} only in the first, ${onlyInB.length} only in the second`,
  ];
}

function sideText({ value, isFloat, selected, keyTypes }: Row, withKeys: boolean): string {
  const rows = selected ? `, rows ${valueText(selected.rows)} of ${selected.height}` : "";
  const keys = withKeys ? `, keys ${keyTypes}` : "";
  if (value instanceof NDArray) return `${value.dtype} ${shapeText(value.shape)}${rows}${keys}`;
  return `${typeText(value, isFloat)} ${valueText(value, isFloat)}${keys}`;
}
