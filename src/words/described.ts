/**
 * Describes values for messages.
 *
 * @module
 */
import { hasMethod } from "./plain_object.ts";

/** The class of a value, for messages. */
export function className(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  // An async generator's class has no name, but a tag.
  return Object.getPrototypeOf(value)?.constructor?.name || tagOf(value) || "object";
}

function tagOf(value: object): string {
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return typeof tag === "string" ? tag : "";
}

/** What a value is, for messages: `undefined`, `a number`, `an Array`. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const name = className(value);
  return `${"aeioAEIO".includes(name[0]) ? "an" : "a"} ${name}`;
}

/** A value for messages: the value itself if it is short, else what it is: `"graph"`, `5`, `an Array`. */
export function shownValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 200));
  return typeof value === "number" || typeof value === "boolean" ? String(value) : described(value);
}

/** A hint to await a promise; empty for any other value. */
export function promiseHint(value: unknown): string {
  return hasMethod(value, "then") ? "await it" : "";
}

/** What an unsuitable value is, with a hint if there is one. */
export function gotInstead(value: unknown): string {
  const way = promiseHint(value);
  return `got ${described(value)}${way && `: ${way}`}`;
}
