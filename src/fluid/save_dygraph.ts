/**
 * `fluid.save_dygraph` of Paddle 1.6 to 1.8.
 *
 * @module
 */
import { checkedPrefix } from "../io/argument_errors.ts";
import { byCodePoint } from "../words/code_point_order.ts";
import { sizeOfPickleInSteps, writePickleChunks } from "../codec/pickle/write/write_pickle.ts";
import { writeTnum } from "../codec/tnum/write_tnum.ts";
import type { Plan } from "../encode.ts";
import { ValueError, type Warning } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import { loadLazyArrays } from "../io/lazy/load_lazy_arrays.ts";
import { textLengthsOf } from "../io/save/text_lengths.ts";
import { endsInSlash } from "../io/url_text.ts";
import { inTurns } from "../io/waiting/turns.ts";
import { checkValueInSteps } from "../model/check_value.ts";
import { stateDictInSteps } from "../model/to_pickle.ts";
import { NDArray } from "../ndarray.ts";
import { checkOptions } from "../options.ts";
import { saveChunks, type SaveReport } from "../save.ts";
import { Tensor } from "../tensor.ts";

/** Options of {@linkcode saveDygraph}. */
export interface SaveDygraphOptions {
  /**
   * What to save, which decides the suffix. @default `"parameters"` if the first value is a Parameter, or a persistable Tensor under a name
   * that is not its own, as in the state dict of a layer; else `"optimizer"`
   */
  kind?: "parameters" | "optimizer";
  /** `"1.8"`: a pickle of protocol 2. `"1.6"`: the binary format of 1.6, which only 1.6 and this library read. @default {"1.8"} */
  layout?: "1.8" | "1.6";
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
}

/**
 * Write `prefix.pdparams`, or `prefix.pdopt` for the state of an optimizer, byte for byte as Paddle does.
 *
 * In the layout of 1.8 every dict gets a name table, and arrays are never split. The layout of 1.6 supports only tensors; they are written
 * under their own names, sorted.
 *
 * Mirrors `fluid.save_dygraph` (1.8, and 1.6 for that layout).
 *
 * @throws {ValueError} `INVALID_VALUE`: the dict is empty, the prefix has no file name, or something in the dict cannot be saved;
 *   `NAME_COLLISION`: two tensors have the same name, in the layout of 1.6
 */
export async function saveDygraph(
  stateDict: Map<string, unknown>,
  prefix: string | URL,
  options: SaveDygraphOptions = {},
): Promise<SaveReport> {
  checkOptions(options, ["kind", "layout", "folder", "signal"]);
  const { layout = "1.8", folder, signal } = options;
  if (layout !== "1.8" && layout !== "1.6") throw new TypeError(`Option layout must be "1.8" or "1.6": got ${layout}`);
  if (!(stateDict instanceof Map)) throw new ValueError("INVALID_VALUE", "saveDygraph saves a Map of tensors");
  if (stateDict.size === 0) throw new ValueError("INVALID_VALUE", "The state dict is empty: there is nothing to save");
  const base = checkedPrefix(prefix);
  if (base === "" || endsInSlash(base)) {
    throw new ValueError("INVALID_VALUE", "The prefix must be folder/name: the name is empty");
  }
  const kind = options.kind ?? (beginsWithParameter(stateDict) ? "parameters" : "optimizer");
  const path = base + (kind === "parameters" ? ".pdparams" : ".pdopt");
  const plan = layout === "1.8" ? await planPickle(stateDict, signal) : planTnum(stateDict);
  return await saveChunks(plan, path, { folder, signal });
}

/** In the state of an optimizer, every Tensor is under its own name. */
function beginsWithParameter(stateDict: Map<string, unknown>): boolean {
  const [[key, first]] = stateDict;
  return first instanceof Tensor && ("trainable" in first || (first.persistable && first.name !== key));
}

/** Always with a name table, unlike `paddle.save`, and never with slices of large arrays, which 1.x does not support. */
async function planPickle(stateDict: Map<string, unknown>, signal?: AbortSignal): Promise<Plan> {
  const warnings: Warning[] = [];
  await inTurns(checkValueInSteps(stateDict, warnings, false), signal);
  const value = await inTurns(stateDictInSteps(stateDict), signal);
  await loadLazyArrays(value, signal, 2);
  const settings = { protocol: 2, textLengths: await textLengthsOf(value, signal) };
  const size = await inTurns(sizeOfPickleInSteps(value, settings), signal);
  return { size, chunks: writePickleChunks(value, settings), warnings };
}

function planTnum(stateDict: Map<string, unknown>): Plan {
  const tensors = new Map<string, NDArray>();
  for (const [key, value] of stateDict) {
    if (!(value instanceof NDArray)) {
      throw new ValueError("INVALID_VALUE", `The layout of 1.6 holds tensors only: ${key} is not one`, { at: key });
    }
    const name = value instanceof Tensor && value.name ? value.name : key;
    if (tensors.has(name)) {
      throw new ValueError("NAME_COLLISION", `Two tensors have the name ${name}: the layout of 1.6 holds one of them`, {
        names: [name],
      });
    }
    tensors.set(name, value);
  }
  const sorted = new Map([...tensors].sort(([a], [b]) => byCodePoint(a, b)));
  let size = 0;
  for (const chunk of writeTnum(sorted)) size += chunk.length;
  return { size, chunks: writeTnum(sorted), warnings: [] };
}
