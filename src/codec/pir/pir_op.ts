/**
 * An operator of a PIR module, as a view of its JSON.
 *
 * @module
 */
import { quote, ValueError } from "../../errors.ts";
import type { AttributeValue, Operator } from "../../program.ts";
import { type Json, JsonNumber, JsonObject } from "../json/json.ts";
import { wellFormed } from "../json/write_json.ts";
import { fullName, PARAMETER, shortName } from "./dialects.ts";
import { asInt, asList, asObject, asText, At, badField } from "./fields.ts";
import { checkAttribute, isSimpleAttribute, kindOf, readAttribute, writeAttribute } from "./pir_attribute.ts";
import { type PirType, readType } from "./pir_type.ts";

/** A result of an operator, or an argument of a block. */
export interface PirValue {
  /** Results count up from 1, block arguments down from -1. */
  readonly id: number;
  readonly type: PirType;
}

/** Attributes in the compressed form of a parameter, which stores only their values in this order. */
const PARAMETER_A = ["is_distributed", "is_parameter", "need_clip", "parameter_name"];
const PARAMETER_OA = ["persistable", "stop_gradient", "trainable"];
/** Fields with named attributes. */
const LISTED = ["A", "OA"];
const LISTED_OF_PARAMETER = ["DA", "QA"];
/** The attribute that names a parameter, input or output, by operator. */
const NAME = new Map([[PARAMETER, "parameter_name"], ["pd_op.data", "name"], ["pd_op.feed", "name"], [
  "pd_op.fetch",
  "name",
]]);

/** An operator. */
export class PirOp implements Operator {
  readonly type: string;
  /** The values it produces. */
  readonly results: readonly PirValue[];
  /** Its JSON. */
  readonly json: JsonObject;
  readonly #at: At;
  readonly #onChange: () => void;
  #attributes: ReadonlyMap<string, AttributeValue> | null = null;

  /** An operator from `json`, whose path in the program is `at`; `onChange` is called on changes. */
  constructor(json: JsonObject, at: At, onChange: () => void) {
    this.json = json;
    this.#at = at;
    this.#onChange = onChange;
    this.type = fullName(asText(json.get("#"), at, "#"));
    this.results = this.#isCompressed
      ? [readValue(asObject(json.get("O"), at, "O"), new At(at, "O"), true)]
      : this.#readResults();
    if (this.#isCompressed) this.#checkParameter();
    this.#checkOperands();
    this.#checkAttributes();
  }

  get #isCompressed(): boolean {
    return this.json.get("#") === "p";
  }

