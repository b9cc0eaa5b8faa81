/**
 * A file to a value: `paddle.load`.
 *
 * @module
 */
import { readFile } from "./codec/read_file.ts";
import { driveFrom } from "./io/drive_from.ts";
import { type From, sourceOf } from "./io/open_source.ts";
import { resolveLimits } from "./limits.ts";
import { fromFile } from "./model/from_file.ts";
import { checkOptions, LOAD_OPTIONS, type LoadOptions } from "./options.ts";
import type { Value } from "./values.ts";

/**
 * The value of a file that `paddle.save` wrote, in any Paddle from 1.6 to 3.3.
 *
 * Tensors come as Tensor (dynamic graph, with the parameter's name), as DenseTensor with `mode: "static"`, as NDArray with `returnNumpy`.
 * Nothing in the file is ever executed. Mirrors `paddle.load` (2.1 and later).
 *
 * @throws {FormatError} the file is not well formed; `offset` says where
 * @throws {UnsafeError} a pickle names something that is not plain data; `symbol` says what
 * @throws {LimitError} `LIMIT`: a ceiling of `limits` was reached
 * @throws {SourceError} the file cannot be found or read
 * @throws {PathError} the path leads to no regular file
 *
 * @example Load from bytes of a Blob
 * ```ts
 * import { encode, load } from "@oarlock/paddle";
 * const file = new Blob([encode(new Map([["epoch", 3]]))]);
 * const value = await load(file) as Map<string, unknown>;
 * if (value.get("epoch") !== 3) throw new Error("lost");
 * ```
 */
export async function load(from: From, options: LoadOptions = {}): Promise<Value> {
  checkOptions(options, LOAD_OPTIONS);
  const { signal, onProgress, copy } = options;
  signal?.throwIfAborted();
  const limits = resolveLimits(options.limits);
  const opened = await sourceOf(from, { ...options, onePass: true });
  const { value, warnings } = await driveFrom(
    opened,
    (cursor) => readFile(cursor, { limits, strict: options.strict }),
    (content, borrowed) => fromFile(content, { ...options, borrowed }),
    { signal, onProgress, copy, onePass: true, maxStreamBytes: limits.maxStreamBytes },
  );
  for (const warning of warnings) options.onWarning?.(warning);
  return value;
}
