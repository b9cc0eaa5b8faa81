/** Human-readable numbers and shapes. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A size in bytes. */
export function sizeText(bytes: number): string {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${UNITS[unit]}`;
}

/** A shape. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "scalar" : shape.join(" × ");
}

/** A count. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** A count of tensors. */
export function tensorsText(count: number): string {
  return `${countText(count)} ${count === 1 ? "tensor" : "tensors"}`;
}

/** A number of a statistic. */
export function numberText(x: number): string {
  if (!Number.isFinite(x) || Number.isSafeInteger(x)) return String(x);
  return String(Number(x.toPrecision(7)));
}

/** Characters that are written from right to left, or that change the direction of what follows them. */
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A name from a file within a sentence, whose order it does not change. */
export function isolated(name: string): string {
  return TURNS.test(name) ? `\u2068${name}\u2069` : name;
}
