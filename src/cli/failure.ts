/**
 * Turns an error into a line for the user and an exit code.
 *
 * @module
 */
import { isPaddleError, type PaddleError, quote } from "../errors.ts";
import { Interrupt } from "../io/process_console.ts";
import { type Command, UsageError } from "./command.ts";
import type { Session } from "./session.ts";

/** Done, and the answer is yes. */
export const DONE = 0;
/** The answer is no: files differ, or a file is damaged or refused. */
export const NO = 1;
/** The command failed. */
const TROUBLE = 2;

/** Report what went wrong with a command, or before one was found, in one line and perhaps a hint. Returns the exit code. */
export async function failed(
  error: unknown,
  session: Session,
  command?: Command,
  args: readonly string[] = [],
): Promise<number> {
  if (error instanceof Interrupt) {
    await session.fail("error: stopped; no file was left half-written");
    return error.exitCode;
  }
  if (isPaddleError(error)) {
    await session.fail(
      `error: ${placed(error, args)}${error.code === "HTTP_NETWORK" ? causeOf(error) : ""} (${error.code})`,
    );
    if (error.hint && !error.message.includes(error.hint)) await session.fail(`hint: ${error.hint}`);
    if (error.limit) await session.fail(`hint: if you trust this file, raise it: --limit ${error.limit}=NUMBER`);
    return TROUBLE;
  }
  if (error instanceof UsageError) {
    await session.fail(`error: ${error.message}`);
    await session.fail(`hint: oarlock help${command ? ` ${command.name} lists its options` : " lists the commands"}`);
    return TROUBLE;
  }
  await session.fail(`error: ${error instanceof Error ? error.message : String(error)}`);
  return TROUBLE;
}

/** The message of an error; if it is about a file inside what the user named, such as one of many that an index lists, with that name. */
export function placed({ message, path }: PaddleError, args: readonly string[]): string {
  const isKnown = path === undefined || message.includes(path) || message.includes(quote(path)) ||
    args.some((arg) => arg.endsWith(path));
  return isKnown ? message : `${quote(path)}: ${message}`;
}

/** What the runtime says about a failed connection, such as an unknown host; in Node it is the cause of a cause. */
function causeOf({ cause }: Error): string {
  let text = "";
  for (let depth = 0; cause instanceof Error && depth < 8; depth++) {
    if (cause.message !== "") text = `: ${cause.message}`;
    cause = cause.cause;
  }
  return text;
}
