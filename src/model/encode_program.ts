/**
 * Encodes a program in steps.
 *
 * @module
 */
import { PirProgram } from "../codec/pir/pir_program.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import type { Program } from "../program.ts";
import { StepPace } from "../words/steps.ts";
import { OP_WEIGHT } from "./prune_program.ts";

/**
 * `program.serialize()` in steps, between which other work may run. Of a ProgramDesc, the operators and variables that may have been changed
 * are encoded one by one, then all are joined; what is changed between two steps is encoded again.
 */
export function* serializeInSteps(program: Program): Generator<void, Uint8Array> {
  if (program instanceof PirProgram) return yield* program.serializeInSteps();
  if (program instanceof ProgramDesc) {
    const pace = new StepPace();
    for (const part of program.blocks.flatMap((block) => block.decoded())) {
      if (pace.isDue(OP_WEIGHT)) yield;
      part.serialize();
    }
  }
  return program.serialize();
}
