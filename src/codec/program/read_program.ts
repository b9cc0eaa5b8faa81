/**
 * Reads a program file of either form.
 *
 * @module
 */
import { isPaddleError, type PaddleError } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Program } from "../../program.ts";
import { atOnce } from "../../words/steps.ts";
import { type Cursor, type Decoder, withPauses } from "../cursor.ts";
import { detectKind, type FileKind, isObject, otherKindError } from "../detect_kind.ts";
import { PirProgram } from "../pir/pir_program.ts";
import { ProgramDesc } from "./program_desc.ts";

/** Bytes requested first if the size is not known. */
const FIRST = 2 ** 20;

/** Decode the whole file under the cursor as a program. */
export function* readProgram(cursor: Cursor, limits: Readonly<Limits>): Decoder<Program> {
  const most = limits.maxProgramBytes;
  for (let n = cursor.total ?? FIRST;; n *= 2) {
    // One byte beyond the limit is enough to see that it is exceeded.
    yield cursor.need(Math.min(n, most + 1));
    if (cursor.ended || cursor.left > most) break;
  }
  const bytes = cursor.bytes.slice(cursor.pos, cursor.end);
  cursor.pos = cursor.end;
  return yield* withPauses(parseInSteps(bytes, limits));
}

/**
 * Parse the program in `bytes`.
 *
 * @throws {FormatError} `WRONG_FORMAT` if the bytes are another kind of file; else the first error of the program's own decoder
 */
export function parseProgram(bytes: Uint8Array, limits: Readonly<Limits>): Program {
  return atOnce(parseInSteps(bytes, limits));
}

function* parseInSteps(bytes: Uint8Array, limits: Readonly<Limits>): Generator<void, Program> {
  const kind = detectKind(bytes.subarray(0, 4096), bytes.length);
  try {
    if (isObject(bytes)) return yield* PirProgram.parseInSteps(bytes, limits);
    return yield* ProgramDesc.parseInSteps(bytes, limits);
  } catch (error) {
    throw isPaddleError(error) && error.code !== "LIMIT" ? explained(error, kind, bytes) : error;
  }
}

/** For a file of another kind, an error that names that kind; for a program, the original error. */
function explained(error: PaddleError, kind: FileKind, bytes: Uint8Array): PaddleError {
  if (kind === "program" || kind === "pir" || bytes[0] === 0x0a || isObject(bytes)) return error;
  return otherKindError(bytes.subarray(0, 4096), bytes.length, "a program", error) ?? error;
}
