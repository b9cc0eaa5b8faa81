/**
 * Combines two signals.
 *
 * @module
 */

import { onAbort } from "./on_abort.ts";

/** A signal that aborts with the first of two; `release` removes the listeners. */
export function eitherSignal(
  one: AbortSignal,
  other: AbortSignal | undefined,
): { signal: AbortSignal; release: () => void } {
  if (!other) return { signal: one, release: () => {} };
  const controller = new AbortController();
  const stop = () => controller.abort(one.aborted ? one.reason : other.reason);
  const releases: (() => void)[] = [];
  if (one.aborted || other.aborted) stop();
  else releases.push(onAbort(one, stop), onAbort(other, stop));
  return { signal: controller.signal, release: () => releases.forEach((release) => release()) };
}
