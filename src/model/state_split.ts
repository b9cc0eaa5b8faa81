/**
 * Which persistable variables of a program are Parameters, and which are the optimizer's (dossier 3.1).
 *
 * @module
 */
import type { Operator, Program, ProgramVariable } from "../program.ts";

/** Bits of `op_role`: operators of the optimizer, and of the schedule of its learning rate. */
const OPTIMIZE = 2, LR_SCHEDULE = 16;

/** The variables that a file of parameters holds, in two: for `.pdparams` and for `.pdopt`. */
export function splitState(program: Program): { parameters: ProgramVariable[]; optimizer: ProgramVariable[] } {
  const all = program.parameters();
  // Programs before 2.2 do not mark Parameters: their operators say what they are.
  const isMarked = program.form === "json" || all.some((variable) => variable.isParameter);
  const ofOptimizer = isMarked
    ? new Set(all.filter((variable) => !variable.isParameter).map(({ name }) => name))
    : namesOfOptimizer(program);
  return {
    parameters: all.filter(({ name }) => !ofOptimizer.has(name)),
    optimizer: all.filter(({ name }) => ofOptimizer.has(name)),
  };
}

/** What the optimizer writes beside Parameters, and what it alone reads, such as the learning rate. */
function namesOfOptimizer(program: Program): Set<string> {
  const written = new Set<string>(), read = new Set<string>(), readByOthers = new Set<string>();
  for (const op of program.ops()) {
    const isOptimizers = (roleOf(op) & (OPTIMIZE | LR_SCHEDULE)) !== 0;
    for (const names of op.inputs.values()) for (const name of names) (isOptimizers ? read : readByOthers).add(name);
    if (!isOptimizers) continue;
    for (const [slot, names] of op.outputs) if (slot !== "ParamOut") { for (const name of names) written.add(name); }
  }
  return new Set([...written, ...[...read].filter((name) => !readByOthers.has(name))]);
}

function roleOf(op: Operator): number {
  const role = op.attributes.get("op_role");
  return typeof role === "number" ? role : 0;
}
