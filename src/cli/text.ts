/**
 * Numbers, shapes and tables as text for people.
 *
 * @module
 */
import { visible } from "../errors.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A size in bytes. */
export function sizeText(bytes: number): string {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${UNITS[unit]}`;
}

/** The lengths of the axes. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** A name; an empty one is made visible. */
export function nameText(name: string): string {
  return name === "" ? '""' : name;
}

/** `1 array`, `2 arrays`; `things` is the plural if it is not regular. */
export function countText(count: number, thing: string, things: string = thing + "s"): string {
  return `${count} ${count === 1 ? thing : things}`;
}

/** Maximum width of a column that others are aligned after. */
const WIDEST = 60;

/** Characters that take no column of a terminal. */
const NARROW = /\p{Mn}|\p{Me}|\ufe0f/gu;
/** Those that take two: East Asian scripts, full-width forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;

/** Columns that a terminal needs for a line. */
function widthOf(text: string): number {
  const shown = text.replace(NARROW, "").replace(WIDE, "  ");
  return [...shown].length;
}

/** Rows with aligned columns; those in `right` are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  // Escaped before they are measured: an escape is longer than what it stands for.
  const cells = rows.map((row) => row.map((text) => visible(text)));
  const widths: number[] = [];
  for (const row of cells) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, Math.min(WIDEST, widthOf(cell))));
  }
  return cells.map((row) => {
    const padded = row.map((cell, i) => {
      const room = " ".repeat(Math.max(0, widths[i] - widthOf(cell)));
      return right.includes(i) ? room + cell : cell + room;
    });
    return padded.join("  ").trimEnd();
  });
}
