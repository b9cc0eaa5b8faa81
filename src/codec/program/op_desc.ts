/**
 * An operator of a ProgramDesc: decoded on demand, and written as it was read unless it was changed.
 *
 * @module
 */
import type { AttributeValue, Operator } from "../../program.ts";
import { attributeTypeName, BLOCK, BLOCKS, readAttribute, STRINGS, VAR, VARS, writeAttribute } from "./attribute.ts";
import { runsBlock } from "./check_program.ts";
import { makeMessage, type Messages, readMessage, writeMessage } from "./message.ts";
import { nameOf, utf8Of } from "./text.ts";
import { Wire } from "./wire.ts";
import { isFloatByNature } from "../../words/floats.ts";
import { isIntegerOf } from "../../words/integers.ts";
import { OP_INPUTS, OP_OUTPUTS, OP_TYPE, SLOT_ARGUMENTS, SLOT_PARAMETER } from "./field_numbers.ts";

type Message = Messages["OpDesc"];

/** An operator. */
export class OpDesc implements Operator {
  #raw: Uint8Array | null;
  #message: Message | null = null;
  #inputs: ReadonlyMap<string, readonly string[]> | null = null;
  #outputs: ReadonlyMap<string, readonly string[]> | null = null;
  #attributes: ReadonlyMap<string, AttributeValue> | null = null;
  #namesInAttributes: readonly string[] | null = null;
  /** How often it was changed. */
  changes = 0;

  /** An operator from bytes that were checked, or from a message. */
  constructor(from: Uint8Array | Message) {
    if (from instanceof Uint8Array) this.#raw = from;
    else {
      this.#raw = null;
      this.#message = from;
    }
  }

  /** A new operator. */
  static of(type: string, inputs: Record<string, string[]>, outputs: Record<string, string[]>): OpDesc {
    const slots = (names: Record<string, string[]>) => Object.entries(names).map(([slot, args]) => slotOf(slot, args));
    return new OpDesc(makeMessage("OpDesc", { type: utf8Of(type), inputs: slots(inputs), outputs: slots(outputs) }));
  }

  // Listings and graphs need the type, inputs and outputs of every operator, so these are read without decoding the attributes.
  get type(): string {
    return this.#message ? nameOf(this.#message.type) : lastText(this.#raw!, OP_TYPE);
  }

  get inputs(): ReadonlyMap<string, readonly string[]> {
    return this.#inputs ??= this.#message ? slotsOf(this.#message.inputs) : rawSlots(this.#raw!, OP_INPUTS);
  }

  get outputs(): ReadonlyMap<string, readonly string[]> {
    return this.#outputs ??= this.#message ? slotsOf(this.#message.outputs) : rawSlots(this.#raw!, OP_OUTPUTS);
  }

  get attributes(): ReadonlyMap<string, AttributeValue> {
    return this.#attributes ??= new Map(this.#read().attrs.map((attr) => [nameOf(attr.name), readAttribute(attr)]));
  }

  /** Whether pruning must keep the operator's results. */
  get isTarget(): boolean {
    return this.#read().isTarget;
  }

  set isTarget(isTarget: boolean) {
    if (isTarget !== this.isTarget) this.#change().isTarget = isTarget;
  }

  /** One of its attributes, without decoding the others, such as call stacks. */
  attribute(name: string): AttributeValue | undefined {
    const attr = this.#attribute(name);
    return attr && readAttribute(attr);
  }

  attributeType(name: string): string | undefined {
    const attr = this.#attribute(name);
    return attr && attributeTypeName(attr.type);
  }

