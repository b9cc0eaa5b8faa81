/**
 * Values of attributes (FORMATS.md 10.3). Those of unknown kinds are returned as they are in the file.
 *
 * @module
 */
import { quote, ValueError } from "../../errors.ts";
import type { AttributeValue } from "../../program.ts";
import { isFloatByNature } from "../../words/floats.ts";
import { Complex, Float } from "../../values.ts";
import { type Json, JsonNumber, JsonObject } from "../json/json.ts";
import { floatText, wellFormed } from "../json/write_json.ts";
import { asList, asObject, asText, At } from "./fields.ts";
import { isIntegerOf } from "../../words/integers.ts";
import { defineField } from "../../words/plain_object.ts";

/** The strings that Paddle writes under `VD` for values that are not JSON numbers. */
const NOT_FINITE: ReadonlyMap<string, number> = new Map([
  ["NaN", NaN],
  ["NAN", NaN],
  ["INF", Infinity],
  ["-INF", -Infinity],
]);

const FLOATS = new Set(["0.a_f32", "0.a_f64"]);
/** Integer kinds and their bits. */
const INTS = new Map([["0.a_i32", 32], ["0.a_i64", 64], ["0.a_index", 64]]);
const COMPLEX = new Set(["0.a_c64", "0.a_c128"]);
const STRINGS = new Set(["0.a_str", "0.a_tensorname", "1.a_dtype", "1.a_layout"]);

/** Check that `value`, whose path is `at`, is an attribute, without decoding it. */
export function checkAttribute(value: Json | undefined, at: At): void {
  const found = itemsOf(value, at);
  if (found === null || found.every(isSimpleAttribute)) return;
  const todo = [{ items: found, at }];
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { items, at } = next;
    for (let i = 0; i < items.length; i++) {
      const itemAt = new At(at, "D", i), inside = itemsOf(items[i], itemAt);
      if (inside !== null) todo.push({ items: inside, at: itemAt });
    }
  }
}

/** Whether this is an attribute that contains no others, as nearly all are, so that no path need be recorded for it. */
export function isSimpleAttribute(value: Json | undefined): boolean {
  const kind = value instanceof JsonObject ? value.get("#") : undefined;
  return typeof kind === "string" && kind !== "0.a_array";
}

/** The items of a list attribute; null for any other attribute. */
function itemsOf(value: Json | undefined, at: At): Json[] | null {
  const attribute = asObject(value, at);
  return asText(attribute.get("#"), at, "#") === "0.a_array" ? asList(attribute.get("D"), at, "D") : null;
}

/** A list or object whose members have yet to be added. */
interface Unfilled {
  readonly into: AttributeValue[] | object;
  readonly from: Json[] | JsonObject;
  /** Whether the members are attributes themselves. */
  readonly ofAttributes: boolean;
}

/** Decode an attribute that was checked. */
export function readAttribute(value: Json | undefined): AttributeValue {
  const todo: Unfilled[] = [];
  const result = attributeOf(value, todo);
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { into, from, ofAttributes } = next;
    if (from instanceof JsonObject) {
      for (const [key, entry] of from) defineField(into, key, plain(entry, todo));
    } else {
      for (const item of from) (into as unknown[]).push(ofAttributes ? attributeOf(item, todo) : plain(item, todo));
    }
  }
  return result;
}

/** The value of an attribute. A list or object is returned empty and added to `todo`. */
function attributeOf(value: Json | undefined, todo: Unfilled[]): AttributeValue {
  const attribute = value as JsonObject;
  const kind = attribute.get("#") as string;
  const data = attribute.get("D");
  if (kind === "0.a_array") return unfilled([], data as Json[], true, todo);
  if (COMPLEX.has(kind) && Array.isArray(data)) return new Complex(asNumber(data[0]), asNumber(data[1]));
  if (FLOATS.has(kind)) {
    const special = attribute.get("VD");
    return typeof special === "string" ? NOT_FINITE.get(special) ?? NaN : asNumber(data);
  }
  return plain(data ?? null, todo);
}

function unfilled(into: Unfilled["into"], from: Unfilled["from"], ofAttributes: boolean, todo: Unfilled[]) {
  todo.push({ into, from, ofAttributes });
  return into as AttributeValue;
}

function asNumber(value: Json | undefined): number {
  return value instanceof JsonNumber ? value.value : Number(value);
}

