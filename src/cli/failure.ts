/**
 * Turns an error into a line for the user and an exit code.
 *
 * @module
 */
import { isPaddleError } from "../errors.ts";
import { Interrupt, OutputClosed } from "../io/process_console.ts";
import { UsageError } from "./command.ts";
import type { Session } from "./session.ts";

/** Done, and the answer is yes. */
export const DONE = 0;
/** The answer is no: files differ, or a file is damaged or refused. */
export const NO = 1;
/** The command failed. */
export const TROUBLE = 2;

/** Report what went wrong, in one line and perhaps a hint, and return the exit code. */
export async function failed(error: unknown, session: Session): Promise<number> {
  if (error instanceof OutputClosed) return DONE;
  if (error instanceof Interrupt) {
    await session.fail("error: stopped; no file was left half-written");
    return error.exitCode;
  }
  if (isPaddleError(error)) {
    await session.fail(`error: ${error.message} (${error.code})`);
    if (error.hint && !error.message.includes(error.hint)) await session.fail(`hint: ${error.hint}`);
    if (error.limit) await session.fail(`hint: if you trust this file, raise it: --limit ${error.limit}=NUMBER`);
    return TROUBLE;
  }
  if (error instanceof UsageError) {
    await session.fail(`error: ${error.message}`);
    await session.fail("hint: oarlock help COMMAND lists its options");
    return TROUBLE;
  }
  await session.fail(`error: ${error instanceof Error ? error.message : String(error)}`);
  return TROUBLE;
}
