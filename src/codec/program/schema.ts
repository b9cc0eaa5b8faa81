/**
 * What reading, checking and writing a program has to know of its messages, from the table that is generated of `proto/*.proto`.
 *
 * @module
 */
import { FIELDS } from "../../../proto/gen/fields.ts";

/** Kinds of plain fields. Texts are bytes: see `proto/framework.proto`. */
export type ScalarType = "bool" | "int32" | "int64" | "float" | "double" | "bytes";

/** A known field. */
export interface FieldRule {
  readonly name: string;
  /** The name as a property: `opVersionMap`. */
  readonly key: string;
  readonly number: number;
  /** Null where a message is in it. */
  readonly scalar: ScalarType | null;
  /** Wire type of one value: 0 varint, 1 eight bytes, 2 a length and bytes, 5 four bytes. */
  readonly wire: number;
  readonly isList: boolean;
  /** Many values of it may lie in one length-delimited field. */
  readonly packable: boolean;
  /** The message in it. */
  readonly message: MessageRule | null;
  /** Its bit in {@linkcode MessageRule.required}, or 0. */
  readonly required: number;
  /** It must be UTF-8. */
  readonly isText: boolean;
}

/** Messages of which the checker keeps something. */
export type Watched = "program" | "block" | "attribute" | "tensor";

/** A message. */
export interface MessageRule {
  readonly name: string;
  /** What the checker looks for in it. */
  readonly watched: Watched | null;
  /** By field number. */
  readonly fields: readonly (FieldRule | undefined)[];
  /** Bits of the fields that must be there. */
  readonly required: number;
  /** What fields have that are not set. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** Texts that Paddle may fill with any bytes (RULES.md PB-4). */
const ANY_BYTES: readonly string[] = ["OpDesc.Attr.s", "OpDesc.Attr.strings", "VarDesc.Attr.s"];

const WATCHED: Readonly<Record<string, Watched>> = {
  ProgramDesc: "program",
  BlockDesc: "block",
  "OpDesc.Attr": "attribute",
  "VarType.TensorDesc": "tensor",
};

/** Wire types, and what a field has that is not set. */
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

/** The rule of a message, from which those of the messages in it are reached. */
export function ruleOf(name: string): MessageRule {
  const known = rules.get(name);
  if (known) return known;
  lines ??= linesByMessage();
  const fields: FieldRule[] = [], defaults: Record<string, unknown> = {};
  let required = 0;
  for (const [i, line] of lines.get(name)!.entries()) {
    const field = fieldRule(name, line, 1 << i);
    fields[field.number] = field;
    required |= field.required;
    if (field.scalar && !field.isList) defaults[field.key] = SCALARS[field.scalar].unset;
  }
  const rule = { name, watched: WATCHED[name] ?? null, fields, required, defaults };
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

/** `4 repeated OpDesc.Attr attrs`, in the message `owner`. */
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
