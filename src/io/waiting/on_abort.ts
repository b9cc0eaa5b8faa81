/**
 * One listener on a signal, however many wait for it: some runtimes warn of more than ten.
 *
 * @module
 */

interface Waiting {
  readonly calls: Set<() => void>;
  readonly listener: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/** Call `call` when `signal` is aborted; what is returned takes it back. */
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