  /** Of several attributes of one name, the last one counts. */
  #attribute(name: string): Message["attrs"][number] | undefined {
    return this.#read().attrs.findLast((attr) => nameOf(attr.name) === name);
  }

  /** Indices of the blocks that the operator runs. */
  blocks(): number[] {
    const own = this.#read().attrs.filter(({ name }) => runsBlock(nameOf(name)));
    return own.flatMap(blocksIn);
  }

  /** Variable names in attributes: of types VAR and VARS, and in lists of strings such as `op_role_var`. */
  namesInAttributes(): readonly string[] {
    return this.#namesInAttributes ??= this.#read().attrs.flatMap((attr) => namesIn(attr));
  }

  /** Variables that the operator reads through attributes (of types VAR and VARS). */
  readsInAttributes(): string[] {
    return this.#read().attrs.flatMap((attr) => attr.type === VAR || attr.type === VARS ? namesIn(attr) : []);
  }

  setAttribute(name: string, value: AttributeValue, type?: string): void {
    const known = type ?? this.attributeType(name) ?? guessedType(value);
    const attr = writeAttribute(name, value, known);
    const message = this.#change();
    const at = message.attrs.findLastIndex((attr) => nameOf(attr.name) === name);
    if (at >= 0) message.attrs[at] = attr;
    else {
      // Paddle 2 writes attributes sorted by name.
      const next = message.attrs.findIndex((attr) => nameOf(attr.name) > name);
      message.attrs.splice(next < 0 ? message.attrs.length : next, 0, attr);
    }
  }

  deleteAttribute(name: string): void {
    if (this.attributeType(name) === undefined) return;
    const message = this.#change();
    message.attrs = message.attrs.filter((attr) => nameOf(attr.name) !== name);
  }

  /** Remove an output slot. */
  deleteOutput(slot: string): void {
    const message = this.#change();
    message.outputs = message.outputs.filter(({ parameter }) => nameOf(parameter) !== slot);
  }

  /** Replace the block numbers in attributes by those they map to. */
  renumberBlocks(numbers: ReadonlyMap<number, number>): void {
    const mentioned = this.#read().attrs.flatMap(blocksIn);
    if (mentioned.every((block) => numbers.get(block) === block)) return;
    for (const attr of this.#change().attrs) {
      if (attr.type === BLOCK) attr.blockIdx = numbers.get(attr.blockIdx) ?? attr.blockIdx;
      else if (attr.type === BLOCKS) attr.blocksIdx = attr.blocksIdx.map((block) => numbers.get(block) ?? block);
    }
  }

  /** Replace the variable name `from` by `to`. Returns whether it occurred. */
  rename(from: string, to: string): boolean {
    const uses = (slots: ReadonlyMap<string, readonly string[]>) =>
      [...slots.values()].some((names) => names.includes(from));
    if (!uses(this.inputs) && !uses(this.outputs) && !this.namesInAttributes().includes(from)) return false;
    const message = this.#change();
    const renamed = (name: Uint8Array) => nameOf(name) === from ? utf8Of(to) : name;
    for (const slot of [...message.inputs, ...message.outputs]) slot.arguments = slot.arguments.map(renamed);
    for (const attr of message.attrs) {
      if (attr.type === VAR) attr.varName = renamed(attr.varName);
      else if (attr.type === VARS) attr.varsName = attr.varsName.map(renamed);
      else if (namesIn(attr).length > 0) attr.strings = attr.strings.map(renamed);
    }
    return true;
  }

  /** An independent copy. */
  clone(): OpDesc {
    return new OpDesc(this.serialize());
  }

  /** The bytes of its message, which it then keeps. */
  serialize(): Uint8Array {
    return this.#raw ??= writeMessage("OpDesc", this.#message!);
  }

  #read(): Message {
    return this.#message ??= readMessage("OpDesc", this.#raw!);
  }

  #change(): Message {
    const message = this.#read();
    this.changes++;
    this.#raw =
      this.#inputs =
      this.#outputs =
      this.#attributes =
      this.#namesInAttributes =
        null;
    return message;
  }
}

/** Block numbers in an attribute. */
function blocksIn({ type, blockIdx, blocksIdx }: Message["attrs"][number]): number[] {
  return type === BLOCK ? [blockIdx] : type === BLOCKS ? blocksIdx : [];
}

type Slot = Message["inputs"][number];

function slotOf(slot: string, names: readonly string[]): Slot {
  return makeMessage("OpDesc.Var", { parameter: utf8Of(slot), arguments: names.map(utf8Of) });
}

function slotsOf(slots: readonly Slot[]): ReadonlyMap<string, readonly string[]> {
  return joined(slots.map((slot) => [nameOf(slot.parameter), slot.arguments.map(nameOf)]));
}

/** Slots by name: Paddle joins the names of one that occurs repeatedly. */
function joined(slots: readonly [slot: string, names: readonly string[]][]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [slot, names] of slots) {
    const known = found.get(slot);
    if (!known) found.set(slot, [...names]);
    else for (const name of names) known.push(name);
  }
  return found;
}

/** String field `number` of a checked message; if it occurs repeatedly, the last one counts. */
function lastText(bytes: Uint8Array, number: number): string {
  const [start, end] = new Wire(bytes).payloadsOf(number, 0, bytes.length).at(-1)!;
  return nameOf(bytes.subarray(start, end));
}

/** The input or output slots (field `number`) of a checked operator. */
function rawSlots(bytes: Uint8Array, number: number): ReadonlyMap<string, readonly string[]> {
  const wire = new Wire(bytes);
  return joined(
    wire.payloadsOf(number, 0, bytes.length).map(([start, end]) => {
      const names = wire.payloadsOf(SLOT_ARGUMENTS, start, end).map(([from, to]) => nameOf(bytes.subarray(from, to)));
      return [lastText(bytes.subarray(start, end), SLOT_PARAMETER), names];
    }),
  );
}

/**
 * Attributes that list variables as plain strings: parameters and gradients (`op_role_var`), the states of a `recurrent` operator in its block
 * before and after a step, gradients of a loop's results, and variables that are kept for the backward pass.
 */
const NAME_LISTS = new Set([
  "op_role_var",
  "ex_states",
  "states",
  "original_output_grad",
  "skip_eager_deletion_vars",
  "backward_skip_vars",
]);

/** Variable names in an attribute. */
function namesIn({ type, name, varName, varsName, strings }: Message["attrs"][number]): string[] {
  if (type === VAR) return [nameOf(varName)];
  if (type === VARS) return varsName.map(nameOf);
  return type === STRINGS && NAME_LISTS.has(nameOf(name)) ? strings.map(nameOf) : [];
}

/** Number types from wide to narrow: a list gets the widest that any item needs. */
const NUMBERS = ["FLOAT", "LONG", "INT"];

function guessedType(value: AttributeValue): string {
  if (typeof value === "boolean") return "BOOLEAN";
  if (typeof value === "string" || value instanceof Uint8Array) return "STRING";
  if (typeof value === "bigint") return "LONG";
  if (typeof value === "number") return isFloatByNature(value) ? "FLOAT" : isIntegerOf(32, value) ? "INT" : "LONG";
  if (!Array.isArray(value) || value.length === 0) return "SCALAR";
  // No attribute has lists in a list, which may contain itself.
  const types = value.map((item) => Array.isArray(item) ? "SCALAR" : guessedType(item));
  return (NUMBERS.find((type) => types.includes(type)) ?? types[0]) + "S";
}
