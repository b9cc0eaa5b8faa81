/**
 * Turns of the event loop: long-running work lets others run, and checks whether it should stop (RULES.md TIM-3).
 *
 * @module
 */

/** Milliseconds of work between two turns. */
const SLICE = 20;

/** Knows when a turn is due, and takes it. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #last = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether the event loop has waited long enough. */
  due(): boolean {
    return performance.now() - this.#last >= SLICE;
  }

  /** Let the event loop turn; throws `signal.reason` if the call was aborted meanwhile. */
  async take(): Promise<void> {
    await new Promise<void>(later);
    this.#last = performance.now();
    this.#signal?.throwIfAborted();
  }
}

/** Run work that is divided into steps, with turns of the event loop between them. */
export async function inTurns<T>(steps: Generator<void, T>, signal: AbortSignal | undefined): Promise<T> {
  const turns = new Turns(signal);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (turns.due()) await turns.take();
  }
}

/**
 * Wait for what is on its way in a stream, before that is cancelled: in Node and Deno, it would be an error that nobody can catch. Browsers
 * have no such streams, and only timers, which take milliseconds.
 */
export async function arrived(): Promise<void> {
  if ("setImmediate" in globalThis) await new Promise<void>(later);
}

/** On Node, Bun and Deno `setImmediate` avoids the milliseconds that a timer takes. */
function later(resolve: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (call: () => void) => unknown };
  if (setImmediate) setImmediate(resolve);
  else setTimeout(resolve, 0);
}
