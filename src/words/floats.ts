/**
 * Which numbers of a container were floats in the file. JavaScript has one kind of number; 1.0 and 1 are two things in Python.
 *
 * @module
 */

/** Places (keys of a dict, indices of a list, members of a set), each with the float that was there. */
class Places {
  /** Those of places that count up from 0, as a list's do. */
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

/** For each container, its floats. */
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

/** Whether `value`, now at `place` of `container`, is the float that was loaded there. */
export function wasFloat(container: object, place: unknown, value: number): boolean {
  return memory.get(container)?.get(place) === value;
}

/** Whether this key of a dict (or member of a set) was a float in the file. */
export function wasFloatKey(container: object, key: number): boolean {
  return keyMemory.get(container)?.has(key) ?? false;
}

/** Whether a JavaScript number can only be a float: no int has this form. */
export function isFloatByNature(value: number): boolean {
  return !Number.isSafeInteger(value) || Object.is(value, -0);
}
