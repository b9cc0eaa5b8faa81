/**
 * The command line: `deno run -A jsr:@oarlock/paddle/cli COMMAND ...`, also available as a function.
 *
 * This module is the program itself: a bundle that includes it is this command line, too.
 *
 * `help` lists the commands, `help COMMAND` the options of one. With `--json` the answer is a JSON document: integers of any size as
 * digits, NaN and infinities as strings.
 *
 * @example Detect the kind of a file from a program
 * ```ts
 * import { main } from "@oarlock/paddle/cli";
 *
 * let text = "";
 * const code = await main({
 *   args: ["detect", "data:,%80%04N.", "--json"],
 *   write: (more) => Promise.resolve(void (text += more)),
 *   error: () => Promise.resolve(),
 *   isTerminal: false,
 *   signal: new AbortController().signal,
 * });
 * if (code !== 0 || JSON.parse(text).kind !== "pickle") throw new Error(text);
 * ```
 *
 * @module
 */
import { quote, visible } from "../errors.ts";
import { type Console, isProgram, runProgram, withProcess } from "../io/process_console.ts";
import { nearest } from "../limits.ts";
import { checkOperands, type Command, parse, UsageError } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { DONE, failed } from "./failure.ts";
import { commandHelp, helpText } from "./commands/help.ts";
import { Session } from "./session.ts";
import { VERSION } from "./version.ts";

export type { Console } from "../io/process_console.ts";

/**
 * Run one command: with a Console of your own, or given its arguments, with the outputs and signals of this process. Errors of the command
 * are not thrown, but reported with `console.error`.
 *
 * @returns the exit code: 0 success, 1 the answer is no (`diff`, `verify`, `audit`, `detect`), 2 failure, 3 an unknown kind of file (`audit`),
 *   130 or 143 stopped by a signal
 * @throws {UnsupportedError} `UNSUPPORTED_RUNTIME`: arguments were given, but there is no process
 */
export async function main(console: Console | readonly string[]): Promise<number> {
  return "args" in console ? await runIn(console) : await withProcess(console, runIn);
}

async function runIn(console: Console): Promise<number> {
  const [name, ...args] = console.args;
  const session = new Session(console);
  try {
    if (name === "--version" || name === "-V") {
      await session.print(VERSION);
      return DONE;
    }
    if (name === undefined || name === "help" || name === "--help" || name === "-h") return await help(args, session);
    if (name.startsWith("-")) {
      throw new UsageError(`Expected a command before ${visible(name)}: options follow the command`);
    }
    return await run(commandNamed(name), args, console);
  } catch (error) {
    return await failed(error, session);
  }
}

async function run(command: Command, args: readonly string[], console: Console): Promise<number> {
  let session = new Session(console);
  try {
    const { operands, options } = parse(args, command);
    session = new Session(console, { json: options.json === true, quiet: options.quiet === true });
    if (options.help) {
      await session.printAll(commandHelp(command));
      return DONE;
    }
    checkOperands(operands, command);
    console.signal.throwIfAborted();
    return await command.run({ operands, options, session });
  } catch (error) {
    return await failed(error, session, command, args);
  }
}

async function help([name, ...others]: readonly string[], session: Session): Promise<number> {
  if (others.length > 0) throw new UsageError(`help takes no more operands, but got ${visible(others[0])}`);
  const isOverview = name === undefined || name === "help";
  await session.printAll(isOverview ? helpText() : commandHelp(commandNamed(name)));
  return DONE;
}

function commandNamed(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found) return found;
  const near = nearest(name, COMMANDS.map((command) => command.name));
  throw new UsageError(`There is no command ${quote(name)}: the nearest is ${near}`);
}

if (isProgram(import.meta.main, import.meta.url)) await runProgram(runIn);
