/**
 * What somebody else's failure says.
 *
 * @module
 */

/** Its message; anything may be thrown, also what cannot be made a text. */
export function toldBy(cause: unknown): string {
  try {
    return String(cause instanceof Error ? cause.message : cause);
  } catch {
    return "something was thrown that is no error";
  }
}
