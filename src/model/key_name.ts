/**
 * Keys as parts of the names of arrays.
 *
 * @module
 */
import { PythonRecord } from "../values.ts";

/** A key of a dict as text: that of its parts if it has any. A key that comes from a file has few (RULES.md PKL-9). */
export function keyName(key: unknown): string {
  if (key instanceof Set) return `{${keyNames(key)}}`;
  if (key instanceof PythonRecord) return `${key.className}(${keyNames(key.fields.values())})`;
  return Array.isArray(key) ? keyNames(key) : String(key);
}

function keyNames(parts: Iterable<unknown>): string {
  return Array.from(parts, keyName).join(",");
}
