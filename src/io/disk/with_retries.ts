/**
 * Work that is tried more than once.
 *
 * @module
 */

/** Attempts at work that would leave files behind if it failed. */
const TRIES = 3;

/** Run `work`, up to three times: a system call that failed once may succeed the next time. */
export async function withRetries(work: () => unknown): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return void await work();
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}
