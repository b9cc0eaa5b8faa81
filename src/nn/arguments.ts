/**
 * Python-style arguments: by position, by name in a final object, or a mix of both.
 *
 * @module
 */
import { isPlainObject } from "../words/plain_object.ts";
import { shownValue } from "../words/described.ts";
import { nearest } from "../limits.ts";

/**
 * The argument lists accepted for the arguments A, whose names in order are Names: any number of leading ones by position, the rest in an
 * object.
 * `Call<{ inFeatures: number; outFeatures: number; name?: string }, ["inFeatures", "outFeatures", "name"]>` takes `(4, 3)`,
 * `(4, 3, { name: "x" })`, `(4, 3, "x")` and `({ inFeatures: 4, outFeatures: 3 })`.
 */
export type Call<A extends object, Names extends readonly unknown[]> =
  | (Record<never, never> extends A ? [options?: A] : [options: A])
  | (Names extends readonly [infer Name extends keyof A, ...infer Rest] ? [value: A[Name], ...Call<Omit<A, Name>, Rest>]
    : never);

/** Marks an argument that has no default. */
export const REQUIRED: unique symbol = Symbol("required");

/** A function's name, and its arguments in order with their defaults. */
export interface Signature<A extends object> {
  /** The function's name, for messages. */
  readonly name: string;
  /** The defaults in positional order; `REQUIRED` for arguments that have none. */
  readonly defaults: { readonly [Name in keyof Required<A>]: A[Name] | symbol };
  /** How many arguments can be passed by position. @default {all} */
  readonly positional?: number;
  /** Arguments that must have the type of their default, a number or boolean. @default {none} */
  readonly typed?: readonly (keyof A)[];
}

/**
 * All arguments by name, with defaults filled in. Throws a TypeError for a missing, unknown or duplicate argument, and for a typed one of
 * the wrong type.
 */
export function bind<A extends object>(signature: Signature<A>, given: readonly unknown[]): Required<A> {
  const names = Object.keys(signature.defaults);
  const values = new Map<string, unknown>(Object.entries(signature.defaults));
  const byPosition = given.length > 0 && isPlainObject(given[given.length - 1]) ? given.slice(0, -1) : given;
  const most = signature.positional ?? names.length;
  if (byPosition.length > most) {
    throw new TypeError(`${signature.name} takes ${most} arguments by position: got ${byPosition.length}`);
  }
  byPosition.forEach((value, i) => value !== undefined && values.set(names[i], value));
  if (byPosition !== given) {
    for (const [name, value] of Object.entries(given[given.length - 1] as object)) {
      const position = names.indexOf(name);
      if (position < 0) {
        throw new TypeError(`${signature.name} has no argument "${name}": the nearest is ${near(name, names)}`);
      }
      if (position < byPosition.length) throw new TypeError(`${signature.name} got the argument "${name}" twice`);
      if (value !== undefined) values.set(name, value);
    }
  }
  for (const [name, value] of values) {
    if (value === REQUIRED) throw new TypeError(`${signature.name} needs the argument "${name}"`);
  }
  for (const name of signature.typed ?? []) {
    checkType(`${signature.name}: "${String(name)}"`, values.get(name as string), typeof signature.defaults[name]);
  }
  return Object.fromEntries(values) as Required<A>;
}

/** Throws a TypeError for a value that is not of `type`: a string in place of a number would turn every result into NaN. */
export function checkType(what: string, value: unknown, type: string): void {
  const given: string = typeof value;
  if (given !== type) throw new TypeError(`${what} must be a ${type}: got ${shownValue(value)}`);
}

function near(name: string, names: readonly string[]): string {
  return names.length > 0 ? `"${nearest(name, names)}"` : "none";
}
