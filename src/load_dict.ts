/**
 * Loads a file that must hold a dict.
 *
 * @module
 */
import { FormatError, isPaddleError, quote } from "./errors.ts";
import { load } from "./load.ts";
import type { LoadOptions } from "./options.ts";
import type { Value } from "./values.ts";
import { gotInstead } from "./words/described.ts";

/**
 * The dict in a file, such as a state dict.
 *
 * @throws {FormatError} `WRONG_FORMAT`: the file holds something else
 */
export async function loadDict(path: string, options: LoadOptions): Promise<Map<string, Value>> {
  const value = await load(path, options);
  if (value instanceof Map) return value as Map<string, Value>;
  throw new FormatError("WRONG_FORMAT", `${quote(path)} does not hold a dict: ${gotInstead(value)}`, { path });
}

/** The same, but null if there is no such file. */
export async function loadDictIfThere(path: string, options: LoadOptions): Promise<Map<string, Value> | null> {
  try {
    return await loadDict(path, options);
  } catch (error) {
    if (isPaddleError(error) && error.code === "NOT_FOUND") return null;
    throw error;
  }
}
