/**
 * Pickles of numpy arrays, for anyone: without Paddle's habits.
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
  /** Ceilings for what the file may ask. */
  limits?: Partial<Limits>;
  /** Arrays get bytes of their own in place of views of the input. @default {false} */
  copy?: boolean;
  /** Called with every oddity. */
  onWarning?: (warning: Warning) => void;
}

/**
 * The value of a pickle: what `pickle.load(f, encoding="latin1")` gives in Python, for the closed set of symbols that plain data needs.
 *
 * @throws {FormatError} the bytes are no well-formed pickle
 * @throws {UnsafeError} the pickle names something that is not plain data
 * @throws {LimitError} a ceiling of `limits` was reached
 */
export function decodePickle(bytes: Uint8Array, options: DecodePickleOptions = {}): Value {
  const limits = resolveLimits(options.limits);
  const copy = options.copy ?? false;
  const pickle = driveBytes((cursor) => readPickle(cursor, { limits }), checkedBytes(bytes), { copy });
  const value = plainFromPickle(pickle, { borrowed: !copy });
  for (const warning of pickle.warnings) options.onWarning?.(warning);
  return value;
}
