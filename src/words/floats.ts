/**
 * Remembers which numbers of a container were floats in the file: JavaScript has only one type of number, but 1.0 is not 1 in Python.
 *
 * @module
 */

/** Floats by place: key of a dict, or index of a list. */
class Places {
  /** Floats at places that count up from 0, as those of a list. */
  readonly #row: number[] = [];
  #others: Map<unknown, number> | null = null;

  set(place: unknown, value: number): void {
    if (place === this.#row.length) this.#row.push(value);
    else if (this.#isInRow(place)) this.#row[place] = value;
    else (this.#others ??= new Map()).set(place, value);
  }

  get(place: unknown): number | undefined {
    return this.#isInRow(place) ? this.#row[place] : this.#others?.get(place);
  }

  #isInRow(place: unknown): place is number {
    return typeof place === "number" && place >= 0 && place < this.#row.length && Number.isInteger(place);
  }
}

/** The floats of each container. */
const memory = new WeakMap<object, Places>();
const keyMemory = new WeakMap<object, Set<number>>();

/** Remember that `container` held the float `value` at `place`. */
export function rememberFloat(container: object, place: unknown, value: number): void {
  let places = memory.get(container);
  if (!places) memory.set(container, places = new Places());
  places.set(place, value);
}

/** Remember that a dict's key (or a set's member) was a float. */
export function rememberFloatKey(container: object, key: number): void {
  let keys = keyMemory.get(container);
  if (!keys) keyMemory.set(container, keys = new Set());
  keys.add(key);
}

/** Whether `value`, now at `place` in `container`, is the float that was loaded there. */
export function wasFloat(container: object, place: unknown, value: number): boolean {
  return memory.get(container)?.get(place) === value;
}

/** Whether this key of a dict (or member of a set) was a float in the file. */
export function wasFloatKey(container: object, key: number): boolean {
  return keyMemory.get(container)?.has(key) ?? false;
}

/** Whether a JavaScript number can only be a float, as ints are never represented by such a number. */
export function isFloatByNature(value: number): boolean {
  return !Number.isSafeInteger(value) || Object.is(value, -0);
}
