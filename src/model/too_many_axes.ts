/**
 * Arrays with more axes than a tensor of Paddle can have.
 *
 * @module
 */
import type { Warning } from "../errors.ts";

/** Axes that a tensor of Paddle has at most (`DDim::kMaxRank`). */
const MOST_AXES = 9;

/** The warning about an array of this shape at the path `at`; none if it could be a tensor of Paddle. */
export function tooManyAxes(shape: readonly number[], at?: string): Warning[] {
  if (shape.length <= MOST_AXES) return [];
  const message = `An array has ${shape.length} axes: Paddle cannot load it, as its tensors have ${MOST_AXES} at most`;
  return [{ code: "TOO_MANY_AXES", message, ...at !== undefined && { at } }];
}
