/**
 * Names of options.
 *
 * @module
 */
import { nearest } from "../limits.ts";
import { shownValue } from "./described.ts";

/** A TypeError for options that are none, and for one that is none of `names`, which names the nearest. */
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
