/**
 * Numbers, shapes and tables as text for people.
 *
 * @module
 */

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

/** Rows with aligned columns; those in `right` are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, Math.min(WIDEST, cell.length)));
  }
  return rows.map((row) =>
    row.map((cell, i) => right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join("  ").trimEnd()
  );
}
