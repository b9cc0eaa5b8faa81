/**
 * Encodes a program in steps.
 *
 * @module
 */
import { changedWhileSaved, PirProgram } from "../codec/pir/pir_program.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import type { Program } from "../program.ts";
import { StepPace } from "../words/steps.ts";
import { OP_WEIGHT } from "./prune_program.ts";

/**
 * `program.serialize()` in steps, between which other work may run: the variables and operators of a ProgramDesc are encoded one by one,
 * then joined.
 *
 * @throws {SourceError} `SOURCE_CHANGED`: the program was changed between two steps
 */
export function* serializeInSteps(program: Program): Generator<void, Uint8Array> {
  if (program instanceof PirProgram) return yield* program.serializeInSteps();
  // What nobody looked at is as it was read, and need not be decoded.
  if (program instanceof ProgramDesc && program.blocks.some((block) => block.isDecoded)) {
    const partsOf = () => [...program.vars(), ...program.ops()];
    const pace = new StepPace(), parts = partsOf(), changes = parts.map((part) => part.changes);
    for (const part of parts) {
      if (pace.isDue(OP_WEIGHT)) yield;
      part.serialize();
    }
    const now = partsOf();
    const isSame = now.length === parts.length &&
      parts.every((part, i) => part === now[i] && part.changes === changes[i]);
    if (!isSame) throw changedWhileSaved();
  }
  return program.serialize();
}
