/**
 * Properties of a Layer: `prefix.meta` (FORMATS.md 10.5).
 *
 * @module
 */
import { FormatError, quote, ValueError } from "../../errors.ts";
import { byCodePoint } from "../../words/code_point_order.ts";
import { Float } from "../../values.ts";
import { makeMessage, type Messages, readMessage, writeMessage } from "./message.ts";
import { textFromUtf8 } from "../../words/utf8.ts";
import { textOrBytes, utf8Of } from "./text.ts";
import { integerOf, isIntegerOf } from "../../words/integers.ts";

type Value = Messages["Value"];

/** A property: a number, a string or a list of either. An integer is a number or bigint, a float a {@linkcode Float}. */
export type Property =
  | number
  | bigint
  | Float
  | string
  | Uint8Array
  | (number | bigint)[]
  | Float[]
  | (string | Uint8Array)[];

const FLOAT = 1, INT = 2, STRING = 3, FLOATS = 6, INTS = 7, STRINGS = 8;

/** Decode the properties in a `.meta` file, by name without the class before the first dot. */
export function readProperties(bytes: Uint8Array): Map<string, Property> {
  const { entries } = readMessage("Properties", bytes);
  const properties = new Map<string, Property>();
  for (const entry of entries) {
    const full = textFromUtf8(entry.name, 0, entry.name.length);
    if (full === null) throw new FormatError("BAD_TEXT", "A property's name is not valid UTF-8", { offset: 0 });
    const value = valueOf(entry);
    if (value !== null) properties.set(full.slice(full.indexOf(".") + 1), value);
  }
  return properties;
}

function valueOf(entry: Value): Property | null {
  switch (entry.type) {
    case FLOAT:
      return new Float(entry.f);
    case INT:
      return integerOf(entry.i);
    case STRING:
      return textOrBytes(entry.s);
    case FLOATS:
      return entry.floats.map((value) => new Float(value));
    case INTS:
      return entry.ints.map(integerOf);
    case STRINGS:
      return entry.strings.map(textOrBytes);
    default:
      // Tensors are never written.
      return null;
  }
}

/** Encode a `.meta` file, with properties sorted by name as Paddle writes them. */
export function writeProperties(className: string, properties: ReadonlyMap<string, Property | boolean>): Uint8Array {
  const names = [...properties.keys()].sort(byCodePoint);
  const entries = names.map((name) => {
    const fields = fieldsOf(properties.get(name)!);
    if (!fields) {
      throw new ValueError(
        "INVALID_VALUE",
        `The property ${quote(name)} can only be a number, a string or a list of these`,
        {
          at: name,
        },
      );
    }
    return makeMessage("Value", { name: utf8Of(`${className}.${name}`), ...fields });
  });
  return writeMessage("Properties", makeMessage("Properties", { entries }));
}

// A number beyond 2^53 is a float, as it is when a value is saved.
const isInt = (value: unknown) => isIntegerOf(64, value);
const isFloat = (value: unknown) => value instanceof Float || typeof value === "number";
const isText = (value: unknown) => typeof value === "string" || value instanceof Uint8Array;

function fieldsOf(value: Property | boolean): Partial<Value> | null {
  if (typeof value === "boolean") return { type: INT, i: BigInt(value) };
  if (isInt(value)) return { type: INT, i: BigInt(value as number) };
  if (isText(value)) return { type: STRING, s: utf8Of(value as string) };
  if (isFloat(value)) return { type: FLOAT, f: Number(value) };
  const list = value as unknown[];
  if (!Array.isArray(list)) return null;
  if (list.every(isInt)) return { type: INTS, ints: (list as number[]).map(BigInt) };
  if (list.every(isFloat)) return { type: FLOATS, floats: list.map(Number) };
  return list.every(isText) ? { type: STRINGS, strings: (list as string[]).map(utf8Of) } : null;
}
