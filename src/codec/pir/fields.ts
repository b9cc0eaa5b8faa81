/**
 * Looks into a PIR module's JSON; what is not there, or of another kind, is an error that says where.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import type { Json, JsonObject } from "../json/json.ts";

/** The error for a field that is not as it has to be. */
export function badField(at: string, finding: string): FormatError {
  return new FormatError("BAD_FIELD", `The program's ${at} ${finding}`, { at });
}

/** An object. */
export function asObject(value: Json | undefined, at: string): JsonObject {
  if (value instanceof Map) return value;
  throw badField(at, value === undefined ? "is missing" : "is no object");
}

/** A list. */
export function asList(value: Json | undefined, at: string): Json[] {
  if (Array.isArray(value)) return value;
  throw badField(at, value === undefined ? "is missing" : "is no list");
}

/** A text. */
export function asText(value: Json | undefined, at: string): string {
  if (typeof value === "string") return value;
  throw badField(at, value === undefined ? "is missing" : "is no text");
}

/** An integer that JavaScript's numbers can say. */
export function asInt(value: Json | undefined, at: string): number {
  if (typeof value === "number") return value;
  throw badField(at, value === undefined ? "is missing" : "is no integer");
}
