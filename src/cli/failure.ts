/**
 * An error as a line for people, and what the program ends with.
 *
 * @module
 */
import { isPaddleError } from "../errors.ts";
import { Interrupt, OutputClosed } from "../io/process_console.ts";
import { UsageError } from "./command.ts";
import type { Session } from "./session.ts";

/** Done, and the answer is yes. */
export const DONE = 0;
/** The answer is no: files differ, a file is damaged, a file is refused. */
export const NO = 1;
/** It could not be done. */
export const TROUBLE = 2;

/** Tell what went wrong, in one line and a hint, and give the number that the program ends with. */
export async function failed(error: unknown, session: Session): Promise<number> {
  if (error instanceof OutputClosed) return DONE;
  if (error instanceof Interrupt) {
    await session.fail("error: stopped; no file was changed half-way");
    return error.exitCode;
  }
  if (isPaddleError(error)) {
    await session.fail(`error: ${error.message} (${error.code})`);
    if (error.hint && !error.message.includes(error.hint)) await session.fail(`hint: ${error.hint}`);
    if (error.limit) await session.fail(`hint: a file that you trust may go beyond it: --limit ${error.limit}=NUMBER`);
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
