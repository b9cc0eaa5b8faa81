/**
 * Moves stack items into lists, tuples, dicts and sets by Python's rules: keys compare equal as in Python, floats stay floats (RULES.md
 * PKL-9), and symbols are never stored.
 *
 * @module
 */
import { FormatError, quote, type Warning } from "../../errors.ts";
import { forgetFloat, rememberFloat, rememberFloatKey, wasFloat, wasFloatKey } from "../../words/floats.ts";
import { type Budget, PRICES } from "../../limits.ts";
import { Float, Tuple } from "../../values.ts";
import { type Decoder, PAUSE } from "../cursor.ts";
import { ByteText, ENCODE_ARGUMENTS, spelledOut } from "./byte_text.ts";
import { utf8Size } from "../../words/utf8.ts";
import type { Unfilled } from "./call.ts";
import { Fills } from "./fills.ts";
import type { Here } from "./here.ts";
import { canonicalForm, equalsPlain, isLikeNoOther, keyOf, NoKey } from "./keys.ts";
import type { PickleStack } from "./pickle_stack.ts";
import { PickledArray, Token } from "./pickled.ts";
import type { SymbolGuard } from "./symbol_guard.ts";

/** Items added to a container between two pauses: an even number, as dicts take pairs. */
const AT_A_TIME = 16_384;
/** Repeated keys beyond this many get no warning. */
const MAX_WARNINGS = 100;

/** Fills the containers of one pickle. */
export class Containers {
  /** Repeated keys. */
  readonly warnings: Warning[] = [];
  readonly #stack: PickleStack;
  readonly #here: Here;
  readonly #budget: Budget;
  readonly #symbols: SymbolGuard;
  readonly #strict: boolean;
  readonly #fills = new Fills();
  /** Whether some key so far may equal a string or number that is looked up without its canonical form. */
  #hasOddKeys = false;
  /** Long keys whose size has been checked. */
  readonly #longNames = new Set<string>();
  readonly #chargeUnits = (units: number): void => this.#budget.charge(PRICES.unit * units, this.#here.at);

  /** With `strict`, a repeated key is an error. */
  constructor(stack: PickleStack, budget: Budget, symbols: SymbolGuard, strict: boolean) {
    this.#stack = stack;
    this.#here = stack.here;
    this.#budget = budget;
    this.#symbols = symbols;
    this.#strict = strict;
  }

  /** Replace the top `n` items of the stack by a tuple of them. */
  tuple(n: number): void {
    const { items, fence } = this.#stack;
    const start = items.length - n;
    if (start < fence) throw this.#here.badStack("takes more than the stack holds");
    this.#budget.charge(PRICES.tuple + PRICES.slot * n, this.#here.at);
    const tuple = tupleOf(items, start, n);
    const below = start > 0 ? items[start - 1] : undefined;
    const isForEncode = n === ENCODE_ARGUMENTS && below instanceof Token && below.kind === "encode";
    for (let i = 0; i < n; i++) {
      const item = tuple[i];
      if (typeof item !== "object" || item === null) continue;
      const token = this.#symbols.tokenIn(item);
      if (token) this.#symbols.taint(tuple, token);
      else if (item instanceof Float) {
        rememberFloat(tuple, i, item.value);
        tuple[i] = item.value;
      } else if (item instanceof ByteText && !isForEncode) tuple[i] = spelledOut(item);
    }
    // Never empty the stack in between: an empty array frees its memory, and the next push allocates again.
    if (n === 0) items.push(tuple);
    else {
      items[start] = tuple;
      if (n > 1) items.length = start + 1;
    }
  }

  /** Append an item to a list or tuple. */
  append(list: unknown[], item: unknown): void {
    if (item instanceof Float) {
      rememberFloat(list, list.length, item.value);
      list.push(item.value);
    } else list.push(this.settle(item));
    this.#budget.charge(PRICES.slot, this.#here.at);
  }

  /** Move the stack items from `start` on into a container, with pauses if there are many. */
  *fill(container: unknown[] | Map<unknown, unknown> | Set<unknown>, start: number): Decoder<void> {
    const { items } = this.#stack;
    if (container instanceof Map && (items.length - start) % 2 !== 0) {
      throw this.#here.badStack("needs keys and values in pairs");
    }
    for (let from = start; from < items.length; from += AT_A_TIME) {
      if (from > start) yield PAUSE;
      const end = Math.min(items.length, from + AT_A_TIME);
      if (container instanceof Map) this.#setItems(container, from, end);
      else {
        const isList = Array.isArray(container);
        for (let i = from; i < end; i++) {
          if (isList) this.append(container, items[i]);
          else this.addItem(container, items[i]);
        }
      }
    }
    items.length = start;
  }

  /** Copy the items of one container into another, with pauses; items for a dict are `[key, value]` lists. */
  *fillFrom({ container, from }: Unfilled): Decoder<void> {
    let index = 0;
    for (const item of from) {
      if (index > 0 && index % AT_A_TIME === 0) yield PAUSE;
      if (container instanceof Map) {
        const pair = item as unknown[];
        this.setItem(container, boxed(pair, 0, pair[0]), boxed(pair, 1, pair[1]));
      } else if (Array.isArray(container)) this.append(container, boxed(from, index, item));
      else this.addItem(container, boxed(from, index, item));
      index++;
    }
  }