  #readResults(): PirValue[] {
    const results = this.#listOf("O");
    return results.map((value, i) => readValue(asObject(value, this.#at, "O", i), new At(this.#at, "O", i)));
  }

  /** Check a compressed parameter: Paddle's reader insists on four entries in `A` and three in `OA`. */
  #checkParameter(): void {
    const at = this.#at;
    const flags = asList(this.json.get("A"), at, "A");
    if (flags.length !== PARAMETER_A.length) throw badField(new At(at, "A"), `has ${flags.length} entries`);
    checkFlags(flags.slice(0, 3), at, "A");
    asText(flags[3], at, "A", 3);
    const results = this.#listOf("OA");
    if (this.json.get("OA") !== undefined && results.length !== PARAMETER_OA.length) {
      throw badField(new At(at, "OA"), `has ${results.length} entries`);
    }
    checkFlags(results, at, "OA");
    const [{ type }] = this.results;
    if (type.dtype === null || type.shape === null) throw badField(new At(at, "O/TT"), "is not a tensor type");
  }

  #checkOperands(): void {
    const operands = this.#listOf("I");
    for (let i = 0; i < operands.length; i++) {
      const id = idOf(asObject(operands[i], this.#at, "I", i));
      if (typeof id !== "number") asInt(id, new At(this.#at, "I", i), "%");
    }
  }

  #checkAttributes(): void {
    const at = this.#at;
    for (const field of this.#isCompressed ? LISTED_OF_PARAMETER : LISTED) {
      const entries = this.#listOf(field);
      for (let i = 0; i < entries.length; i++) {
        const entry = asObject(entries[i], at, field, i);
        const isPlain = entry.get("AT") === undefined || isSimpleAttribute(entry.get("AT"));
        if (isPlain && typeof entry.get("N") === "string") continue;
        const entryAt = new At(at, field, i);
        asText(entry.get("N"), entryAt, "N");
        if (entry.get("AT") !== undefined) checkAttribute(entry.get("AT"), new At(entryAt, "AT"));
      }
    }
  }

  /** The list in an optional field. */
  #listOf(field: string): Json[] {
    return asList(this.json.get(field) ?? [], this.#at, field);
  }

  /** Ids of the values it reads; 0 for an omitted one. */
  get operands(): number[] {
    return this.#listOf("I").map((operand) => idOf(operand as JsonObject) as number);
  }

  /** The name of a parameter, input or output; undefined for other operators. */
  get name(): string | undefined {
    const attribute = NAME.get(this.type);
    const name = attribute === undefined ? undefined : this.attributes.get(attribute);
    return typeof name === "string" ? name : undefined;
  }

  set name(name: string) {
    this.setAttribute(NAME.get(this.type)!, name);
  }

  get inputs(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.operands.map((id, i) => [String(i), id === 0 ? [] : [`%${id}`]]));
  }

  get outputs(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.results.map(({ id }, i) => [String(i), [`%${id}`]]));
  }

  get attributes(): ReadonlyMap<string, AttributeValue> {
    return this.#attributes ??= firstOfEach(this.#isCompressed ? this.#compressed() : this.#listed(LISTED));
  }

  *#compressed(): Generator<[string, AttributeValue]> {
    const flags = this.#listOf("A");
    for (let i = 0; i < 3; i++) yield [PARAMETER_A[i], flagOf(flags[i])];
    yield [PARAMETER_A[3], flags[3] as string];
    yield* this.#listed(LISTED_OF_PARAMETER);
    const results = this.json.get("OA") as Json[] | undefined;
    if (results) { for (let i = 0; i < 3; i++) yield [PARAMETER_OA[i], [flagOf(results[i])]]; }
  }

