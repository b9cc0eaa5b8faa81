/**
 * Decodes bytes in memory to a value.
 *
 * @module
 */
import { driveBytes } from "./codec/drive_bytes.ts";
import { readFile } from "./codec/read_file.ts";
import { limitsOf } from "./io/limits_of.ts";
import { fromFile } from "./model/from_file.ts";
import { checkOptions, DECODE_OPTIONS, type DecodeOptions } from "./options.ts";
import { checkedBytes } from "./words/plain_bytes.ts";
import type { Value } from "./values.ts";

/**
 * Decode the bytes of a file to the value that {@linkcode load} returns, synchronously. Arrays are views of `bytes` unless `copy` is set.
 *
 * Mirrors `paddle.load(io.BytesIO(bytes))` (2.2 and later).
 *
 * @throws {TypeError} `bytes` is not bytes
 * @throws {FormatError} the bytes are not a well-formed file of a supported kind
 * @throws {UnsafeError} a pickle names something that is not plain data
 * @throws {LimitError} `LIMIT`: one of the `limits` was exceeded
 * @throws {UnsupportedError} an array with a dtype that no Tensor can have, or a later pickle protocol
 *
 * @example Decode what was encoded
 * ```ts
 * import { decode, encode } from "@oarlock/paddle";
 * const bytes = encode(new Map([["epoch", 3]]));
 * const value = decode(bytes) as Map<string, unknown>;
 * if (value.get("epoch") !== 3) throw new Error("lost");
 * ```
 */
export function decode(bytes: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): Value {
  checkOptions(options, DECODE_OPTIONS);
  const limits = limitsOf(options.limits);
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
