/**
 * Resolves links while other processes replace files.
 *
 * @module
 */
import { systemCode } from "../platform.ts";

/** Attempts to resolve a path at which there is a file. */
const LOOKS = 5;

/**
 * What `resolve` returns, in spite of a claim that nothing is there although something `exists`: in Bun, a file that another process
 * replaces by a rename has no real path for a moment.
 */
export function resolved(resolve: () => string, exists: () => boolean): string {
  for (let look = 1;; look++) {
    try {
      return resolve();
    } catch (error) {
      if (look === LOOKS || systemCode(error) !== "ENOENT" || !exists()) throw error;
    }
  }
}

/** {@linkcode resolved}, for a `resolve` that is asynchronous. */
export async function resolvedLater(resolve: () => Promise<string>, exists: () => boolean): Promise<string> {
  for (let look = 1;; look++) {
    try {
      return await resolve();
    } catch (error) {
      if (look === LOOKS || systemCode(error) !== "ENOENT" || !exists()) throw error;
    }
  }
}
