/**
 * The arguments of schedulers.
 *
 * @module
 */
import { bind } from "../../nn/arguments.ts";
import { check } from "../arguments.ts";

/** A scheduler's arguments in Paddle's order: those that are required come first. */
export interface ScheduleArguments {
  /** The scheduler's name, for messages. */
  readonly name: string;
  /** Those that must be given. */
  readonly required: readonly string[];
  /** Those that may be given. */
  readonly optional: readonly string[];
  /** Those of all schedulers. @default {lastEpoch and verbose} */
  readonly common?: readonly string[];
  /** Those that may be given by name only. @default {none} */
  readonly named?: readonly string[];
}

/** Joined to the lists only when they are used: bundlers keep lists that are joined at the top level, used or not. */
const COMMON: readonly string[] = ["lastEpoch", "verbose"];

/**
 * Merges positional and named arguments into one object. Missing arguments are undefined.
 *
 * @throws {ValueError} `INVALID_VALUE` if a required one is missing
 */
export function byName<A extends object>(
  { name: owner, required, optional, common = COMMON, named = [] }: ScheduleArguments,
  args: readonly unknown[],
): A {
  const order = [...required, ...optional, ...common];
  const defaults = Object.fromEntries([...order, ...named].map((name) => [name, undefined]));
  const options = bind<Record<string, unknown>>({ name: owner, defaults, positional: order.length }, args);
  for (const name of required) check(options[name] !== undefined, `${owner} needs the option ${name}`);
  return options as A;
}
