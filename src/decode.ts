/**
 * Bytes in memory to a value.
 *
 * @module
 */
import { driveBytes } from "./codec/drive_bytes.ts";
import { readFile } from "./codec/read_file.ts";
import { resolveLimits } from "./limits.ts";
import { fromFile } from "./model/from_file.ts";
import { checkOptions, DECODE_OPTIONS, type DecodeOptions } from "./options.ts";
import { checkedBytes } from "./words/plain_bytes.ts";
import type { Value } from "./values.ts";

/**
 * The value of a file's bytes: what {@linkcode load} gives, at once. Arrays are views of `bytes` unless `copy` is set.
 *
 * Mirrors `paddle.load(io.BytesIO(bytes))` (2.2 and later).
 *
 * @throws {TypeError} `bytes` are none
 * @throws {FormatError} the bytes are no well-formed file of a kind that is read
 * @throws {UnsafeError} a pickle names something that is not plain data
 * @throws {LimitError} `LIMIT`: a ceiling of `limits` was reached
 * @throws {UnsupportedError} an array of a kind that no Tensor can hold, a later pickle protocol, a program
 *
 * @example Decode what was encoded
 * ```ts
 * import { decode, encode, NDArray } from "@oarlock/paddle";
 * const bytes = encode(new Map([["epoch", 3]]));
 * const value = decode(bytes) as Map<string, unknown>;
 * if (value.get("epoch") !== 3) throw new Error("lost");
 * ```
 */
export function decode(bytes: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): Value {
  checkOptions(options, DECODE_OPTIONS);
  const limits = resolveLimits(options.limits);
  const copy = options.copy ?? false;
  const content = driveBytes(
    (cursor) => readFile(cursor, { limits, strict: options.strict, safetensors: options.safetensors }),
    checkedBytes(bytes),
    { copy },
  );
  const { value, warnings } = fromFile(content, { ...options, borrowed: !copy });
  for (const warning of warnings) options.onWarning?.(warning);
  return value;
}
