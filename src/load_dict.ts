/**
 * Loads a file that must hold a dict.
 *
 * @module
 */
import { FormatError, isPaddleError, quote, SourceError } from "./errors.ts";
import { loadOr } from "./load.ts";
import type { LoadOptions } from "./options.ts";
import type { Value } from "./values.ts";
import { gotInstead } from "./words/described.ts";

/**
 * The dict in a file, such as a state dict.
 *
 * @throws {FormatError} `WRONG_FORMAT`: the file holds something else
 */
export async function loadDict(
  path: string,
  options: LoadOptions,
  otherwise?: Parameters<typeof loadOr>[2],
): Promise<Map<string, Value>> {
  const value = await loadOr(path, options, otherwise);
  if (value instanceof Map) return value as Map<string, Value>;
  throw new FormatError("WRONG_FORMAT", `${quote(path)} does not hold a dict: ${gotInstead(value)}`, { path });
}

/** The same, but null if there is no such file: no model is looked for. */
export async function loadDictIfThere(path: string, options: LoadOptions): Promise<Map<string, Value> | null> {
  try {
    return await loadDict(path, options, () => Promise.reject(new SourceError("NOT_FOUND", path)));
  } catch (error) {
    if (isPaddleError(error) && error.code === "NOT_FOUND") return null;
    throw error;
  }
}
