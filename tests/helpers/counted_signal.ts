/** A signal whose listeners are counted. */

export interface CountedSignal {
  signal: AbortSignal;
  controller: AbortController;
  /** Listeners that it has now. */
  listeners: ReadonlySet<unknown>;
  /** How many were ever added. */
  added: () => number;
}

export function countedSignal(): CountedSignal {
  const controller = new AbortController(), { signal } = controller;
  const listeners = new Set<unknown>();
  let added = 0;
  const add = signal.addEventListener.bind(signal), remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = ((type: string, listener: () => void, options?: AddEventListenerOptions) => {
    listeners.add(listener);
    added++;
    add(type, listener, options);
  }) as typeof signal.addEventListener;
  signal.removeEventListener = ((type: string, listener: () => void) => {
    listeners.delete(listener);
    remove(type, listener);
  }) as typeof signal.removeEventListener;
  return { signal, controller, listeners, added: () => added };
}
