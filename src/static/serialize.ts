/**
 * `paddle.static.serialize_program`, `serialize_persistables` and their inverses.
 *
 * @module
 */
import { driveBytes } from "../codec/drive_bytes.ts";
import { readCombined } from "../codec/record/read_combined.ts";
import { Budget, type Limits } from "../limits.ts";
import { limitsOf } from "../io/limits_of.ts";
import { fromRecord } from "../model/from_record.ts";
import { checkCombined, combinedChunks, parametersOf, type Scope } from "../model/model_values.ts";
import { applyFormatInSteps } from "../model/program_format.ts";
import { checkOptions } from "../options.ts";
import { checkedBytes } from "../words/plain_bytes.ts";
import { joinBytes } from "../words/joined_bytes.ts";
import { atOnce } from "../words/steps.ts";
import type { Program } from "../program.ts";
import type { DenseTensor } from "../tensor.ts";
import { bytesOf } from "../words/unread_bytes.ts";
import { normalizeProgram, type VariableName } from "./normalize_program.ts";

/** Options of {@linkcode serializeProgram}. */
export interface SerializeProgramOptions {
  /** The program. */
  program: Program;
  /** Write a ProgramDesc in the format of Paddle 2.4. Paddle's `legacy_format` (2.5). @default {false} */
  legacyFormat?: boolean;
}

/**
 * The bytes of a program normalized to these inputs and outputs; training attributes are kept.
 *
 * Mirrors `paddle.static.serialize_program` (2.0 and later), which does not support PIR programs.
 *
 * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: `legacyFormat` with a PIR program
 */
export function serializeProgram(
  feedVars: VariableName | readonly VariableName[],
  fetchVars: VariableName | readonly VariableName[],
  options: SerializeProgramOptions,
): Uint8Array {
  checkOptions(options, ["program", "legacyFormat"]);
  const program = normalizeProgram(options.program, feedVars, fetchVars);
  atOnce(applyFormatInSteps(program, options));
  return program.serialize();
}

/**
 * The bytes of a file with the parameters that these outputs need; null if they need none.
 *
 * Mirrors `paddle.static.serialize_persistables` (2.0 and later).
 *
 * @throws {ValueError} `INVALID_VALUE`: a value is missing, or differs from what the program says
 */
export function serializePersistables(
  feedVars: VariableName | readonly VariableName[],
  fetchVars: VariableName | readonly VariableName[],
  options: { program: Program; parameters: Scope },
): Uint8Array | null {
  checkOptions(options, ["program", "parameters"]);
  const values = parametersOf(normalizeProgram(options.program, feedVars, fetchVars), options.parameters);
  checkCombined(values);
  return values.length === 0 ? null : joinBytes([...combinedChunks(values)].map(bytesOf));
}

/**
 * The parameters of a program, by name, from the bytes of their file. Arrays are views of `data`.
 *
 * Mirrors `paddle.static.deserialize_persistables` (2.0 and later).
 *
 * @throws {FormatError} the bytes are damaged, or belong to another program
 */
export function deserializePersistables(
  program: Program,
  data: Uint8Array,
  options: { limits?: Partial<Limits> } = {},
): Map<string, DenseTensor | Map<string, number>> {
  checkOptions(options, ["limits"]);
  const budget = new Budget(limitsOf(options.limits));
  const raws = driveBytes((cursor) => readCombined(cursor, program.parameters(), budget), checkedBytes(data));
  const values = new Map<string, DenseTensor | Map<string, number>>();
  for (const [name, raw] of raws) {
    values.set(name, "words" in raw ? raw.words : fromRecord(raw, { mode: "static", borrowed: true }) as DenseTensor);
  }
  return values;
}
