/**
 * `fluid.save_dygraph` of Paddle 1.6 to 1.8.
 *
 * @module
 */
import { writeTnum } from "../codec/tnum/write_tnum.ts";
import { ValueError } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import { NDArray } from "../ndarray.ts";
import { checkOptions } from "../options.ts";
import { saveChunks, type SaveReport } from "../save.ts";
import { save } from "../save.ts";
import { Tensor } from "../tensor.ts";

/** Options of {@linkcode saveDygraph}. */
export interface SaveDygraphOptions {
  /** What is saved: it decides the suffix. @default `"parameters"` where the first value is a persistable Tensor, else `"optimizer"` */
  kind?: "parameters" | "optimizer";
  /** `"1.8"`: a pickle of protocol 2. `"1.6"`: the binary file of 1.6, which only 1.6 and this library read. @default {"1.8"} */
  layout?: "1.8" | "1.6";
  /** Where the names are put. */
  folder?: Folder;
  /** Stops the call. */
  signal?: AbortSignal;
}

/**
 * Write `prefix.pdparams`, or `prefix.pdopt` for the state of an optimizer.
 *
 * Mirrors `fluid.save_dygraph` (1.8).
 *
 * @throws {ValueError} `INVALID_VALUE`: the dict is empty, or the prefix has no file name
 */
export async function saveDygraph(
  stateDict: Map<string, unknown>,
  prefix: string,
  options: SaveDygraphOptions = {},
): Promise<SaveReport> {
  checkOptions(options, ["kind", "layout", "folder", "signal"]);
  const { layout = "1.8", folder, signal } = options;
  if (stateDict.size === 0) throw new ValueError("INVALID_VALUE", "The state dict is empty: there is nothing to save");
  if (prefix === "" || prefix.endsWith("/")) {
    throw new ValueError("INVALID_VALUE", "The prefix must be folder/name: the name is empty");
  }
  const [first] = stateDict.values();
  const kind = options.kind ?? (first instanceof Tensor && first.persistable ? "parameters" : "optimizer");
  const path = prefix + (kind === "parameters" ? ".pdparams" : ".pdopt");
  if (layout === "1.8") return await save(stateDict, path, { protocol: 2, folder, signal });
  const tensors = new Map<string, NDArray>();
  for (const [key, value] of stateDict) {
    if (!(value instanceof NDArray)) {
      throw new ValueError("INVALID_VALUE", `The layout of 1.6 holds tensors only: ${key} is none`, { at: key });
    }
    tensors.set(value instanceof Tensor && value.name ? value.name : key, value);
  }
  let size = 0;
  for (const chunk of writeTnum(tensors)) size += chunk.length;
  const again = () => writeTnum(tensors);
  return await saveChunks({ size, chunks: again(), again, warnings: [] }, path, { folder, signal });
}
