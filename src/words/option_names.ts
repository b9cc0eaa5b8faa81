/**
 * Checks the names of options.
 *
 * @module
 */
import { nearest } from "../limits.ts";
import { shownValue } from "./described.ts";

/** Throws a TypeError if `given` is not an options object, or has a name not in `names`; the message suggests the nearest name. */
export function checkNames(given: unknown, names: readonly string[]): asserts given is object {
  if (typeof given !== "object" || given === null || Symbol.iterator in given) {
    throw new TypeError(`Options must be an object: got ${shownValue(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      throw new TypeError(`Unknown option "${name}": the nearest is "${nearest(name, names)}"`);
    }
  }
}
