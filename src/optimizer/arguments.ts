/**
 * Checks of constructor arguments. Paddle raises ValueError, TypeError or AssertionError; here each is a ValueError with Paddle's message.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { nearest } from "../limits.ts";

/** Throw a ValueError unless `holds`. */
export function check(holds: boolean, message: string): void {
  if (!holds) throw new ValueError("INVALID_VALUE", message);
}

/** Whether `value` is a number: Python's float or int. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** The type of a value, for messages. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "null" : typeof value;
}

/**
 * Check that all names in the options object are known, and that the required ones are present.
 *
 * @throws {TypeError} for a name that is in neither `required` nor `optional`; the message suggests the nearest name
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
 * @throws {ValueError} `INVALID_VALUE` if Python raises ZeroDivisionError
 */
export function divide(a: number, b: number): number {
  check(b !== 0, "float division by zero");
  return a / b;
}
