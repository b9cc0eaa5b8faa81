/**
 * Keys of dicts and members of sets. To Python 1, 1.0 and True are the same key, and bytes and tuples compare by content; a Map does
 * neither. So each container that has such keys gets an index from a key's canonical form to the key stored in the Map (RULES.md PKL-9).
 *
 * @module
 */
import { ByteArray, Complex, Float, FrozenSet, NumpyScalar, PythonRecord, Tuple } from "../../values.ts";
import { BLOB_MIN } from "../cursor.ts";
import { textFromLatin1 } from "../../words/latin1.ts";
import { checkedBytes } from "../../words/plain_bytes.ts";
import { isUnread } from "./unread.ts";

/** For each container with non-string keys: its keys by canonical form. */
const indexes = new WeakMap<object, Map<string, unknown>>();
/** Maximum size and depth of a tuple or frozenset that is used as a key (RULES.md PKL-9). */
const MAX_LEAVES = 256, MAX_DEPTH = 8;

/** The key of `container` that equals `key`; if there is none yet, `key` itself, which is then indexed. */
export function keyOf(
  container: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  key: unknown,
  form: string,
): unknown {
  let index = indexes.get(container);
  if (!index) indexes.set(container, index = new Map());
  if (index.has(form)) return index.get(form);
  if (equalsPlain(key)) {
    // Most strings and numbers are keys without being indexed.
    const plain = form[0] === "s" ? form.slice(form.indexOf(":") + 1) : form[0] === "n" ? Number(form.slice(1)) : key;
    if (container.has(plain)) return plain;
  }
  index.set(form, key);
  return key;
}

/** The key of `container` that equals `key`, such as 1 for True or another tuple of the same items; if there is none, `key` itself. */
export function sameKey(container: ReadonlyMap<unknown, unknown>, key: unknown): unknown {
  if (typeof key === "string" || container.has(key)) return key;
  const form = canonicalForm(key);
  return form instanceof NoKey ? key : keyOf(container, key, form);
}

/** Whether a key may equal a string or number without being one: `numpy.int64(3)` equals 3. */
export function equalsPlain(key: unknown): boolean {
  return key instanceof NumpyScalar || key instanceof Complex;
}

/** Whether a key is a number that equals no boolean or bigint: 0 and 1 equal booleans, and from 2^53 on a float may equal a bigint. */
export function isLikeNoOther(key: unknown): key is number {
  return typeof key === "number" && Math.abs(key) < 2 ** 53 && key !== 0 && key !== 1;
}

/** Why a value is no key, such as `is NaN`. */
export class NoKey {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** What forms of keys are made of so far. */
interface Forming {
  leaves: number;
  readonly charge: (units: number) => void;
}

/**
 * Canonical form of a key: equal forms mean equal keys in Python. `charge` is called with the length of each part before the part is
 * built: a tuple may contain a long string hundreds of times, and be a key in many dicts.
 */
export function canonicalForm(key: unknown, charge: (units: number) => void = free): string | NoKey {
  return formOf(key, 0, { leaves: 0, charge });
}

function free(): void {}

/** The recursion is at most `MAX_DEPTH` deep. */
function formOf(key: unknown, depth: number, forming: Forming): string | NoKey {
  const isRecord = key instanceof PythonRecord, isSet = key instanceof FrozenSet;
  if (!isRecord && !isSet && !(key instanceof Tuple)) {
    if (++forming.leaves > MAX_LEAVES) return tooLarge();
    const isLong = typeof key === "string" || key instanceof Uint8Array;
    if (isLong) forming.charge(key.length);
    const form = leafForm(key);
    if (form instanceof NoKey) return depth > 0 ? new NoKey(`has a part that ${form.why}`) : form;
    if (!isLong) forming.charge(form.length);
    return form;
  }
  const items: readonly unknown[] = isRecord ? [...key.fields].flat() : isSet ? [...key] : key;
  if (depth >= MAX_DEPTH || forming.leaves + items.length > MAX_LEAVES) return tooLarge();
  const parts: string[] = [];
  for (const item of items) {
    const part = formOf(item, depth + 1, forming);
    if (part instanceof NoKey) return part;
    parts.push(part);
  }
  // The members of a set have no order.
  if (isSet) parts.sort();
  return [(isRecord ? `r${key.className}` : isSet ? "f" : "t") + items.length, ...parts].join(",");
}

function tooLarge(): NoKey {
  return new NoKey(`nests more than ${MAX_LEAVES} values or ${MAX_DEPTH} levels`);
}

function leafForm(key: unknown): string | NoKey {
  switch (typeof key) {
    case "string":
      return `s${key.length}:${key}`;
    case "boolean":
      return key ? "n1" : "n0";
    case "number":
      // String(-0) is "0": Python considers -0 and 0 equal, as Map does.
      return Number.isNaN(key) ? new NoKey("is NaN") : `n${key}`;
    case "bigint": {
      const float = Number(key);
      // Hexadecimal, because conversion to decimal takes quadratic time.
      return Number.isFinite(float) && BigInt(float) === key ? `n${float}` : `i${key.toString(16)}`;
    }
  }
  if (key === null) return "N";
  if (key instanceof Float) return leafForm(key.value);
  if (key instanceof NumpyScalar) {
    const form = leafForm(key.value);
    // A date is an int with a unit.
    return /^(date|time)/.test(key.dtype) && typeof form === "string" ? `d${key.dtype}:${form}` : form;
  }
  if (key instanceof Complex) {
    if (key.im === 0) return leafForm(key.re);
    return Number.isNaN(key.re + key.im) ? new NoKey("is NaN") : `c${key.re}:${key.im}`;
  }
  const isBytes = key instanceof Uint8Array && !(key instanceof ByteArray);
  if (isUnread(key) || (isBytes && key.length >= BLOB_MIN)) return new NoKey("has 4 KiB or more");
  if (isBytes) return `b${key.length}:${textFromLatin1(checkedBytes(key))}`;
  return new NoKey("is no text, number, bytes, or tuple or frozenset of these");
}
