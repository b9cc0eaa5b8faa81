/**
 * Formats the elements of an array like numpy: all of a small one, the first and last along each axis of a large one.
 *
 * @module
 */
import type { NDArray, Scalar } from "../ndarray.ts";
import { Complex } from "../values.ts";
import { elementCount } from "../words/element_count.ts";

/** Maximum number of elements that are printed in full. */
export const THRESHOLD = 1000;
/** Number of elements printed at each end of an axis. */
export const EDGE = 3;
/** Maximum length of a line. */
const WIDTH = 75;

/** Elements by index. */
export interface Elements {
  readonly shape: readonly number[];
  at(...index: number[]): Scalar;
  readonly dtype: NDArray["dtype"];
}

/** An array as lines of text; `full` leaves nothing out. */
export function arrayText(elements: Elements, { full = false }: { full?: boolean } = {}): string[] {
  const { shape } = elements;
  const size = elementCount(shape);
  if (size === 0) return [`[] of shape [${shape.join(", ")}]`];
  const places = shape.map((length) => full || size <= THRESHOLD ? range(0, length) : shownOf(length));
  const texts: string[] = [];
  const width = { most: 0 };
  const collect = (axis: number, index: number[]): void => {
    if (axis === shape.length) {
      const text = elementText(elements.at(...index), elements.dtype);
      width.most = Math.max(width.most, text.length);
      texts.push(text);
    } else for (const i of places[axis]) if (i !== null) collect(axis + 1, [...index, i]);
  };
  collect(0, []);
  if (shape.length === 0) return texts;
  let next = 0;
  const lines: string[] = [];
  const write = (axis: number, before: string, after: string): void => {
    const indent = " ".repeat(axis + 1);
    if (axis === shape.length - 1) {
      const cells = places[axis].map((i) => i === null ? "..." : texts[next++].padStart(width.most));
      for (const line of rowLines(before + "[", indent, cells, "]" + after)) lines.push(line);
      return;
    }
    const last = places[axis].length - 1;
    places[axis].forEach((i, n) => {
      if (i === null) return void lines.push(indent + "...");
      write(axis + 1, n === 0 ? before + "[" : indent, n === last ? "]" + after : "");
    });
  };
  write(0, "", "");
  return lines;
}

function rowLines(before: string, indent: string, cells: readonly string[], after: string): string[] {
  const lines: string[] = [];
  let line = before;
  cells.forEach((cell, i) => {
    const isFirst = i === 0 || line === indent;
    if (!isFirst && line.length + 1 + cell.length > WIDTH) {
      lines.push(line);
      line = indent + cell;
    } else line += isFirst ? cell : " " + cell;
  });
  lines.push(line + after);
  return lines;
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

function shownOf(length: number): (number | null)[] {
  return length <= 2 * EDGE ? range(0, length) : [...range(0, EDGE), null, ...range(length - EDGE, length)];
}

/** Significant digits that distinguish any two values of a dtype. */
const DIGITS: Partial<Record<NDArray["dtype"], number>> = {
  float32: 9,
  complex64: 9,
  float16: 5,
  bfloat16: 4,
  float8_e4m3fn: 3,
  float8_e5m2: 3,
};

/** One element; a float with the fewest digits that distinguish it from its neighbours. */
export function elementText(x: Scalar, dtype: NDArray["dtype"]): string {
  if (typeof x === "boolean") return x ? "True" : "False";
  if (x instanceof Complex) {
    const im = floatText(x.im, dtype);
    return `${floatText(x.re, dtype)}${im.startsWith("-") ? "" : "+"}${im}j`;
  }
  if (typeof x === "bigint" || /int/.test(dtype)) return String(x);
  return floatText(x, dtype);
}

function floatText(x: number, dtype: NDArray["dtype"]): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  const digits = DIGITS[dtype];
  const text = digits === undefined ? String(x) : String(shortest(x, digits, dtype));
  const signed = Object.is(x, -0) ? "-0" : text;
  return /[.e]/.test(signed) ? signed : signed + ".";
}

function shortest(x: number, most: number, dtype: NDArray["dtype"]): number {
  // Narrower floats cannot be rounded here: as close as their digits allow is close enough.
  if (dtype !== "float32" && dtype !== "complex64") return Number(x.toPrecision(most));
  for (let digits = 6; digits < most; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return short;
  }
  return Number(x.toPrecision(most));
}
