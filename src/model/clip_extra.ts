/**
 * What an inference program does not need (dossier 2.3 and 4.2).
 *
 * @module
 */
import type { OpDesc } from "../codec/program/op_desc.ts";
import type { ProgramDesc } from "../codec/program/program_desc.ts";
import { extraAttributes, extraOutputs, type ExtraRelease } from "./extra_attributes.ts";

/** What a quantised operator keeps. */
const QUANTISATION = "with_quant_attr";

/**
 * Clear the marks of training on all variables and, with `clipExtra`, what Paddle's `clip_extra` drops: the extra attributes and outputs of
 * each operator, as the release that wrote the program knows them, and the call stacks of the machine that built it, which Paddle keeps on
 * operators without extra attributes and we on those that feed and fetch only. Changes `program`.
 */
export function removeTrainingInfo(program: ProgramDesc, clipExtra: boolean): void {
  for (const variable of program.vars()) variable.clearTrainingMarks();
  if (!clipExtra) return;
  const release = releaseOf(program.version);
  for (const op of program.ops()) {
    if (op.type === "feed" || op.type === "fetch") continue;
    op.deleteAttribute("op_callstack");
    if (release !== null) dropExtras(op, release);
  }
}

/** Before 2.4 nothing was extra, and the attributes count: 2.0 runs no reshape2 without its XShape. */
function releaseOf(version: number | null): ExtraRelease | null {
  if (version === null || version < 2_004_000) return null;
  return version >= 3_000_000 ? "3" : version >= 2_006_000 ? "6" : "4";
}

function dropExtras(op: OpDesc, release: ExtraRelease): void {
  const extra = extraAttributes(release, op.type);
  for (const name of extra) op.deleteAttribute(name);
  if (extra.size > 0 && op.attributes.get(QUANTISATION) !== true) op.deleteAttribute(QUANTISATION);
  for (const slot of extraOutputs(release, op.type)) if (op.outputs.has(slot)) op.deleteOutput(slot);
}
