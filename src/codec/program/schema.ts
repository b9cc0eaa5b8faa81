/**
 * What reading, checking and writing a program needs to know about its messages, from the table generated from `proto/*.proto`.
 *
 * @module
 */
import { FIELDS } from "../../../proto/gen/fields.ts";

/** Scalar field types. Strings are bytes: see `proto/framework.proto`. */
export type ScalarType = "bool" | "int32" | "int64" | "float" | "double" | "bytes";

/** A known field. */
export interface FieldRule {
  readonly name: string;
  /** The name as a JavaScript property: `opVersionMap`. */
  readonly key: string;
  readonly number: number;
  /** Null if its values are messages. */
  readonly scalar: ScalarType | null;
  /** Wire type of one value: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes. */
  readonly wire: number;
  readonly isList: boolean;
  /** Whether several values may be packed into one length-delimited field. */
  readonly packable: boolean;
  /** The type of its messages. */
  readonly message: MessageRule | null;
  /** Its bit in {@linkcode MessageRule.required}, or 0. */
  readonly required: number;
  /** Whether it must be UTF-8. */
  readonly isText: boolean;
}

/** Messages from which the checker records something. */
export type Watched = "program" | "block" | "attribute" | "tensor";

/** A message type. */
export interface MessageRule {
  readonly name: string;
  /** What the checker looks for in it. */
  readonly watched: Watched | null;
  /** By field number. */
  readonly fields: readonly (FieldRule | undefined)[];
  /** Properties of the repeated fields. */
  readonly lists: readonly string[];
  /** Bits of the required fields. */
  readonly required: number;
  /** Values of fields that are not set. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** String fields in which Paddle may store arbitrary bytes (RULES.md PB-4). */
const ANY_BYTES: readonly string[] = ["OpDesc.Attr.s", "OpDesc.Attr.strings", "VarDesc.Attr.s"];

const WATCHED: Readonly<Record<string, Watched>> = {
  ProgramDesc: "program",
  BlockDesc: "block",
  "OpDesc.Attr": "attribute",
  "VarType.TensorDesc": "tensor",
};

/** Wire types, and the value of a field that is not set. */
const SCALARS: Readonly<Record<string, { wire: number; unset: unknown }>> = {
  bool: { wire: 0, unset: false },
  int32: { wire: 0, unset: 0 },
  int64: { wire: 0, unset: 0n },
  float: { wire: 5, unset: 0 },
  double: { wire: 1, unset: 0 },
  bytes: { wire: 2, unset: new Uint8Array(0) },
};

let lines: Map<string, string[]> | null = null;
const rules = new Map<string, MessageRule>();

/** The rule of a message type, which leads to those of its nested messages. */
export function ruleOf(name: string): MessageRule {
  const known = rules.get(name);
  if (known) return known;
  lines ??= linesByMessage();
  const fields: FieldRule[] = [], lists: string[] = [], defaults: Record<string, unknown> = {};
  let required = 0;
  for (const [i, line] of lines.get(name)!.entries()) {
    const field = fieldRule(name, line, 1 << i);
    fields[field.number] = field;
    required |= field.required;
    if (field.isList) lists.push(field.key);
    else if (field.scalar) defaults[field.key] = SCALARS[field.scalar].unset;
  }
  const rule = { name, watched: WATCHED[name] ?? null, fields, lists, required, defaults };
  rules.set(name, rule);
  return rule;
}

function linesByMessage(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let fields: string[] = [];
  for (const line of FIELDS.trim().split("\n")) {
    if (line.includes(" ")) fields.push(line);
    else found.set(line, fields = []);
  }
  return found;
}

/** Parse a line of the table, such as `4 repeated OpDesc.Attr attrs`, in the message `owner`. */
function fieldRule(owner: string, line: string, bit: number): FieldRule {
  const [number, label, type, name] = line.split(" ");
  const isList = label === "repeated";
  const scalar = Object.hasOwn(SCALARS, type) ? type as ScalarType : null;
  const wire = scalar ? SCALARS[scalar].wire : 2;
  return {
    name,
    key: name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    number: Number(number),
    scalar,
    wire,
    isList,
    packable: isList && wire !== 2,
    message: scalar ? null : ruleOf(type),
    required: label === "required" ? bit : 0,
    isText: scalar === "bytes" && !ANY_BYTES.includes(`${owner}.${name}`),
  };
}
