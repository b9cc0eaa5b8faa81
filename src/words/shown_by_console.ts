/**
 * Has `console.log` show arrays with their properties, and with their elements if they are few and in memory, in Node, Deno and Bun. The
 * front door imports this for its effect: a bundle of the pickle reader alone goes without.
 *
 * @module
 */
import { NDArray, type NestedArray } from "../ndarray.ts";

/** Maximum number of elements that are shown. */
const SHOWN = 1000;

function inspected(this: NDArray, _: unknown, options: object, inspect: (...args: unknown[]) => string): string {
  return `${this.constructor.name} ${inspect({ ...this, ...elementsOf(this) }, { ...options, depth: Infinity })}`;
}

/** The elements, if they are to be shown. Some arrays cannot list them, which is no reason for `console.log` to throw. */
function elementsOf(array: NDArray): { elements?: NestedArray } {
  try {
    return array.isLoaded && array.size <= SHOWN ? { elements: array.toArray() } : {};
  } catch {
    return {};
  }
}

// Not a method: its name would be part of the declared type.
Object.defineProperty(NDArray.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: inspected });
