/**
 * The forms in which a program can be written: Paddle's `legacy_format`, `readable` and `trainable`.
 *
 * @module
 */
import { PirProgram } from "../codec/pir/pir_program.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import { UnsupportedError } from "../errors.ts";
import type { Program } from "../program.ts";
import { toLegacyFormat } from "./legacy_format.ts";

/** How a program is written. */
export interface ProgramFormat {
  /** Write a ProgramDesc in the form of Paddle 2.4. */
  legacyFormat?: boolean;
  /** Write JSON with line breaks and indentation. */
  readable?: boolean;
  /** Write JSON with what training needs. */
  trainable?: boolean;
}

/**
 * Bring a program into a form, in steps between which other work may run. Modifies `program`.
 *
 * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: the option does not apply to this kind of program; Paddle accepts and ignores it
 */
export function* applyFormatInSteps(
  program: Program,
  { legacyFormat = false, readable = false, trainable = true }: ProgramFormat,
): Generator<void, void> {
  if (legacyFormat) {
    if (!(program instanceof ProgramDesc)) throw unsupported("legacyFormat", "a PIR program");
    toLegacyFormat(program);
  }
  if (readable) {
    if (!(program instanceof PirProgram)) throw unsupported("readable", "a ProgramDesc");
    program.isReadable = true;
  }
  if (!trainable) {
    if (!(program instanceof PirProgram)) throw unsupported("trainable: false", "a ProgramDesc");
    yield* program.dropTrainingInSteps();
  }
}

function unsupported(option: string, form: string): UnsupportedError {
  return new UnsupportedError("UNSUPPORTED_FEATURE", `The option ${option} has no meaning for ${form}`);
}
