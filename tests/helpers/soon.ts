/** Checks that something takes next to no time, on machines that may be busy. */
import assert from "node:assert/strict";

/** Milliseconds within which a call must end when its signal is aborted. */
export const SOON = 100;

/** Check that one of five runs takes less than `most` milliseconds: a busy machine may delay some, but not all. */
export async function takesLittle(what: string, run: () => Promise<number>, most: number = SOON): Promise<void> {
  const times: number[] = [];
  while (times.length < 5 && !(times.at(-1)! < most)) times.push(Math.round(await run()));
  assert.ok(times.at(-1)! < most, `${what}: ${times} ms`);
}

/** Milliseconds that `run` takes. */
export async function timeOf(run: () => unknown): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}
