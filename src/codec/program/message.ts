/**
 * Decodes and encodes messages of `proto/*.proto`. The generated table lists their fields, and the generated types give their TypeScript
 * form; the runtime that comes with those types is as large as all the code that loads and saves models, and is not needed here.
 *
 * @module
 */
import type * as framework from "../../../proto/gen/framework_pb.ts";
import type * as property from "../../../proto/gen/property_pb.ts";
import { FormatError } from "../../errors.ts";
import { type FieldRule, type MessageRule, ruleOf } from "./schema.ts";
import { Wire } from "./wire.ts";
import { WireWriter } from "./wire_writer.ts";

/** A generated message type without the properties of protobuf's own runtime. */
export type Fields<M> = M extends Uint8Array ? M
  : M extends readonly (infer Item)[] ? Fields<Item>[]
  : M extends object ? { [Name in keyof M as Name extends `$${string}` ? never : Name]: Fields<M[Name]> }
  : M;

/** The messages that are created, read or written by name. */
export interface Messages {
  ProgramDesc: Fields<framework.ProgramDesc>;
  Version: Fields<framework.Version>;
  OpVersion: Fields<framework.OpVersion>;
  OpVersionMap: Fields<framework.OpVersionMap>;
  "OpVersionMap.Pair": Fields<framework.OpVersionMap_Pair>;
  BlockDesc: Fields<framework.BlockDesc>;
  OpDesc: Fields<framework.OpDesc>;
  "OpDesc.Var": Fields<framework.OpDesc_Var>;
  "OpDesc.Attr": Fields<framework.OpDesc_Attr>;
  Scalar: Fields<framework.Scalar>;
  Complex: Fields<framework.Complex>;
  VarDesc: Fields<framework.VarDesc>;
  VarType: Fields<framework.VarType>;
  "VarType.TensorDesc": Fields<framework.VarType_TensorDesc>;
  "VarType.DenseTensorDesc": Fields<framework.VarType_DenseTensorDesc>;
  Properties: Fields<property.Properties>;
  Value: Fields<property.Value>;
}

type AnyMessage = Record<string, unknown>;

/** Fields missing from the table, tags included, by the message that they came with. */
const unknownFields = new WeakMap<AnyMessage, Uint8Array[]>();

/** A new message: its own properties are all lists and the fields that are set. */
export function makeMessage<Name extends keyof Messages>(name: Name, init: Partial<Messages[Name]>): Messages[Name] {
  const message = empty(ruleOf(name));
  for (const [key, value] of Object.entries(init)) if (value !== undefined) message[key] = value;
  return message as Messages[Name];
}

function empty(rule: MessageRule): AnyMessage {
  const message: AnyMessage = Object.create(rule.defaults);
  for (const key of rule.lists) message[key] = [];
  return message;
}

/**
 * Decode the message in `bytes`, to which it keeps views.
 *
 * @throws {FormatError} the bytes are not such a message
 */
export function readMessage<Name extends keyof Messages>(name: Name, bytes: Uint8Array): Messages[Name] {
  const rule = ruleOf(name), message = empty(rule);
  readInto(message, rule, new Wire(bytes), bytes.length);
  return message as Messages[Name];
}

/** Read fields up to `end`. The table's messages nest only a few levels, so the recursion is shallow. */
function readInto(message: AnyMessage, rule: MessageRule, wire: Wire, end: number): void {
  while (wire.pos < end) {
    const at = wire.pos;
    const tag = wire.tag(end);
    const field = rule.fields[tag >>> 3], kind = tag & 7;
    if (!field) {
      wire.pass(tag, at, end);
      const kept = unknownFields.get(message);
      if (!kept) unknownFields.set(message, [wire.bytes.subarray(at, wire.pos)]);
      else kept.push(wire.bytes.subarray(at, wire.pos));
    } else if (kind === 2 && field.packable) {
      const length = wire.length(at, end);
      const list = message[field.key] as unknown[];
      for (const last = wire.pos + length; wire.pos < last;) list.push(readScalar(field, wire, at, last));
    } else if (kind !== field.wire) {
      throw new FormatError("BAD_WIRE", `Field ${rule.name}.${field.name} at byte ${at} has wire type ${kind}`, {
        offset: at,
      });
    } else if (field.isList) {
      (message[field.key] as unknown[]).push(readValue(field, undefined, wire, at, end));
    } else message[field.key] = readValue(field, message[field.key], wire, at, end);
  }
}

/** Read a value of a field. A message that occurs twice is one message in parts (proto2's merging), so it is read into `before`. */
function readValue(field: FieldRule, before: unknown, wire: Wire, at: number, end: number): unknown {
  if (!field.message) return readScalar(field, wire, at, end);
  const inner = before as AnyMessage | undefined ?? empty(field.message);
  const length = wire.length(at, end);
  readInto(inner, field.message, wire, wire.pos + length);
  return inner;
}

function readScalar({ scalar }: FieldRule, wire: Wire, at: number, end: number): unknown {
  switch (scalar) {
    case "bool":
      return wire.int64(at, end) !== 0n;
    case "int32":
      return wire.varint(at, end) | 0;
    case "int64":
      return wire.int64(at, end);
    case "float":
      return wire.fixed(4, at, end).getFloat32(0, true);
    case "double":
      return wire.fixed(8, at, end).getFloat64(0, true);
    default: {
      const length = wire.length(at, end);
      wire.pos += length;
      return wire.bytes.subarray(wire.pos - length, wire.pos);
    }
  }
}

/** Encode a message: fields by number, then unknown ones. */
export function writeMessage<Name extends keyof Messages>(name: Name, message: Messages[Name]): Uint8Array {
  const writer = new WireWriter();
  write(writer, ruleOf(name), message as AnyMessage);
  return writer.finish();
}

function write(writer: WireWriter, rule: MessageRule, message: AnyMessage): void {
  for (const field of rule.fields) {
    if (!field || !Object.hasOwn(message, field.key)) continue;
    const value = message[field.key];
    if (field.isList) { for (const item of value as unknown[]) writeValue(writer, field, item); }
    else if (value !== undefined) writeValue(writer, field, value);
  }
  for (const bytes of unknownFields.get(message) ?? []) writer.raw(bytes);
}

function writeValue(writer: WireWriter, field: FieldRule, value: unknown): void {
  const { message, scalar } = field;
  writer.tag(field.number, field.wire);
  if (message) writer.nested(() => write(writer, message, value as AnyMessage));
  else if (scalar === "bytes") writer.bytes(value as Uint8Array);
  else if (scalar === "float") writer.float(value as number);
  else if (scalar === "double") writer.double(value as number);
  else writer.varint(typeof value === "boolean" ? Number(value) : value as number | bigint);
}
