/**
 * The path within the object at which the pickle machine is, for errors.
 *
 * @module
 */
const MAX_KEY = 60;
const MAX_STEPS = 16;
/** Maximum marks examined: a file may open millions, and cause as many refusals that report a path. */
const MAX_MARKS = 1024;
/** Larger ints are not printed in a path. */
const LARGE = 2n ** 64n;

/** The path being filled, such as `["model"]["fc.weight"]`, as far as the stack tells. */
export function pathOf(stack: readonly unknown[], marks: readonly number[]): string {
  const steps: string[] = [];
  const levels = Math.min(marks.length, MAX_MARKS);
  for (let level = 0; level < levels && steps.length < MAX_STEPS; level++) {
    const start = marks[level];
    const owner = start > 0 ? stack[start - 1] : undefined;
    const next = level + 1 < marks.length ? marks[level + 1] : stack.length;
    if (owner instanceof Map) {
      // Keys are at even indices above the mark; the last one is that of the value being made.
      const key = start + 2 * Math.floor(Math.max(0, next - start - 1) / 2);
      if (key < stack.length) steps.push(keyStep(stack[key]));
    } else if (Array.isArray(owner)) steps.push(`[${owner.length + Math.max(0, next - start - 1)}]`);
  }
  return steps.join("");
}

/** One step of a path. */
export function keyStep(key: unknown): string {
  if (typeof key === "string") return `[${JSON.stringify(key.length > MAX_KEY ? key.slice(0, MAX_KEY) + "…" : key)}]`;
  if (typeof key === "bigint" && (key > LARGE || key < -LARGE)) return "[…]";
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean" || key === null) return `[${key}]`;
  return "[…]";
}
