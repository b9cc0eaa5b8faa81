/**
 * Defines commands, and parses their part of the command line.
 *
 * @module
 */
import { nearest } from "../limits.ts";
import { visible } from "../errors.ts";
import type { Session } from "./session.ts";

/** An option of a command. */
export interface Option {
  /** Placeholder for its value in the help, such as `FILE`; a flag has none. */
  readonly value?: string;
  /** The values that it may have. */
  readonly choices?: readonly string[];
  /** Describes it in the help. */
  readonly help: string;
}

/** Options by name. */
export type Options = Readonly<Record<string, Option>>;

/** The options that were given: strings, and true for flags. */
export type Given<O extends Options> = { readonly [K in keyof O]?: O[K] extends { value: string } ? string : true };

/** What a command is called with. */
export interface Call<G> {
  /** The operands: file names and the like, as many as the command has. */
  readonly operands: readonly string[];
  readonly options: G;
  /** Where the output goes. */
  readonly session: Session;
}

/** A command: a row of the table from which the help is generated. */
export interface Command {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Names of the operands, such as `FILE`; those that end in `?` may be left out. */
  readonly operands: readonly string[];
  readonly options: Options;
  /** Further lines for the help. */
  readonly notes?: readonly string[];
  /** Describes the output of `--json`; a command without this has no such option. */
  readonly json?: string;
  /** Run the command; returns the exit code. */
  run(call: Call<Readonly<Record<string, string | true>>>): Promise<number>;
}

/** Define a command whose `run` knows its options by name. */
export function command<const O extends Options>(
  parts: Omit<Command, "options" | "run"> & { options: O; run(call: Call<Given<O>>): Promise<number> },
): Command {
  return parts as unknown as Command;
}

/** An invalid command line. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Options that every command has. */
export const COMMON: Options = {
  quiet: { help: "no warnings, no progress" },
  help: { help: "this text" },
};

const JSON_OPTION: Options = { json: { help: "the answer as JSON" } };

/** All options of a command. */
export function optionsOf(command: Command): Options {
  return { ...command.options, ...(command.json ? JSON_OPTION : {}), ...COMMON };
}

/** A parsed command line. */
export interface Parsed {
  operands: string[];
  options: Record<string, string | true>;
}

/**
 * Parse what follows the name of a command: `--name value`, `--name=value`, `--flag`, `-h`; everything after `--` is an operand.
 *
 * @throws {UsageError} an unknown option, or a missing value
 */
export function parse(args: readonly string[], command: Command): Parsed {
  const known = optionsOf(command);
  const operands: string[] = [], options: Record<string, string | true> = Object.create(null);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (arg === "-h") options.help = true;
    else if (/^-[a-z]/i.test(arg)) throw unknownOption(arg, command);
    else if (!arg.startsWith("--")) operands.push(arg);
    else {
      const equals = arg.indexOf("=");
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      const option = Object.hasOwn(known, name) ? known[name] : undefined;
      if (!option) throw unknownOption(`--${name}`, command);
      let value: string | true = true;
      if (option.value !== undefined) {
        const next = equals < 0 ? args[++i] : arg.slice(equals + 1);
        if (next === undefined) throw new UsageError(`--${name} takes a value: --${name} ${option.value}`);
        value = next;
      } else if (equals >= 0) throw new UsageError(`--${name} takes no value`);
      if (option.choices && !option.choices.includes(String(value))) {
        throw new UsageError(`--${name} is one of ${option.choices.join(", ")}: got ${visible(String(value))}`);
      }
      options[name] = value;
    }
  }
  return { operands, options };
}

function unknownOption(arg: string, command: Command): UsageError {
  const near = nearest(arg.replace(/^-+/, ""), Object.keys(optionsOf(command)));
  return new UsageError(`Unknown option ${visible(arg)} of ${command.name}: the nearest is --${near}`);
}

/** Operands that are names in a file, where one may be empty. */
const NAMES = ["NAME", "NAME?", "OLD", "NEW"];

/** @throws {UsageError} there are too few operands, or too many, or a path is empty */
export function checkOperands(operands: readonly string[], command: Command): void {
  const { operands: names, name } = command;
  const least = names.filter((operand) => !operand.endsWith("?")).length;
  if (operands.length < least) {
    throw new UsageError(`${name} needs ${names[operands.length]}: oarlock ${usageOf(command)}`);
  }
  if (operands.length > names.length) {
    throw new UsageError(
      `${name} takes no more operands, but got ${visible(operands[names.length])}: oarlock ${usageOf(command)}`,
    );
  }
  const empty = names.find((operand, i) => operands[i] === "" && !NAMES.includes(operand));
  if (empty !== undefined) throw new UsageError(`${empty} is empty: oarlock ${usageOf(command)}`);
}

/** `ls FILE [NAME]` */
export function usageOf({ name, operands }: Command): string {
  return [name, ...operands.map((operand) => operand.endsWith("?") ? `[${operand.slice(0, -1)}]` : operand)].join(" ");
}
