/**
 * JSON of anything: integers of any size as their digits; NaN and infinities, which JSON does not have, as the texts `"NaN"`, `"Infinity"`,
 * `"-Infinity"`.
 *
 * @module
 */
import { LimitError, visible } from "../errors.ts";

/** Values that one answer may have: what is shared in a file unfolds in a text. */
const MOST = 2 ** 24;

/** Lists and objects in one another that an answer may have: twice what files have unless limits are raised. */
const DEEPEST = 1000;

/** Throw where an answer nests too deep: who writes it, and who reads it, goes down with it. */
export function checkDepth(depth: number): void {
  if (depth <= DEEPEST) return;
  throw new LimitError("LIMIT", `The answer nests more than ${DEEPEST} deep: ask for a part of it`, { max: DEEPEST });
}

/** The text of a value: objects, lists, Maps with texts for keys. Controls, and what turns the direction of text, are escaped. */
export function jsonText(value: unknown): string {
  const parts: string[] = [];
  let count = 0;
  const put = (item: unknown, depth: number): void => {
    checkDepth(depth);
    if (++count > MOST) {
      throw new LimitError("LIMIT", `The answer has more than ${MOST} values: ask for a part of it`, { max: MOST });
    }
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
