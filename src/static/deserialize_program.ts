/**
 * `paddle.static.deserialize_program`.
 *
 * @module
 */
import { parseProgram } from "../codec/program/read_program.ts";
import { type Limits, resolveLimits } from "../limits.ts";
import { checkedBytes } from "../words/plain_bytes.ts";
import type { Program } from "../program.ts";

/**
 * The program in the bytes of a `.pdmodel`, `__model__` or `.json` file.
 *
 * Mirrors `paddle.static.deserialize_program` (2.0 and later), which takes the first of these only.
 *
 * @throws {FormatError} the bytes are no program; `offset` says where
 * @throws {LimitError} `LIMIT`
 */
export function deserializeProgram(data: Uint8Array, options: { limits?: Partial<Limits> } = {}): Program {
  // Views of the bytes are kept, and the caller may change them.
  return parseProgram(checkedBytes(data).slice(), resolveLimits(options.limits));
}
