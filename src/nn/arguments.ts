/**
 * Arguments as a user of Python expects them: by position, by name in one last object, or some of each.
 *
 * @module
 */
import { isPlainObject } from "../words/plain_object.ts";
import { nearest } from "../limits.ts";

/**
 * Argument lists of a function with the arguments A, whose names in order are Names: the first so many by position, the others in an object.
 * `Call<{ inFeatures: number; outFeatures: number; name?: string }, ["inFeatures", "outFeatures", "name"]>` takes `(4, 3)`,
 * `(4, 3, { name: "x" })`, `(4, 3, "x")` and `({ inFeatures: 4, outFeatures: 3 })`.
 */
export type Call<A extends object, Names extends readonly unknown[]> =
  | (Record<never, never> extends A ? [options?: A] : [options: A])
  | (Names extends readonly [infer Name extends keyof A, ...infer Rest] ? [value: A[Name], ...Call<Omit<A, Name>, Rest>]
    : never);

/** Marks an argument that has no default. */
export const REQUIRED: unique symbol = Symbol("required");

/** What a function is called, and its arguments in order with their defaults. */
export interface Signature<A extends object> {
  /** For messages. */
  readonly name: string;
  /** In the order of positions; a symbol where there is no default. */
  readonly defaults: { readonly [Name in keyof Required<A>]: A[Name] | symbol };
  /** How many can be given by position. @default {all} */
  readonly positional?: number;
}

/** Every argument by name: what was given, and the defaults. A TypeError tells what is missing, unknown or given twice. */
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
      const place = names.indexOf(name);
      if (place < 0) {
        throw new TypeError(`${signature.name} has no argument "${name}": the nearest is ${near(name, names)}`);
      }
      if (place < byPosition.length) throw new TypeError(`${signature.name} got the argument "${name}" twice`);
      if (value !== undefined) values.set(name, value);
    }
  }
  for (const [name, value] of values) {
    if (value === REQUIRED) throw new TypeError(`${signature.name} needs the argument "${name}"`);
  }
  return Object.fromEntries(values) as Required<A>;
}

function near(name: string, names: readonly string[]): string {
  return names.length > 0 ? `"${nearest(name, names)}"` : "none";
}
