/**
 * Sets the state of a scheduler whole or not at all.
 *
 * @module
 */
import type { Value } from "../../values.ts";
import type { LRScheduler, SetStateOptions } from "./lr_scheduler.ts";

/** Set a scheduler's state whole or not at all: on its own, a scheduler keeps what was set before a failure, as in Paddle. */
export function setWhole(scheduler: LRScheduler, state: ReadonlyMap<Value, Value>, options: SetStateOptions): void {
  const before = scheduler.stateDict();
  try {
    scheduler.setStateDict(state, options);
  } catch (error) {
    restore(scheduler, before);
    throw error;
  }
}

/** Set a scheduler to a state of its own again. */
function restore(scheduler: LRScheduler, state: Map<string, Value>): void {
  // Undefined fields are not in the state: they are set as well, instead of counting as missing.
  state.has = () => true;
  try {
    scheduler.setStateDict(state);
  } catch {
    // A caller's own scheduler may refuse its own state: the first error says more.
  }
}
