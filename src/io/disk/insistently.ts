/**
 * What is tried more than once.
 *
 * @module
 */

/** Times that is tried what leaves something behind where it fails. */
const TRIES = 3;

/** Do what must be done if it can be: a system that was disturbed once may do it the next time. */
export async function insistently(work: () => unknown): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return void await work();
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}
