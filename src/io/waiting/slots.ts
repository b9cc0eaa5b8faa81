/**
 * Limits how many run at a time, first come, first served.
 *
 * @module
 */

import { onAbort } from "./on_abort.ts";

/** Hands out a limited number of slots. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  #head = 0;

  /** With `count` slots. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Wait for a slot; the returned function releases it, once. */
  async take(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else {
      await new Promise<void>((resolve, reject) => {
        let release = () => {};
        const enter = () => {
          release();
          resolve();
        };
        const leave = () => {
          // Remove the waiter from the queue.
          const at = this.#waiting.indexOf(enter, this.#head);
          if (at >= 0) this.#waiting.splice(at, 1);
          release();
          reject(signal!.reason);
        };
        if (signal) release = onAbort(signal, leave);
        this.#waiting.push(enter);
      });
    }
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#next();
    };
  }

  #next(): void {
    if (this.#head === this.#waiting.length) {
      this.#free++;
      return;
    }
    const enter = this.#waiting[this.#head++];
    if (this.#head > 1024) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    enter();
  }
}
