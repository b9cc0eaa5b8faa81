/** The code of an error. */
import { isPaddleError } from "../../mod.ts";

/** The code of the error that `promise` rejects with; anything else that it rejects with, or null, as a string. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => null, (error: unknown) => error);
  return isPaddleError(error) ? error.code : String(error);
}
