/**
 * Values in words, for messages.
 *
 * @module
 */
import { hasMethod } from "./plain_object.ts";

/** The class of a value, for messages. */
export function className(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.getPrototypeOf(value)?.constructor?.name ?? "object";
}

/** What a value is, for messages: `undefined`, `a number`, `an Array`. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const name = className(value);
  return `${"aeioAEIO".includes(name[0]) ? "an" : "a"} ${name}`;
}

/** A value for messages, where it is short: `"graph"`, `5`, `an Array`. */
export function shownValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 200));
  return typeof value === "number" || typeof value === "boolean" ? String(value) : described(value);
}

/** What to do with a promise that somebody forgot to wait for; empty for any other value. */
export function promiseHint(value: unknown): string {
  return hasMethod(value, "then") ? "await it" : "";
}

/** What a value is that is none of what is wanted, with a way out where one is known. */
export function gotInstead(value: unknown): string {
  const way = promiseHint(value);
  return `got ${described(value)}${way && `: ${way}`}`;
}
