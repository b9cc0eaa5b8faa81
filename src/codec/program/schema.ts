/**
 * What the checker has to know of every message of a program, taken from the generated descriptors of `proto/framework.proto`.
 *
 * @module
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { ProgramDescSchema } from "../../../proto/gen/framework_pb.ts";

/** A known field. */
export interface FieldRule {
  readonly name: string;
  readonly number: number;
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
}

/** Texts that Paddle may fill with any bytes (hardening H-PB-4). */
const ANY_BYTES = new Set(["OpDesc.Attr.s", "OpDesc.Attr.strings", "VarDesc.Attr.s"]);

const WATCHED: ReadonlyMap<string, Watched> = new Map([
  ["ProgramDesc", "program"],
  ["BlockDesc", "block"],
  ["OpDesc.Attr", "attribute"],
  ["VarType.TensorDesc", "tensor"],
]);

const rules = new Map<DescMessage, MessageRule>();

/** The rule of ProgramDesc, from which all others are reached. */
export const PROGRAM: MessageRule = ruleOf(ProgramDescSchema);

function ruleOf(desc: DescMessage): MessageRule {
  const known = rules.get(desc);
  if (known) return known;
  const fields: FieldRule[] = [];
  const name = desc.typeName.replace("oarlock.framework.", "");
  const rule = { name, watched: WATCHED.get(name) ?? null, fields, required: 0 };
  rules.set(desc, rule);
  desc.fields.forEach((field, i) => {
    // Proto2's "required" is presence 3 (LEGACY_REQUIRED) of the descriptor.
    const required = field.presence === 3 ? 1 << i : 0;
    rule.required |= required;
    fields[field.number] = fieldRule(field, required, rule.name);
  });
  return rule;
}

function fieldRule(field: DescField, required: number, owner: string): FieldRule {
  const isList = field.fieldKind === "list";
  const message = field.message ? ruleOf(field.message) : null;
  const wire = message ? 2 : wireOf(field.scalar);
  const isText = field.scalar === ScalarType.BYTES && !ANY_BYTES.has(`${owner}.${field.name}`);
  return {
    name: field.name,
    number: field.number,
    wire,
    isList,
    packable: isList && wire !== 2,
    message,
    required,
    isText,
  };
}

function wireOf(scalar: ScalarType | undefined): number {
  switch (scalar) {
    case ScalarType.BYTES:
      return 2;
    case ScalarType.DOUBLE:
      return 1;
    case ScalarType.FLOAT:
      return 5;
    default:
      return 0;
  }
}
