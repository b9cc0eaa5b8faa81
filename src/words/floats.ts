/**
 * Remembers which numbers of a container were floats in the file: JavaScript has only one type of number, but 1.0 is not 1 in Python.
 *
 * @module
 */

/** Floats by index: the key in a dict, or the position in a list. */
class FloatsByIndex {
  /** Floats at indices that count up from 0, as those of a list. */
  readonly #row: number[] = [];
  #others: Map<unknown, number> | null = null;

  set(index: unknown, value: number): void {
    if (index === this.#row.length) this.#row.push(value);
    else if (this.#isInRow(index)) this.#row[index] = value;
    else (this.#others ??= new Map()).set(index, value);
  }

  get(index: unknown): number | undefined {
    return this.#isInRow(index) ? this.#row[index] : this.#others?.get(index);
  }

  #isInRow(index: unknown): index is number {
    return typeof index === "number" && index >= 0 && index < this.#row.length && Number.isInteger(index);
  }
}

/** The floats of each container. */
const memory = new WeakMap<object, FloatsByIndex>();
const keyMemory = new WeakMap<object, Set<number>>();

/** Remember that `container` held the float `value` at `index`. */
export function rememberFloat(container: object, index: unknown, value: number): void {
  let floats = memory.get(container);
  if (!floats) memory.set(container, floats = new FloatsByIndex());
  floats.set(index, value);
}

/** Forget the float at `index`: an int replaced it. */
export function forgetFloat(container: object, index: unknown): void {
  memory.get(container)?.set(index, NaN);
}

/** Remember that a dict's key (or a set's member) was a float. */
export function rememberFloatKey(container: object, key: number): void {
  let keys = keyMemory.get(container);
  if (!keys) keyMemory.set(container, keys = new Set());
  keys.add(key);
}

/** Whether `value`, now at `index` in `container`, is the float that was loaded there. */
export function wasFloat(container: object, index: unknown, value: number): boolean {
  return memory.get(container)?.get(index) === value;
}

/** Whether this key of a dict (or member of a set) was a float in the file. */
export function wasFloatKey(container: object, key: number): boolean {
  return keyMemory.get(container)?.has(key) ?? false;
}

/** Note of an entry that is copied from one container to another what is remembered of it: whether key and value were floats. */
export function carryFloats(from: object, to: object, key: unknown, value: unknown): void {
  if (typeof value === "number" && wasFloat(from, key, value)) rememberFloat(to, key, value);
  if (typeof key === "number" && wasFloatKey(from, key)) rememberFloatKey(to, key);
}

/** Whether a JavaScript number can only be a float, as ints are never represented by such a number. */
export function isFloatByNature(value: number): boolean {
  return !Number.isSafeInteger(value) || Object.is(value, -0);
}
