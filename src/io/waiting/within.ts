/**
 * Waiting with a time limit.
 *
 * @module
 */

import { onAbort } from "./on_abort.ts";

/** What {@linkcode within} rejects with when the time is up. */
export class TimedOut extends Error {}

/** `work`, but no longer than `ms` milliseconds and not after `signal` aborts; timer and listener are gone once it settles. */
export function within<T>(work: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let release: (() => void) | undefined;
    const stop = () => {
      done();
      reject(signal!.reason);
    };
    const done = () => {
      clearTimeout(timer);
      release?.();
    };
    work.then(
      (value) => {
        done();
        resolve(value);
      },
      (error) => {
        done();
        reject(error);
      },
    );
    if (signal?.aborted) return stop();
    if (signal) release = onAbort(signal, stop);
    // Timers cannot take longer times; those mean no limit.
    if (ms < 2 ** 31) {
      timer = setTimeout(() => {
        done();
        reject(new TimedOut(`${ms} ms have passed`));
      }, ms);
    }
  });
}

/** Wait for `work`, which may ignore `signal`, but only until that aborts. */
export async function stoppable(work: () => unknown, signal: AbortSignal | undefined): Promise<void> {
  if (signal) await within(Promise.resolve(work()), Infinity, signal);
  else await work();
}

/** Wait `ms` milliseconds; rejects with the reason of `signal` if that aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return within(new Promise<void>(() => {}), ms, signal).catch((error) => {
    if (!(error instanceof TimedOut)) throw error;
  });
}
