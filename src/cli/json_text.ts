/**
 * JSON of any value: integers of any size as digits; NaN and infinities, which JSON lacks, as the strings `"NaN"`,
 * `"Infinity"` and `"-Infinity"`.
 *
 * @module
 */
import { LimitError, visible } from "../errors.ts";

/** Maximum number of values in one answer: what a file shares is written out each time. */
const MOST = 2 ** 24;

/** Maximum nesting of lists and objects in an answer: twice what files may have unless limits are raised. */
const DEEPEST = 1000;

/** Throw if an answer nests too deeply: its writer and its readers would overflow their stacks. */
export function checkDepth(depth: number): void {
  if (depth <= DEEPEST) return;
  throw new LimitError("LIMIT", `The answer nests more than ${DEEPEST} deep: ask for a part of it`, { max: DEEPEST });
}

/** Throw if an answer has too many values. */
export function checkCount(count: number): void {
  if (count <= MOST) return;
  throw new LimitError("LIMIT", `The answer has more than ${MOST} values: ask for a part of it`, { max: MOST });
}

/**
 * The JSON of a value made of objects, lists and Maps with string keys. Control characters and those that change
 * the text direction are escaped.
 */
export function jsonText(value: unknown): string {
  const parts: string[] = [];
  let count = 0;
  const put = (item: unknown, depth: number): void => {
    checkDepth(depth);
    checkCount(++count);
    if (typeof item === "number") parts.push(numberText(item));
    else if (typeof item === "bigint") parts.push(String(item));
    else if (item === null || typeof item !== "object") parts.push(JSON.stringify(item) ?? "null");
    else if (Array.isArray(item)) {
      parts.push("[");
      item.forEach((element, i) => {
        if (i > 0) parts.push(",");
        put(element, depth + 1);
      });
      parts.push("]");
    } else {
      const entries: [string, unknown][] = item instanceof Map ? [...item] : Object.entries(item);
      parts.push("{");
      let isFirst = true;
      for (const [key, element] of entries) {
        if (element === undefined) continue;
        parts.push(isFirst ? "" : ",", JSON.stringify(key), ":");
        isFirst = false;
        put(element, depth + 1);
      }
      parts.push("}");
    }
  };
  put(value, 0);
  return visible(parts.join(""));
}

function numberText(x: number): string {
  if (Object.is(x, -0)) return "-0";
  return Number.isFinite(x) ? String(x) : JSON.stringify(String(x));
}
