/**
 * Decodes general pickles with numpy arrays, without Paddle's conventions.
 *
 * @module
 */
import { driveBytes } from "../codec/drive_bytes.ts";
import { readPickle } from "../codec/pickle/read_pickle.ts";
import type { Warning } from "../errors.ts";
import { type Limits, resolveLimits } from "../limits.ts";
import { checkedBytes } from "../words/plain_bytes.ts";
import type { Value } from "../values.ts";
import { plainFromPickle } from "./plain_from_pickle.ts";

/** How {@linkcode decodePickle} reads. */
export interface DecodePickleOptions {
  /** Limits on what the file may request. */
  limits?: Partial<Limits>;
  /** Arrays get copies of their bytes instead of views of the input. @default {false} */
  copy?: boolean;
  /** Called with each warning. */
  onWarning?: (warning: Warning) => void;
}

/**
 * The value of a pickle, as `pickle.load(f, encoding="latin1")` returns it in Python, for the closed set of symbols that plain data needs.
 *
 * @throws {FormatError} the bytes are not a well-formed pickle
 * @throws {UnsafeError} the pickle names something that is not plain data
 * @throws {LimitError} one of the `limits` was exceeded
 */
export function decodePickle(bytes: Uint8Array, options: DecodePickleOptions = {}): Value {
  const limits = resolveLimits(options.limits);
  const copy = options.copy ?? false;
  const pickle = driveBytes((cursor) => readPickle(cursor, { limits }), checkedBytes(bytes), { copy });
  const value = plainFromPickle(pickle, { borrowed: !copy });
  for (const warning of pickle.warnings) options.onWarning?.(warning);
  return value;
}
