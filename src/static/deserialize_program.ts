/**
 * `paddle.static.deserialize_program`.
 *
 * @module
 */
import { parseProgram } from "../codec/program/read_program.ts";
import { checkOptions } from "../options.ts";
import type { Limits } from "../limits.ts";
import { limitsOf } from "../io/limits_of.ts";
import { checkedBytes } from "../words/plain_bytes.ts";
import type { Program } from "../program.ts";

/**
 * The program in the contents of a `.pdmodel`, `__model__` or `.json` file.
 *
 * Mirrors `paddle.static.deserialize_program` (2.0 and later), which accepts only the first of these.
 *
 * @throws {FormatError} the bytes are not a program; `offset` says where
 * @throws {LimitError} `LIMIT`
 */
export function deserializeProgram(data: Uint8Array, options: { limits?: Partial<Limits> } = {}): Program {
  checkOptions(options, ["limits"]);
  // The program keeps views of the bytes, which the caller may change.
  return parseProgram(checkedBytes(data).slice(), limitsOf(options.limits));
}
