/**
 * Checks of what a constructor is given. Paddle raises ValueError, TypeError or AssertionError; here each is a ValueError with its text.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { nearest } from "../limits.ts";
import { bind } from "../nn/arguments.ts";

/** Refuse unless `holds`. */
export function check(holds: boolean, message: string): void {
  if (!holds) throw new ValueError("INVALID_VALUE", message);
}

/** Whether `value` is a number, as Python's float and int are. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** The kind of a value, for a message. */
export function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/**
 * The options object, once its names are known and the required ones are there.
 *
 * @throws {TypeError} for a name that is none of `required` and `optional`: the message names the nearest
 */
export function checkArguments(
  owner: string,
  options: unknown,
  required: readonly string[],
  optional: readonly string[],
): void {
  if (typeof options !== "object" || options === null) {
    throw new ValueError("INVALID_VALUE", `${owner} takes an object of options: got ${kindOf(options)}`);
  }
  const names = [...required, ...optional];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`Unknown option "${name}" of ${owner}: the nearest is "${nearest(name, names)}"`);
    }
  }
  for (const name of required) {
    check((options as Record<string, unknown>)[name] !== undefined, `${owner} needs the option ${name}`);
  }
}

/**
 * Python's division.
 *
 * @throws {ValueError} `INVALID_VALUE` where Python raises ZeroDivisionError
 */
export function divide(a: number, b: number): number {
  check(b !== 0, "float division by zero");
  return a / b;
}

/** Arguments by position and by name as one object; `more` can be given by name only. What is not given is undefined. */
export function byName<A extends object>(
  owner: string,
  order: readonly string[],
  args: readonly unknown[],
  more: readonly string[] = [],
): A {
  const defaults = Object.fromEntries([...order, ...more].map((name) => [name, undefined]));
  return bind<Record<string, unknown>>({ name: owner, defaults, positional: order.length } as never, args) as A;
}
