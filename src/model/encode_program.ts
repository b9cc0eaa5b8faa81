/**
 * Encodes a changed ProgramDesc ahead of its serialization.
 *
 * @module
 */
import type { ProgramDesc } from "../codec/program/program_desc.ts";
import { StepPace } from "../words/steps.ts";
import { OP_WEIGHT } from "./prune_program.ts";

/**
 * Encode the operators and variables that were changed, in steps between which other work may run: `program.serialize()` then only joins
 * them. What is changed between two steps is encoded again.
 */
export function* encodeInSteps(program: ProgramDesc): Generator<void, void> {
  const pace = new StepPace();
  for (const part of [...program.vars(), ...program.ops()]) {
    if (pace.isDue(OP_WEIGHT)) yield;
    part.serialize();
  }
}
