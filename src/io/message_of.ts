/**
 * The message of whatever was thrown.
 *
 * @module
 */

/** The message of `cause`; anything may be thrown, even something that cannot be converted to a string. */
export function messageOf(cause: unknown): string {
  try {
    return String(cause instanceof Error ? cause.message : cause);
  } catch {
    return "something was thrown that is not an Error";
  }
}
