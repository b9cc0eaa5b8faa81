/**
 * Reads arrays that were left in their file.
 *
 * @module
 */
import { some } from "../model/walk.ts";
import { NDArray } from "../ndarray.ts";

/** Read every array below `value` whose bytes are not here yet. */
export async function loadLazyArrays(value: unknown, signal?: AbortSignal): Promise<void> {
  const lazy: NDArray[] = [];
  some(value, (found) => {
    if (found instanceof NDArray && !found.isLoaded) lazy.push(found);
    return false;
  }, () => true);
  for (const array of lazy) await array.load({ signal });
}
