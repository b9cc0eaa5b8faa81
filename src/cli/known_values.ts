/**
 * What a pickle holds beside objects of classes that are refused.
 *
 * @module
 */
import { audit } from "../audit.ts";
import { load } from "../load.ts";
import { keyName } from "../model/key_name.ts";
import { namedArrays } from "../model/named_arrays.ts";
import { PickledObject, type Value } from "../values.ts";
import { type Given, UsageError } from "./command.ts";
import type { OpenFile } from "./open_file.ts";
import { type FROM_ARRAYS, reading } from "./reading.ts";
import type { Session } from "./session.ts";

/** A pickle without some of its values. */
export type KnownFile = Pick<OpenFile, "shown" | "value" | "arrays"> & {
  /** Names of the objects that were left out. */
  readonly unknown: readonly string[];
};

/** Read a pickle, leave out the objects of unknown classes, and run `body` on the rest. */
export async function withKnownValues<T>(
  from: string,
  options: Given<typeof FROM_ARRAYS>,
  session: Session,
  body: (file: KnownFile) => Promise<T>,
): Promise<T> {
  for (const name of ["float8", "model-filename", "params-filename"] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} and --skip-unknown exclude each other`);
  }
  return await reading(options, session, async (where) => {
    const { value, warnings } = await audit(from, { ...where, unknown: "opaque" });
    const parts = new KnownParts();
    const known = parts.of(value, "");
    // Nothing is left of it, or it cannot be read to its end: load says why.
    if (known === NOTHING || value === undefined) await load(from, where);
    warnings.forEach(session.onWarning);
    return await body({ shown: from, value: known, arrays: namedArrays(known), unknown: parts.left });
  });
}

/** Takes the place of a value that is left out. */
const NOTHING = Symbol();

/** Removes objects from dicts, along with lists and tuples that hold one: without it they would be others. */
class KnownParts {
  readonly left: string[] = [];
  readonly #made = new Map<object, unknown>();

  /** The value without them, modified in place; a subclass of list or dict becomes that. NOTHING if it is left out itself. */
  of(value: Value, name: string): unknown {
    if (typeof value !== "object" || value === null) return value;
    let known = this.#made.get(value);
    if (known === undefined) {
      known = (value instanceof PickledObject ? value.items : value) ?? NOTHING;
      this.#made.set(value, known);
      if (known !== NOTHING && !this.#keep(known as object, name)) this.#made.set(value, known = NOTHING);
    }
    if (known === NOTHING && value instanceof PickledObject) this.left.push(name);
    return known;
  }

  /** Whether the container stays. */
  #keep(container: object, name: string): boolean {
    if (container instanceof Map) {
      for (const [key, item] of container) {
        const known = this.of(item, below(name, key));
        if (known === NOTHING) container.delete(key);
        else if (known !== item) container.set(key, known);
      }
    } else if (Array.isArray(container)) {
      const known = container.map((item, index) => this.of(item, below(name, index)));
      if (known.includes(NOTHING)) return false;
      known.forEach((item, index) => container[index] = item);
    }
    return true;
  }
}

function below(name: string, key: unknown): string {
  return name === "" ? keyName(key) : `${name}.${keyName(key)}`;
}
