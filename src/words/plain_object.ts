/**
 * Inspects objects that a caller passed, without trusting them.
 *
 * @module
 */
import { StepPace } from "./steps.ts";

/** Whether a value is a plain object, such as an object literal. */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * The own properties of an object, in steps between which other work may run. Only the list of keys comes all at once: no engine gives it
 * in parts.
 */
export function* mapOfObject(object: object): Generator<void, Map<string, unknown>> {
  const map = new Map<string, unknown>();
  const pace = new StepPace();
  for (const key of Object.keys(object)) {
    if (pace.isDue(1)) yield;
    map.set(key, (object as Record<string, unknown>)[key]);
  }
  return map;
}

/** Set a property of the object's own, whatever its name: no setter or prototype is ever reached. */
export function defineField(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Whether a value has a method. */
export function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | null | undefined)?.[name] === "function";
}
