/**
 * Which numbers of a container were floats in the file. JavaScript has one kind of number; 1.0 and 1 are two things in Python.
 *
 * @module
 */

/** For each container: place (key of a dict, index of a list, member of a set) to the float that was there. */
const memory = new WeakMap<object, Map<unknown, number>>();
const keyMemory = new WeakMap<object, Set<number>>();

/** Remember that `container` held the float `value` at `place`. */
export function rememberFloat(container: object, place: unknown, value: number): void {
  let places = memory.get(container);
  if (!places) memory.set(container, places = new Map());
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
