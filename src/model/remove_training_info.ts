/**
 * Removes what an inference program does not need (FORMATS.md 8.2 and 9.2).
 *
 * @module
 */
import type { OpDesc } from "../codec/program/op_desc.ts";
import type { ProgramDesc } from "../codec/program/program_desc.ts";
import type { AttributeValue } from "../program.ts";
import { StepPace } from "../words/steps.ts";
import { OP_WEIGHT } from "./prune_program.ts";
import { extraAttributes, extraOutputs, type ExtraRelease } from "./extra_attributes.ts";

/** Removed from operators with extra attributes, along with these. */
const CALL_STACK = "op_callstack";
/** Removed likewise, except from quantised operators. */
const QUANTISATION = "with_quant_attr";

/** Prefix of the attributes by which an inference pass marks an operator that it merged others into. */
const FUSED = "fuse";

/**
 * Clear the training marks of all variables and, with `clipExtra`, remove what Paddle's `clip_extra` does: the extra attributes and outputs
 * of each operator, as known to the release that wrote the program, and from operators with extra attributes the call stack of the machine
 * that built the program. Other operators keep theirs, as do those into which a pass for inference merged others: there the result depends
 * on extra attributes, such as `fuse_with_relu`, and Paddle's `clip_extra` changes it. Modifies `program`, in steps
 * between which other work may run.
 */
export function* removeTrainingInfoInSteps(program: ProgramDesc, clipExtra: boolean): Generator<void, void> {
  const pace = new StepPace();
  for (const variable of program.vars()) {
    if (pace.isDue(OP_WEIGHT)) yield;
    variable.clearTrainingMarks();
  }
  const release = releaseOf(program.version);
  if (!clipExtra || release === null) return;
  for (const op of program.ops()) {
    if (pace.isDue(OP_WEIGHT)) yield;
    dropExtras(op, release);
  }
}

/** Null before 2.4, when nothing was dropped by default, and the extras matter: 2.0 cannot run reshape2 without its XShape. */
function releaseOf(version: number | null): ExtraRelease | null {
  if (version === null || version < 2_004_000) return null;
  if (version >= 3_000_000) return "3";
  return version >= 2_006_000 ? "6" : version >= 2_005_000 ? "5" : "4";
}

function dropExtras(op: OpDesc, release: ExtraRelease): void {
  if ([...op.attributes].some(([name, value]) => name.startsWith(FUSED) && isSet(value))) return;
  const extra = extraAttributes(release, op.type);
  for (const name of extra) op.deleteAttribute(name);
  if (extra.size > 0) {
    op.deleteAttribute(CALL_STACK);
    if (op.attributes.get(QUANTISATION) !== true) op.deleteAttribute(QUANTISATION);
  }
  for (const slot of extraOutputs(release, op.type)) if (op.outputs.has(slot)) op.deleteOutput(slot);
}

/** Whether an attribute says that something was fused: true, or the name of an activation; numbers only say how. */
function isSet(value: AttributeValue): boolean {
  return value === true || ((typeof value === "string" || Array.isArray(value)) && value.length > 0);
}
