/**
 * Long work in steps, between which others may have a turn (RULES.md TIM-3). Who has no turns to give takes them at once.
 *
 * @module
 */

/** Things that are looked at between two steps. */
export const STEP = 16_384;

/** What a generator gives at its end: for who has no turns to give. */
export function atOnce<T>(steps: Generator<unknown, T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Tells when enough was looked at for a step. */
export class StepPace {
  #looked = 0;

  /** Whether a step is due behind `n` more things. */
  isDue(n: number): boolean {
    if ((this.#looked += n) < STEP) return false;
    this.#looked = 0;
    return true;
  }
}

/** Items that are sorted without a step. */
const RUN = 4096;

/** Sort a list in place, as its own `sort` does. */
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

/** Merge two sorted runs that lie side by side in `from`. */
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
