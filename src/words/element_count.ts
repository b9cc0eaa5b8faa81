/**
 * How many elements an array has.
 *
 * @module
 */

/**
 * The product of a shape's lengths: 0 if any is 0. Beyond 2^53 it is not exact, but greater than `Number.MAX_SAFE_INTEGER`; it is never NaN,
 * as a plain product of infinity and 0 would be.
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 0) return 0;
    count *= shape[axis];
  }
  return count;
}
