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
  const shown: object & { elements?: NestedArray } = { ...this };
  try {
    if (this.isLoaded && this.size <= SHOWN) shown.elements = this.toArray();
  } catch {
    // Some arrays cannot list them, which is no reason for console.log to throw.
  }
  return `${this.constructor.name} ${inspect(shown, { ...options, depth: Infinity })}`;
}

// Not a method: its name would be part of the declared type.
Object.defineProperty(NDArray.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: inspected });