  /** An entry without a value stands for no attribute. */
  *#listed(fields: readonly string[]): Generator<[string, AttributeValue]> {
    for (const field of fields) {
      for (const entry of this.#listOf(field) as JsonObject[]) {
        if (entry.get("AT") === undefined) continue;
        yield [entry.get("N") as string, readAttribute(entry.get("AT"))];
      }
    }
  }

  attributeType(name: string): string | undefined {
    const entry = this.#entry(name);
    if (entry) return fullName(String((entry.get("AT") as JsonObject).get("#"))).split(".")[1];
    if (!this.attributes.has(name)) return undefined;
    return name === "parameter_name" ? "a_str" : PARAMETER_OA.includes(name) ? "a_array" : "a_bool";
  }

  setAttribute(name: string, value: AttributeValue, type?: string): void {
    if (this.#isCompressed && this.#setCompressed(name, value)) return this.#changed();
    const entry = this.#entry(name);
    const before = entry?.get("AT");
    const known = before instanceof JsonObject ? String(before.get("#")) : kindOf(value);
    const kind = type === undefined
      ? known
      : type.includes(".")
      ? shortName(type)
      : PD_OP.has(type)
      ? `1.${type}`
      : `0.${type}`;
    const made = writeAttribute(name, value, kind, before);
    if (entry) entry.set("AT", made);
    else {
      const added = JsonObject.of([["AT", made], ["N", wellFormed(name)]]);
      this.#list(this.#isCompressed ? "DA" : "A").push(added);
    }
    this.#changed();
  }

  deleteAttribute(name: string): void {
    if (this.#isCompressed && [...PARAMETER_A, ...PARAMETER_OA].includes(name)) {
      throw new ValueError("INVALID_VALUE", `A parameter always has the attribute ${quote(name)}`, { at: name });
    }
    for (const field of this.#isCompressed ? LISTED_OF_PARAMETER : [...LISTED, ...LISTED_OF_PARAMETER]) {
      const list = this.json.get(field);
      if (!Array.isArray(list)) continue;
      this.json.set(field, list.filter((item) => !(item instanceof JsonObject && item.get("N") === name)));
    }
    this.#changed();
  }

  /** Remove the flags of results: whether they are persistable, and whether gradients stop there. */
  dropResultAttributes(): void {
    if (this.json.delete("OA")) this.#changed();
  }

  #setCompressed(name: string, value: AttributeValue): boolean {
    const i = PARAMETER_A.indexOf(name), k = PARAMETER_OA.indexOf(name);
    if (i < 0 && k < 0) return false;
    const given = k >= 0 && Array.isArray(value) && value.length === 1 ? value[0] : value;
    const isName = i === 3;
    if (isName ? typeof given !== "string" : typeof given !== "boolean") {
      const finding = `The attribute ${quote(name)} of a parameter is a ${isName ? "string" : "boolean"}`;
      throw new ValueError("INVALID_VALUE", finding, { at: name });
    }
    if (i >= 0) this.#list("A")[i] = isName ? wellFormed(given as string) : Number(given);
    else {
      const flags = this.#list("OA");
      while (flags.length < 3) flags.push([1, 0, 1][flags.length]);
      flags[k] = Number(given);
    }
    return true;
  }

  #list(field: string): Json[] {
    const list = this.json.get(field);
    if (Array.isArray(list)) return list;
    const made: Json[] = [];
    this.json.set(field, made);
    return made;
  }

  #entry(name: string): JsonObject | undefined {
    for (const field of this.#isCompressed ? LISTED_OF_PARAMETER : LISTED) {
      const list = this.json.get(field);
      if (!Array.isArray(list)) continue;
      const found = list.find((item) =>
        item instanceof JsonObject && item.get("N") === name && item.get("AT") !== undefined
      );
      if (found) return found as JsonObject;
    }
    return undefined;
  }

  #changed(): void {
    this.#attributes = null;
    this.#onChange();
  }

  /** Whether its first result is persistable. Without flags (`trainable: false`) a parameter is (FORMATS.md 10.4). */
  get persistable(): boolean {
    return this.persistableAt(0);
  }

  /** Whether there is a result `i`, and it is persistable. */
  persistableAt(i: number): boolean {
    return i < this.results.length && (this.#flagAt("persistable", i) ?? this.type === PARAMETER);
  }

  /** Whether gradients stop at result `i`; undefined if the file does not say. */
  stopGradientAt(i: number): boolean | undefined {
    return this.#flagAt("stop_gradient", i);
  }

  /** The flag of result `i` in an attribute that lists one per result. */
  #flagAt(name: string, i: number): boolean | undefined {
    const value = this.attributes.get(name);
    return Array.isArray(value) ? value[i] === true : undefined;
  }
}

/** Of several attributes with the same name, Paddle reads the first. */
function firstOfEach(attributes: Iterable<[string, AttributeValue]>): Map<string, AttributeValue> {
  const found = new Map<string, AttributeValue>();
  for (const [name, value] of attributes) if (!found.has(name)) found.set(name, value);
  return found;
}

/** Check that a compressed parameter's flags are numbers, or true and false, which Paddle also reads. */
function checkFlags(flags: readonly Json[], at: At, field: string): void {
  flags.forEach((flag, i) => {
    if (["number", "bigint", "boolean"].includes(typeof flag) || flag instanceof JsonNumber) return;
    throw badField(new At(at, field, i), "is not a flag");
  });
}

/** A flag as Paddle reads it: as an int32, so that 0.5 is 0. */
function flagOf(flag: Json): boolean {
  return (Number(flag instanceof JsonNumber ? flag.value : flag) | 0) !== 0;
}

/** Attribute kinds of the dialect `pd_op`. */
const PD_OP = new Set(["a_intarray", "a_dtype", "a_layout", "a_place", "a_scalar"]);

/** The id of a value, which pre-release versions of Paddle 3 wrote under `#`. */
function idOf(value: JsonObject): Json | undefined {
  return value.get("%") ?? value.get("#");
}

/** Read a result or a block argument; `isSaved` says that a parameter file contains it. */
export function readValue(value: JsonObject, at: At, isSaved = false): PirValue {
  return { id: asInt(idOf(value), at, "%"), type: readType(value.get("TT"), at, isSaved) };
}
