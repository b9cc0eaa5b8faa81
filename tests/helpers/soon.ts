/** Checks that something takes next to no time, on machines that may be busy. */
import assert from "node:assert/strict";

/** Milliseconds within which a call must end when its signal is aborted. */
export const SOON = 100;
/** How often a run is tried: a busy machine may delay some, but not all. */
export const TRIES = 10;

/** Check that one of {@linkcode TRIES} runs takes less than `most` milliseconds. */
export async function takesLittle(what: string, run: () => Promise<number>, most: number = SOON): Promise<void> {
  const times: number[] = [];
  while (times.length < TRIES && !(times.at(-1)! < most)) times.push(Math.round(await run()));
  assert.ok(times.at(-1)! < most, `${what}: ${times} ms`);
}

/** Milliseconds that `run` takes. */
export async function timeOf(run: () => unknown): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}