/** JSON as an attribute value: numbers as numbers, objects as null-prototype objects. */
function plain(value: Json, todo: Unfilled[]): AttributeValue {
  if (value instanceof JsonNumber) return value.value;
  if (Array.isArray(value)) return unfilled([], value, false, todo);
  return value instanceof JsonObject ? unfilled(Object.create(null), value, false, todo) : value;
}

/** The JSON of an attribute value of a kind such as `0.a_i32`; the items of a list get the kind of those in `before`. */
export function writeAttribute(name: string, value: AttributeValue, kind: string, before: Json | undefined): Json {
  const data = dataOf(value, kind, before);
  if (data === undefined) {
    throw new ValueError("INVALID_VALUE", `The attribute ${quote(name)} of kind ${kind} cannot have that value`, {
      at: name,
    });
  }
  return data;
}

/** Maximum depth of lists in lists: each is two levels of JSON, of which readers accept 256. */
const MOST_LISTS = 100;

/** undefined if the value is not of that kind; `holders` are the lists that it is in, which it must not contain. */
function dataOf(
  value: AttributeValue,
  kind: string,
  before?: Json,
  holders: readonly AttributeValue[] = [],
): Json | undefined {
  const made = (data: Json) => JsonObject.of([["#", kind], ["D", data]]);
  if (kind === "0.a_bool") return typeof value === "boolean" ? made(value) : undefined;
  if (INTS.has(kind)) return isIntegerOf(INTS.get(kind)!, value) ? made(value) : undefined;
  if (FLOATS.has(kind)) return isFloat(value) ? floatOf(Number(value), kind) : undefined;
  if (STRINGS.has(kind)) return typeof value === "string" ? made(wellFormed(value)) : undefined;
  if (COMPLEX.has(kind)) return value instanceof Complex ? made([number(value.re), number(value.im)]) : undefined;
  if (kind === "1.a_intarray") {
    return Array.isArray(value) && value.every((item) => isIntegerOf(64, item)) ? made([...value]) : undefined;
  }
  if (kind === "1.a_place") return isPlace(value) ? made([...value]) : undefined;
  if (kind === "0.a_array" && Array.isArray(value) && holders.length < MOST_LISTS && !holders.includes(value)) {
    const first = before instanceof JsonObject && Array.isArray(before.get("D"))
      ? (before.get("D") as Json[])[0]
      : undefined;
    const known = first instanceof JsonObject ? String(first.get("#")) : undefined;
    const common = known ?? NUMBERS.find((kind) => value.some((item) => kindOf(item) === kind));
    const items = value.map((item) => dataOf(item, common ?? kindOf(item), undefined, [...holders, value]));
    return items.includes(undefined) ? undefined : made(items as Json[]);
  }
  return undefined;
}

function isFloat(value: AttributeValue): value is number | Float {
  return typeof value === "number" || value instanceof Float;
}

function floatOf(value: number, kind: string): Json {
  const rounded = kind === "0.a_f32" ? Math.fround(value) : value;
  if (Number.isFinite(rounded)) return JsonObject.of([["#", kind], ["D", number(rounded)]]);
  // Paddle writes NaN, which it cannot read itself.
  const text = Number.isNaN(rounded) ? "NAN" : rounded > 0 ? "INF" : "-INF";
  return JsonObject.of([["#", kind], ["VD", text]]);
}

function number(value: number): JsonNumber {
  return new JsonNumber(floatText(value));
}

/** Whether this is the kind of a device, its number, and the name of a kind that Paddle does not know. */
function isPlace(value: AttributeValue): value is [number, number, string] {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [device, id, name] = value;
  return isIntegerOf(32, device) && isIntegerOf(32, id) && typeof name === "string" && name.isWellFormed();
}

/** Number kinds from wide to narrow: a new list gets the widest that any item needs, as Paddle only reads lists of one kind. */
const NUMBERS = ["0.a_f32", "0.a_i64", "0.a_i32"];

/** The kind of a new attribute with this value. */
export function kindOf(value: AttributeValue): string {
  if (typeof value === "boolean") return "0.a_bool";
  if (typeof value === "string") return "0.a_str";
  if (typeof value === "bigint") return "0.a_i64";
  if (isFloat(value)) {
    return value instanceof Float || isFloatByNature(value)
      ? "0.a_f32"
      : isIntegerOf(32, value)
      ? "0.a_i32"
      : "0.a_i64";
  }
  return value instanceof Complex ? "0.a_c128" : "0.a_array";
}