  /** Set a key of a dict, with Python's rules for equal keys. */
  setItem(dict: Map<unknown, unknown>, key: unknown, value: unknown): void {
    this.#put(dict, key, value);
    this.#fills.note(dict, this.#here.at);
  }

  #put(dict: Map<unknown, unknown>, key: unknown, value: unknown): void {
    let stored: unknown = key;
    const isString = typeof key === "string";
    if (isString && key.length > this.#budget.limits.maxNameBytes / 3) this.#checkName(key);
    if (!isString || this.#hasOddKeys) stored = this.#keyIn(dict, key);
    this.#budget.charge(PRICES.entry, this.#here.at);
    const { size } = dict;
    if (value instanceof Float) {
      rememberFloat(dict, stored, value.value);
      dict.set(stored, value.value);
    } else dict.set(stored, this.settle(value));
    // A dict that did not grow already had the key; checking beforehand would look it up twice.
    if (dict.size !== size) return;
    if (typeof value === "number") forgetFloat(dict, stored);
    if (isString && !this.#hasOddKeys) this.#duplicate(dict, key);
  }

  /** Set the pairs at stack indices `[start, end)` in a dict. */
  #setItems(dict: Map<unknown, unknown>, start: number, end: number): void {
    const { items } = this.#stack;
    const budget = this.#budget, { at } = this.#here;
    const longest = budget.limits.maxNameBytes / 3;
    for (let i = start; i < end; i += 2) {
      const key = items[i], value = items[i + 1];
      const isCommon = typeof key === "string" && key.length <= longest && !this.#hasOddKeys &&
        (typeof value === "string" || value instanceof PickledArray);
      if (!isCommon) {
        this.#put(dict, key, value);
        continue;
      }
      budget.charge(PRICES.entry, at);
      const { size } = dict;
      dict.set(key, value);
      if (dict.size === size) this.#duplicate(dict, key);
    }
    this.#fills.note(dict, at);
  }

  /** Add a member to a set. */
  addItem(set: Set<unknown>, item: unknown): void {
    this.#budget.charge(PRICES.entry, this.#here.at);
    set.add(typeof item === "string" && !this.#hasOddKeys ? item : this.#keyIn(set, item));
  }

  /** What a container stores for a stack item: a symbol is refused, a byte text becomes a string. */
  settle(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    this.#symbols.datum(value);
    return value instanceof ByteText ? spelledOut(value) : value;
  }

  /** The key of `container` that equals `key` in Python; if there is none yet, `key` itself, which is then remembered. */
  #keyIn(container: Map<unknown, unknown> | Set<unknown>, key: unknown): unknown {
    const plain = key instanceof Float ? key.value : this.settle(key);
    let stored = plain;
    if (this.#hasOddKeys || !isLikeNoOther(plain)) {
      const form = canonicalForm(plain, this.#chargeUnits);
      if (form instanceof NoKey) throw this.#here.bad("BAD_KEY", `has a key that ${form.why}`);
      this.#hasOddKeys ||= equalsPlain(plain);
      stored = keyOf(container, plain, form);
    }
    if (container.has(stored)) {
      if (container instanceof Map) this.#duplicate(container, stored);
    } else if (key instanceof Float || Object.is(key, -0)) {
      // A Map stores -0 as 0, but it is still a float, not an int.
      rememberFloatKey(container, (plain as number) + 0);
    }
    return stored;
  }

  #checkName(key: string): void {
    // A memoized string may be a key in many dicts.
    if (this.#longNames.has(key)) return;
    this.#budget.check("maxNameBytes", utf8Size(key), this.#here.at);
    this.#longNames.add(key);
  }

  #duplicate(dict: Map<unknown, unknown>, key: unknown): void {
    const { at: offset, name } = this.#here;
    const isListed = this.warnings.length < MAX_WARNINGS;
    if (!isListed && !this.#strict) return;
    const at = this.#here.path;
    const first = this.#fills.offsetOf(dict, key) ?? offset;
    const message = `The key ${quote(String(key))} appears twice, set at byte ${first} and again by the ${name} at ` +
      `byte ${offset}: the last value wins.`;
    if (this.#strict) throw new FormatError("DUPLICATE_KEY", message, { offset, at });
    this.warnings.push({ code: "DUPLICATE_KEY", message, offset, at });
  }
}

/** A tuple of `n` items, starting at `start`. Changing an array's prototype takes half the time and memory of `new` on a subclass. */
function tupleOf(items: unknown[], start: number, n: number): Tuple<unknown> {
  const list = n === 1
    ? [items[start]]
    : n === 2
    ? [items[start], items[start + 1]]
    : n === 3
    ? [items[start], items[start + 1], items[start + 2]]
    : items.slice(start);
  return Object.setPrototypeOf(list, Tuple.prototype);
}

/** An item of a container, boxed as on the stack if it was a float. */
function boxed(container: readonly unknown[] | ReadonlySet<unknown>, index: number, item: unknown): unknown {
  if (typeof item !== "number") return item;
  const isFloat = Array.isArray(container) ? wasFloat(container, index, item) : wasFloatKey(container, item);
  return isFloat ? new Float(item) : item;
}
