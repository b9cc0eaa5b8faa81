/**
 * Looks into a PIR module's JSON; what is not there, or of another kind, is an error that says where.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { type Json, JsonObject } from "../json/json.ts";

/** Where a field is: put into words only where something is wrong with it, as there are many. */
export class At {
  readonly #parent: At | null;
  readonly #field: string;
  readonly #index: number;

  /** The field of what is at `parent`; with `index` an entry of it. */
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

/** The error for a field that is not as it has to be. */
export function badField(at: At, finding: string): FormatError {
  return new FormatError("BAD_FIELD", `The program's ${at} ${finding}`, { at: String(at) });
}

/** An object: what is at `at`, or that field of it, or that entry of the field. */
export function asObject(value: Json | undefined, at: At | null, field?: string, index?: number): JsonObject {
  if (value instanceof JsonObject) return value;
  throw misfit(value, "object", at, field, index);
}

/** A list. */
export function asList(value: Json | undefined, at: At | null, field?: string, index?: number): Json[] {
  if (Array.isArray(value)) return value;
  throw misfit(value, "list", at, field, index);
}

/** A text. */
export function asText(value: Json | undefined, at: At | null, field?: string, index?: number): string {
  if (typeof value === "string") return value;
  throw misfit(value, "text", at, field, index);
}

/** An integer that JavaScript's numbers can say. */
export function asInt(value: Json | undefined, at: At | null, field?: string, index?: number): number {
  if (typeof value === "number") return value;
  throw misfit(value, "integer", at, field, index);
}

function misfit(value: Json | undefined, wanted: string, at: At | null, field?: string, index?: number): FormatError {
  const where = field === undefined ? at! : new At(at, field, index);
  return badField(where, value === undefined ? "is missing" : `is no ${wanted}`);
}
