/**
 * Tells which persistable variables of a program are Parameters, and which are the optimizer's (FORMATS.md 8.3).
 *
 * @module
 */
import type { OpDesc } from "../codec/program/op_desc.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import type { Program, ProgramVariable } from "../program.ts";
import { OPTIMIZE, readsOf, roleOf } from "./prune_program.ts";

/** Bit of `op_role`: operators of the backward pass. */
const BACKWARD = 1;
/** Output slots through which the forward pass updates Parameters: statistics of normalisations, centers of a loss. */
const STATISTICS = new Set(["MeanOut", "VarianceOut", "BatchSize", "BatchSum", "BatchSquareSum", "CentersOut"]);
/** Every optimizer has a variable with such a name, even if it does not read it. */
const LEARNING_RATE = /^learning_rate_\d+$/;

/** The variables of a parameter file, split into those for `.pdparams` and those for `.pdopt`. */
export function splitState(program: Program): { parameters: ProgramVariable[]; optimizer: ProgramVariable[] } {
  const all = program.parameters();
  const isMarked = !(program instanceof ProgramDesc) || all.some((variable) => variable.isParameter);
  const isParameter = isMarked ? (variable: ProgramVariable) => variable.isParameter : parametersByUse(program);
  return {
    parameters: all.filter((variable) => isParameter(variable)),
    optimizer: all.filter((variable) => !isParameter(variable)),
  };
}

/**
 * Programs before 2.2 do not mark Parameters, so they are inferred from the operators: optimizers and normalisations update Parameters, and
 * a variable that is only written otherwise is not one. Any other variable that the forward pass reads, such as a frozen weight, is taken
 * for a Parameter, as nothing distinguishes it from a global variable.
 */
function parametersByUse(program: ProgramDesc): (variable: ProgramVariable) => boolean {
  const updated = new Set<string>(), written = new Set<string>();
  for (const op of program.ops()) {
    for (const name of updatedBy(op)) updated.add(name);
    // The outputs of an operator with blocks repeat what these write.
    if (op.blocks().length > 0) continue;
    for (const names of op.outputs.values()) for (const name of names) written.add(name);
  }
  const [main] = program.blocks;
  const end = main.ops.findIndex((op) => (roleOf(op) & (BACKWARD | OPTIMIZE)) !== 0);
  const forward = end < 0 ? main.ops : main.ops.slice(0, end);
  const readByForward = new Set(forward.flatMap(readsOf(program)));
  const readLater = new Set(main.ops.slice(forward.length).flatMap(readsOf(program)));
  return ({ name }) => {
    if (updated.has(name)) return true;
    if (written.has(name)) return false;
    return readByForward.has(name) || !(readLater.has(name) || LEARNING_RATE.test(name));
  };
}

function* updatedBy({ inputs, outputs }: OpDesc): Generator<string> {
  for (const [slot, names] of outputs) {
    if (slot === "ParamOut") yield* inputs.get("Param") ?? [];
    else if (STATISTICS.has(slot)) yield* names;
  }
}
