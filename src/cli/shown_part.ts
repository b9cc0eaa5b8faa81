/**
 * The first and last rows of an array that is not read whole.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint.ts";
import { EDGE, type Elements, THRESHOLD } from "./array_text.ts";
import { elementCount } from "../words/element_count.ts";

/** The part of an array to show: all of a small one, the rows at both ends of a large one. */
export async function shownPart(checkpoint: Checkpoint, name: string, signal: AbortSignal): Promise<Elements> {
  const { dtype, shape } = checkpoint.info(name);
  const size = elementCount(shape);
  if (size <= THRESHOLD || shape[0] <= 2 * EDGE) return await checkpoint.get(name, { signal });
  const first = await checkpoint.getSlice(name, [0, EDGE], { signal });
  const last = await checkpoint.getSlice(name, [shape[0] - EDGE, shape[0]], { signal });
  return {
    dtype,
    shape,
    at: (i, ...rest) => i < EDGE ? first.at(i, ...rest) : last.at(i - shape[0] + EDGE, ...rest),
  };
}
