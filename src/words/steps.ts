/**
 * Long computations as generators of steps, between which other work may run (RULES.md TIM-3). Synchronous callers run all steps at once.
 *
 * @module
 */

/** Items processed per step. */
export const STEP = 16_384;

/** Run a generator of steps without interruption, and return its result. */
export function atOnce<T>(steps: Generator<unknown, T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Tells when enough items were processed for a step. */
export class StepPace {
  #looked = 0;

  /** Whether a step is due after `n` more items. */
  isDue(n: number): boolean {
    if ((this.#looked += n) < STEP) return false;
    this.#looked = 0;
    return true;
  }
}

/** Items that are sorted within one step. */
const RUN = 4096;

/** Sort a list in place, stably, as its own `sort` does. */
export function* sortInSteps<T>(items: T[], compare: (a: T, b: T) => number): Generator<void, void> {
  if (items.length <= RUN) {
    items.sort(compare);
    return;
  }
  let from: T[] = [];
  for (let start = 0; start < items.length; start += RUN) {
    for (const item of items.slice(start, start + RUN).sort(compare)) from.push(item);
    yield;
  }
  let into = items;
  for (let run = RUN; run < items.length; run *= 2) {
    for (let start = 0; start < items.length; start += 2 * run) yield* merge(from, into, start, run, compare);
    [from, into] = [into, from];
  }
  if (from !== items) { for (let i = 0; i < from.length; i++) items[i] = from[i]; }
}

/** Merge two adjacent sorted runs of `from` into `into`; `run` is the length of the first. */
function* merge<T>(
  from: readonly T[],
  into: T[],
  start: number,
  run: number,
  compare: (a: T, b: T) => number,
): Generator<void, void> {
  const middle = Math.min(from.length, start + run), end = Math.min(from.length, start + 2 * run);
  let left = start, right = middle;
  for (let at = start; at < end; at++) {
    const isLeft = left < middle && (right === end || compare(from[left], from[right]) <= 0);
    into[at] = isLeft ? from[left++] : from[right++];
    if (at % STEP === 0) yield;
  }
}
