/**
 * The signal of one call, whose result outlives it.
 *
 * @module
 */
import { onAbort } from "./on_abort.ts";

/**
 * Do `work` with `options` whose signal ends with the call: what stays open keeps it, and must not fail when the caller's signal aborts
 * later, as a time limit does.
 */
export async function whileCalling<Options extends { signal?: AbortSignal }, T>(
  options: Options,
  work: (options: Options) => Promise<T>,
): Promise<T> {
  const { signal } = options;
  if (!signal) return await work(options);
  signal.throwIfAborted();
  const controller = new AbortController();
  const release = onAbort(signal, () => controller.abort(signal.reason));
  try {
    return await work({ ...options, signal: controller.signal });
  } finally {
    release();
  }
}
