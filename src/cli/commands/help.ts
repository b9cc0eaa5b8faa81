/**
 * Help, generated from the table of commands.
 *
 * @module
 */
import { type Command, optionsOf, usageOf } from "../command.ts";
import { COMMANDS } from "../commands.ts";
import { table } from "../text.ts";

/** The overview of all commands. */
export function helpText(): string[] {
  return [
    "PaddlePaddle's model files without Python. Nothing in a file is ever executed.",
    "",
    "usage: oarlock COMMAND [OPTION ...] ...",
    "",
    ...table([
      ...COMMANDS.map((command) => [`  ${usageOf(command)}`, command.summary]),
      ["  help [COMMAND]", "show this text, or the options of a command"],
      ["  --version", "the version"],
    ]),
    "",
    "A FILE is a path or a URL. Exit codes: 0: done, 1: the answer is no (diff, verify, audit, detect), 2: failed,",
    "3: an unknown kind of file (audit), 130: interrupted. Results go to standard output, everything else to standard",
    "error.",
  ];
}

/** The help for one command. */
export function commandHelp(command: Command): string[] {
  const options = Object.entries(optionsOf(command)).map(([name, { value, help, choices }]) => {
    const text = choices ? `${help}; one of ${choices.join(", ")}` : help;
    return [`  --${name}${value === undefined ? "" : ` ${value}`}`, text];
  });
  return [
    command.summary,
    "",
    `usage: oarlock ${usageOf(command)} [OPTION ...]`,
    "",
    ...table(options),
    ...(command.notes ? ["", ...command.notes] : []),
    ...(command.json ? ["", `--json: ${command.json}`] : []),
  ];
}
