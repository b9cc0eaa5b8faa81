/**
 * Two signals as one.
 *
 * @module
 */

/** A signal that ends with the first of two; `release` takes the listeners away. */
export function eitherSignal(
  one: AbortSignal,
  other: AbortSignal | undefined,
): { signal: AbortSignal; release: () => void } {
  if (!other) return { signal: one, release: () => {} };
  const controller = new AbortController();
  const stop = () => controller.abort(one.aborted ? one.reason : other.reason);
  const signals = [one, other];
  if (signals.some((signal) => signal.aborted)) stop();
  else for (const signal of signals) signal.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    release: () => signals.forEach((signal) => signal.removeEventListener("abort", stop)),
  };
}
