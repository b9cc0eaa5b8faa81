/**
 * `fluid.load_dygraph` of Paddle 1.6 to 1.8.
 *
 * @module
 */
import { checkedPrefix } from "../io/argument_errors.ts";
import type { Folder } from "../io/folder.ts";
import { splitQuery } from "../io/url_text.ts";
import type { Limits } from "../limits.ts";
import { loadDict, loadDictIfThere } from "../load_dict.ts";
import { NAME_TABLE } from "../model/keys.ts";
import type { NDArray } from "../ndarray.ts";
import { checkOptions } from "../options.ts";

/** Options of {@linkcode loadDygraph}. */
export interface LoadDygraphOptions {
  /** Keep the name table in the parameters. @default {false} */
  keepNameTable?: boolean;
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Limits on what the files may demand. */
  limits?: Partial<Limits> | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
}

const SUFFIXES = [".pdparams", ".pdopt"];

/**
 * Parameters and optimizer state from `prefix.pdparams` and `prefix.pdopt`, as arrays; the second is null if there is none. The binary
 * files of 1.6, which newer versions of Paddle refuse, are supported, too. A suffix on the prefix is ignored.
 *
 * Mirrors `fluid.load_dygraph` (1.8).
 *
 * @throws {SourceError} `NOT_FOUND`: there is no `prefix.pdparams`
 * @throws {FormatError} `WRONG_FORMAT`: a file holds no dict
 */
export async function loadDygraph(
  prefix: string | URL,
  options: LoadDygraphOptions = {},
): Promise<[Map<string, NDArray | unknown>, Map<string, NDArray | unknown> | null]> {
  checkOptions(options, ["keepNameTable", "folder", "limits", "signal"]);
  const { keepNameTable = false, folder, limits, signal } = options;
  const [given, query] = splitQuery(checkedPrefix(prefix)), suffix = SUFFIXES.find((end) => given.endsWith(end));
  const base = suffix ? given.slice(0, -suffix.length) : given;
  const shared = { folder, limits, signal, returnNumpy: true, keepNameTable: true };
  const parameters = await loadDict(base + ".pdparams" + query, shared);
  if (!keepNameTable) parameters.delete(NAME_TABLE);
  // 1.8 leaves the name table in the optimizer's state (FORMATS.md 1.3).
  return [parameters, await loadDictIfThere(base + ".pdopt" + query, shared)];
}
