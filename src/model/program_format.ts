/**
 * The forms that a program can be written in: Paddle's `legacy_format`, `readable` and `trainable`.
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
  /** A ProgramDesc as Paddle 2.4 has it. */
  legacyFormat?: boolean;
  /** JSON with line breaks. */
  readable?: boolean;
  /** JSON with what training needs. */
  trainable?: boolean;
}

/**
 * Bring a program into a form. Changes `program`.
 *
 * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: programs of this form do not have that option; Paddle takes and forgets it
 */
export function applyFormat(
  program: Program,
  { legacyFormat = false, readable = false, trainable = true }: ProgramFormat,
): void {
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
    program.dropTraining();
  }
}

function unsupported(option: string, form: string): UnsupportedError {
  return new UnsupportedError("UNSUPPORTED_FEATURE", `The option ${option} has no meaning for ${form}`);
}
