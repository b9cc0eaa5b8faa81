/**
 * Access to a PIR module's JSON; a field that is missing or of the wrong type is an error that says where.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { type Json, JsonObject } from "../json/json.ts";

/** The path of a field, which is only formatted for an error, as there are many. */
export class At {
  readonly #parent: At | null;
  readonly #field: string;
  readonly #index: number;

  /** A field of the object at `parent`; with `index`, an entry of that field. */
  constructor(parent: At | null, field: string, index = -1) {
    this.#parent = parent;
    this.#field = field;
    this.#index = index;
  }

  /** `program/regions/0/blocks/0/ops/3`. */
  toString(): string {
    const step = this.#index < 0 ? this.#field : `${this.#field}/${this.#index}`;
    return this.#parent ? `${this.#parent}/${step}` : step;
  }
}

/** The error of an invalid field. */
export function badField(at: At, finding: string): FormatError {
  return new FormatError("BAD_FIELD", `The program's ${at} ${finding}`, { at: String(at) });
}

/** Check that `value` is an object. Its path is `at`, or the given field of that, or an entry of that field. */
export function asObject(value: Json | undefined, at: At | null, field?: string, index?: number): JsonObject {
  if (value instanceof JsonObject) return value;
  throw misfit(value, "an object", at, field, index);
}

/** Check that `value` is a list. */
export function asList(value: Json | undefined, at: At | null, field?: string, index?: number): Json[] {
  if (Array.isArray(value)) return value;
  throw misfit(value, "a list", at, field, index);
}

/** Check that `value` is a string. */
export function asText(value: Json | undefined, at: At | null, field?: string, index?: number): string {
  if (typeof value === "string") return value;
  throw misfit(value, "a string", at, field, index);
}

/** Check that `value` is an integer in JavaScript's safe range. */
export function asInt(value: Json | undefined, at: At | null, field?: string, index?: number): number {
  if (typeof value === "number") return value;
  throw misfit(value, "an integer", at, field, index);
}

function misfit(value: Json | undefined, wanted: string, at: At | null, field?: string, index?: number): FormatError {
  const where = field === undefined ? at! : new At(at, field, index);
  return badField(where, value === undefined ? "is missing" : `is not ${wanted}`);
}
