/**
 * Keys of dicts and members of sets. To Python 1, 1.0 and True are the same key, and bytes and tuples compare by content; a Map does
 * neither. So each container that has such keys gets an index from a key's canonical form to the key stored in the Map (RULES.md PKL-9).
 *
 * @module
 */
import { ByteArray, Float, PythonRecord, Tuple } from "../../values.ts";
import { textFromLatin1 } from "../../words/latin1.ts";
import { isUnread } from "./unread.ts";

/** For each container with non-string keys: its keys by canonical form. */
const indexes = new WeakMap<object, Map<string, unknown>>();
/** Maximum size and depth of a tuple that is used as a key (RULES.md PKL-9). */
const MAX_LEAVES = 256, MAX_DEPTH = 8;

/** The key of `container` that equals `key`; if there is none yet, `key` itself, which is then indexed. */
export function keyOf(container: object, key: unknown, form: string): unknown {
  let index = indexes.get(container);
  if (!index) indexes.set(container, index = new Map());
  if (index.has(form)) return index.get(form);
  index.set(form, key);
  return key;
}

/** Whether a key is a number that equals only itself: 0 and 1 also equal booleans, and from 2^53 on a float may equal a bigint. */
export function isLikeNoOther(key: unknown): key is number {
  return typeof key === "number" && Math.abs(key) < 2 ** 53 && key !== 0 && key !== 1;
}

/**
 * Canonical form of a non-string key: equal forms mean equal keys in Python. Null if it is unhashable, NaN or too large. `charge` is
 * called with the length of each part before the part is built: a tuple may contain a long string hundreds of times, and be a key in many
 * dicts.
 */
export function canonicalForm(key: unknown, charge: (units: number) => void = free): string | null {
  const parts: string[] = [];
  let leaves = 0;
  const todo: [unknown, number][] = [[key, 0]];
  while (todo.length > 0) {
    const [item, depth] = todo.pop()!;
    if (item instanceof Tuple || item instanceof PythonRecord) {
      const items = item instanceof Tuple ? item : [...item.fields].flat();
      parts.push(item instanceof Tuple ? `t${items.length}` : `r${item.className}${items.length}`);
      if (depth >= MAX_DEPTH || leaves + items.length > MAX_LEAVES) return null;
      for (let i = items.length - 1; i >= 0; i--) todo.push([items[i], depth + 1]);
      continue;
    }
    if (++leaves > MAX_LEAVES) return null;
    const isLong = typeof item === "string" || item instanceof Uint8Array;
    if (isLong) charge(item.length);
    const form = leafForm(item);
    if (form === null) return null;
    if (!isLong) charge(form.length);
    parts.push(form);
  }
  return parts.join(",");
}

function free(): void {}

function leafForm(key: unknown): string | null {
  switch (typeof key) {
    case "string":
      return `s${key.length}:${key}`;
    case "boolean":
      return key ? "n1" : "n0";
    case "number":
      // String(-0) is "0": Python considers -0 and 0 equal, as Map does.
      return Number.isNaN(key) ? null : `n${key}`;
    case "bigint": {
      const float = Number(key);
      // Hexadecimal, because conversion to decimal takes quadratic time.
      return Number.isFinite(float) && BigInt(float) === key ? `n${float}` : `i${key.toString(16)}`;
    }
  }
  if (key === null) return "N";
  if (key instanceof Float) return leafForm(key.value);
  if (key instanceof Uint8Array && !(key instanceof ByteArray) && !isUnread(key)) {
    return `b${key.length}:${textFromLatin1(key)}`;
  }
  return null;
}
