/**
 * `paddle.static.normalize_program`.
 *
 * @module
 */
import { programGiven } from "../program.ts";
import type { PirProgram } from "../codec/pir/pir_program.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import { normalizePirInSteps } from "../model/normalize_pir.ts";
import { normalizeDescInSteps, type NormalizeOptions } from "../model/normalize_program.ts";
import { checkOptions } from "../options.ts";
import type { Port, Program } from "../program.ts";
import { atOnce } from "../words/steps.ts";

/** A variable, or its name. In a PIR program also the name of an output, or the number of a value such as `%12`. */
export type VariableName = string | Pick<Port, "name">;

/** The names of variables. */
export function namesOf(variables: VariableName | readonly VariableName[]): string[] {
  const list = Array.isArray(variables) ? variables : [variables];
  return list.map((variable) => typeof variable === "string" ? variable : variable.name);
}

/**
 * Prepare a program for inference: keep only what the outputs need (no backward pass, no optimizer), in test mode, with operators that feed
 * `feedVars` and fetch `fetchVars` in that order. The given program is not changed.
 *
 * Mirrors `paddle.static.normalize_program` (2.0 and later), without the operator that multiplies outputs by one, which some versions add.
 *
 * @throws {SourceError} `NOT_FOUND`: a variable is not in the program
 * @throws {ValueError} `INVALID_VALUE`: an input that no output needs
 *
 * @example Keep one of several outputs
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 * function onlyFirst(program: paddle.Program): paddle.Program {
 *   return paddle.static.normalizeProgram(program, program.feeds(), [program.fetches()[0]]);
 * }
 * ```
 */
export function normalizeProgram(
  program: Program,
  feedVars: VariableName | readonly VariableName[],
  fetchVars: VariableName | readonly VariableName[],
  options: NormalizeOptions = {},
): Program {
  checkOptions(options, ["skipPruneProgram"]);
  return atOnce(normalizeProgramInSteps(program, feedVars, fetchVars, options));
}

/** {@linkcode normalizeProgram} in steps, between which other work may run. */
export function* normalizeProgramInSteps(
  program: Program,
  feedVars: VariableName | readonly VariableName[],
  fetchVars: VariableName | readonly VariableName[],
  options: NormalizeOptions,
): Generator<void, Program> {
  programGiven(program);
  const feeds = namesOf(feedVars), fetches = namesOf(fetchVars);
  if (program instanceof ProgramDesc) return yield* normalizeDescInSteps(program, feeds, fetches, options);
  return yield* normalizePirInSteps(program as PirProgram, feeds, fetches, options);
}
