/**
 * What an inference program does not need (FORMATS.md 8.2 and 9.2).
 *
 * @module
 */
import type { OpDesc } from "../codec/program/op_desc.ts";
import type { ProgramDesc } from "../codec/program/program_desc.ts";
import { extraAttributes, extraOutputs, type ExtraRelease } from "./extra_attributes.ts";

/** What operators with extra attributes lose besides these. */
const CALL_STACK = "op_callstack";
/** And what of that a quantised operator keeps. */
const QUANTISATION = "with_quant_attr";

/**
 * Clear the marks of training on all variables and, with `clipExtra`, what Paddle's `clip_extra` drops: the extra attributes and outputs of
 * each operator, as the release that wrote the program knows them, and on operators with extra attributes the call stack of the machine that
 * built the program. Others keep theirs. Changes `program`.
 */
export function removeTrainingInfo(program: ProgramDesc, clipExtra: boolean): void {
  for (const variable of program.vars()) variable.clearTrainingMarks();
  const release = releaseOf(program.version);
  if (!clipExtra || release === null) return;
  for (const op of program.ops()) dropExtras(op, release);
}

/** Before 2.4 nothing was dropped unless one asked, and the attributes count: 2.0 runs no reshape2 without its XShape. */
function releaseOf(version: number | null): ExtraRelease | null {
  if (version === null || version < 2_004_000) return null;
  return version >= 3_000_000 ? "3" : version >= 2_006_000 ? "6" : "4";
}

function dropExtras(op: OpDesc, release: ExtraRelease): void {
  const extra = extraAttributes(release, op.type);
  for (const name of extra) op.deleteAttribute(name);
  if (extra.size > 0) {
    op.deleteAttribute(CALL_STACK);
    if (op.attributes.get(QUANTISATION) !== true) op.deleteAttribute(QUANTISATION);
  }
  for (const slot of extraOutputs(release, op.type)) if (op.outputs.has(slot)) op.deleteOutput(slot);
}
