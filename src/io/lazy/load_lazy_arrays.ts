/**
 * Reads arrays that were left in their file.
 *
 * @module
 */
import { someInSteps } from "../../model/walk.ts";
import { NDArray } from "../../ndarray.ts";
import { SelectedRows } from "../../values.ts";
import { inTurns } from "../waiting/turns.ts";

/** Number of arrays to read at once, so that neighbours are merged into one request. */
const TOGETHER = 64;

/** The arrays in `value` that have not been read yet. */
export async function lazyArrays(value: unknown, signal?: AbortSignal): Promise<Set<NDArray>> {
  const lazy = new Set<NDArray>();
  const note = (found: unknown) => {
    if (found instanceof SelectedRows) found = found.value;
    if (found instanceof NDArray && found.unread !== null) lazy.add(found);
    return false;
  };
  await inTurns(someInSteps(value, note, () => true), signal);
  return lazy;
}

/** Read every array in `value` that has fewer than `below` bytes and has not been read yet. */
export async function loadLazyArrays(value: unknown, signal?: AbortSignal, below = Infinity): Promise<void> {
  const lazy = [...await lazyArrays(value, signal)].filter(({ nbytes }) => nbytes < below);
  for (let i = 0; i < lazy.length; i += TOGETHER) {
    await Promise.all(lazy.slice(i, i + TOGETHER).map((array) => array.load({ signal })));
  }
}
