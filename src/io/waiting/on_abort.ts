/**
 * One listener per signal, however many are waiting for it: some runtimes warn about more than ten.
 *
 * @module
 */

interface Waiting {
  readonly calls: Set<() => void>;
  readonly listener: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/** Call `call` when `signal` aborts; the returned function cancels that. */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const { calls, listener } = waiting.get(signal) ?? listen(signal);
  calls.add(call);
  return () => {
    if (!calls.delete(call) || calls.size > 0) return;
    signal.removeEventListener("abort", listener);
    waiting.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const calls = new Set<() => void>();
  const listener = () => calls.forEach((call) => call());
  signal.addEventListener("abort", listener, { once: true });
  const entry = { calls, listener };
  waiting.set(signal, entry);
  return entry;
}
