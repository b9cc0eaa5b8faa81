/**
 * What an inference program does not need (dossier 2.3 and 4.2).
 *
 * @module
 */
import type { ProgramDesc } from "../codec/program/program_desc.ts";

/**
 * Clear the marks of training on all variables and, with `clipExtra`, the call stacks of the machine that built the program, which Paddle keeps
 * on operators that feed and fetch only. Changes `program`.
 */
export function removeTrainingInfo(program: ProgramDesc, clipExtra: boolean): void {
  for (const variable of program.vars()) variable.clearTrainingMarks();
  if (!clipExtra) return;
  for (const op of program.ops()) if (op.type !== "feed" && op.type !== "fetch") op.deleteAttribute("op_callstack");
}
