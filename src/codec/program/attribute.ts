/**
 * Converts the values of an operator's attributes between JavaScript and protobuf (FORMATS.md 8.1).
 *
 * @module
 */
import { quote, ValueError } from "../../errors.ts";
import type { AttributeValue } from "../../program.ts";
import { Complex, Float } from "../../values.ts";
import { makeMessage, type Messages } from "./message.ts";
import { nameOf, textOrBytes, utf8Of } from "./text.ts";
import { isFloatByNature } from "../../words/floats.ts";
import { integerOf, isIntegerOf } from "../../words/integers.ts";

type Attribute = Messages["OpDesc.Attr"];
type Scalar = Messages["Scalar"];
type Init = Partial<Attribute>;

interface AttributeKind {
  readonly name: string;
  read(attr: Attribute): AttributeValue;
  /** The message field for a value; undefined if the value is not of this kind. */
  write(value: AttributeValue): Init | undefined;
}

const isInt32 = (value: unknown): value is number => typeof value === "number" && isIntegerOf(32, value);
const isInt64 = (value: unknown): value is number | bigint => isIntegerOf(64, value);
const isText = (value: unknown): value is string | Uint8Array =>
  typeof value === "string" || value instanceof Uint8Array;
const isNumber = (value: unknown): value is number => typeof value === "number";
const isFloat = (value: unknown): value is number | Float => isNumber(value) || value instanceof Float;
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isString = (value: unknown): value is string => typeof value === "string";

function listOf<T>(value: AttributeValue, isItem: (item: unknown) => item is T): T[] | undefined {
  return Array.isArray(value) && value.every(isItem) ? value as T[] : undefined;
}

/** Types of a Scalar. */
const BOOLEAN = 1, INT64 = 2, FLOAT64 = 3, COMPLEX128 = 4;

function scalar({ type, b, i, r, c }: Scalar): AttributeValue {
  switch (type) {
    case BOOLEAN:
      return b;
    case INT64:
      return integerOf(i);
    case FLOAT64:
      return new Float(r);
    case COMPLEX128:
      return new Complex(c?.r ?? 0, c?.i ?? 0);
    default:
      return null;
  }
}

function scalarOf(value: unknown): Scalar | undefined {
  if (isBoolean(value)) return makeMessage("Scalar", { type: BOOLEAN, b: value });
  if (value instanceof Float) return makeMessage("Scalar", { type: FLOAT64, r: value.valueOf() });
  if (value instanceof Complex) {
    return makeMessage("Scalar", { type: COMPLEX128, c: makeMessage("Complex", { r: value.re, i: value.im }) });
  }
  if (isNumber(value) && isFloatByNature(value)) return makeMessage("Scalar", { type: FLOAT64, r: value });
  return isInt64(value) ? makeMessage("Scalar", { type: INT64, i: BigInt(value) }) : undefined;
}

/** A kind whose value is one field. */
function one<T>(
  name: string,
  read: (attr: Attribute) => AttributeValue,
  is: (value: unknown) => value is T,
  field: (value: T) => Init,
): AttributeKind {
  return { name, read, write: (value) => is(value) ? field(value) : undefined };
}

/** A kind whose value is a list. */
function many<T>(
  name: string,
  read: (attr: Attribute) => readonly AttributeValue[],
  is: (value: unknown) => value is T,
  field: (values: T[]) => Init,
): AttributeKind {
  const write = (value: AttributeValue) => {
    const items = listOf(value, is);
    return items && field(items);
  };
  return { name, read, write };
}

const isScalar = (value: unknown): value is AttributeValue => scalarOf(value) !== undefined;

/** Numbers in AttrType of the types that name blocks and variables. */
export const STRINGS = 5, BLOCK = 8, BLOCKS = 10, VAR = 13, VARS = 14;

/** Kinds by their number in AttrType. */
const KINDS: readonly AttributeKind[] = [
  one("INT", (a) => a.i, isInt32, (i) => ({ i })),
  one("FLOAT", (a) => a.f, isFloat, (f) => ({ f: Number(f) })),
  one("STRING", (a) => textOrBytes(a.s), isText, (s) => ({ s: utf8Of(s) })),
  many("INTS", (a) => a.ints, isInt32, (ints) => ({ ints })),
  many("FLOATS", (a) => a.floats, isFloat, (floats) => ({ floats: floats.map(Number) })),
  many("STRINGS", (a) => a.strings.map(textOrBytes), isText, (strings) => ({ strings: strings.map(utf8Of) })),
  one("BOOLEAN", (a) => a.b, isBoolean, (b) => ({ b })),
  many("BOOLEANS", (a) => a.bools, isBoolean, (bools) => ({ bools })),
  one("BLOCK", (a) => a.blockIdx, isInt32, (blockIdx) => ({ blockIdx })),
  one("LONG", (a) => integerOf(a.l), isInt64, (l) => ({ l: BigInt(l) })),
  many("BLOCKS", (a) => a.blocksIdx, isInt32, (blocksIdx) => ({ blocksIdx })),
  many("LONGS", (a) => a.longs.map(integerOf), isInt64, (longs) => ({ longs: longs.map(BigInt) })),
  many("FLOAT64S", (a) => a.float64s, isFloat, (float64s) => ({ float64s: float64s.map(Number) })),
  one("VAR", (a) => nameOf(a.varName), isString, (name) => ({ varName: utf8Of(name) })),
  many("VARS", (a) => a.varsName.map(nameOf), isString, (names) => ({ varsName: names.map(utf8Of) })),
  one("FLOAT64", (a) => a.float64, isFloat, (float64) => ({ float64: Number(float64) })),
  one("SCALAR", (a) => a.scalar ? scalar(a.scalar) : null, isScalar, (value) => ({ scalar: scalarOf(value) })),
  many("SCALARS", (a) => a.scalars.map(scalar), isScalar, (values) => ({ scalars: values.map((v) => scalarOf(v)!) })),
];

/** Paddle's name for an attribute type's number. */
export function attributeTypeName(type: number): string {
  return KINDS[type]?.name ?? String(type);
}

/** The value of an attribute; null if its type is unknown. */
export function readAttribute(attr: Attribute): AttributeValue {
  return KINDS[attr.type]?.read(attr) ?? null;
}

/** Encode an attribute as a message. */
export function writeAttribute(name: string, value: AttributeValue, typeName: string): Attribute {
  const type = KINDS.findIndex((kind) => kind.name === typeName);
  const field = KINDS[type]?.write(value);
  if (!field) {
    throw new ValueError("INVALID_VALUE", `The attribute ${quote(name)} of type ${typeName} cannot have that value`, {
      at: name,
    });
  }
  return makeMessage("OpDesc.Attr", { name: utf8Of(name), type, ...field });
}
