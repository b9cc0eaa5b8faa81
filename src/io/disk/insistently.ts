/**
 * Retries.
 *
 * @module
 */

/** Number of attempts at work that would leave something behind if it failed. */
const TRIES = 3;

/** Do work that should succeed if at all possible: after a transient failure the system may manage it the next time. */
export async function insistently(work: () => unknown): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return void await work();
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}
