/**
 * Writes distributed checkpoints from one process.
 *
 * @module
 */
import type { From } from "../io/open/open_source.ts";
import { planEncoding } from "../encode.ts";
import type { Warning } from "../errors.ts";
import { saveFiles } from "../io/save/save_files.ts";
import { checkOptions, type SaveOptions } from "../options.ts";
import { planSaving } from "../save.ts";
import { Tensor } from "../tensor.ts";
import type { Value } from "../values.ts";
import { checkedSave, checkpointFolder, savesIn } from "./checkpoint_folder.ts";
import { flatten } from "./flatten.ts";
import { MODULES, writeMetadata } from "./metadata.ts";

/** Options of {@linkcode saveStateDict}. */
export interface SaveStateDictOptions extends Pick<SaveOptions, "folder" | "signal" | "onProgress"> {
  /**
   * Number of the save. Paddle's `unique_id`. @default the last in the folder, which is overwritten; 0 in an
   * empty one, and with `wholeFolder`
   */
  uniqueId?: number;
  /**
   * The Paddle version that will read it, as none reads both forms: `"3.0"` is read by 2.6 to 3.1, `"3.3"` by 3.2 and 3.3.
   * @default {"3.3"}
   */
  version?: "3.0" | "3.3";
  /**
   * Also write `<uniqueId>.pdsum`, last of all: sizes and SHA-256 of the files, by which every later load detects files from different
   * saves. Only in the file system. @default {false}
   */
  manifest?: boolean;
  /**
   * Build the folder next to its path and replace it as a whole: afterwards it has this save and no other. If there was a folder, there is
   * none for a moment; `recoverFolder` finishes a replacement that was interrupted then. Only for a directory at a path. @default {false}
   */
  wholeFolder?: boolean;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const OPTIONS = ["folder", "signal", "onProgress", "onWarning", "uniqueId", "version", "manifest", "wholeFolder"];

/**
 * Write a state dict, nested or not, to a folder: the tensors as `0_<uniqueId>.distcp`, and then `<uniqueId>.metadata`, which completes the
 * checkpoint. Mirrors `paddle.distributed.save_state_dict` in a single process.
 *
 * @throws {ValueError} `INVALID_VALUE`: something is neither a tensor nor a dict of tensors; `NAME_COLLISION`; nothing was written
 * @throws {SaveError} writing failed
 */
export async function saveStateDict(
  stateDict: ReadonlyMap<string, Value>,
  path: From,
  options: SaveStateDictOptions = {},
): Promise<void> {
  checkOptions(options, OPTIONS);
  const { signal, version = "3.3", wholeFolder } = options;
  if (!Object.hasOwn(MODULES, version)) {
    throw new TypeError(`Option version must be "3.0" or "3.3": got ${String(version)}`);
  }
  const given = checkedSave(options.uniqueId);
  signal?.throwIfAborted();
  const leaves = flatten(stateDict);
  const folder = await checkpointFolder(path, options);
  const uniqueId = given ?? (wholeFolder ? 0 : (await savesIn(folder))?.at(-1) ?? 0);
  const file = `0_${uniqueId}.distcp`;
  const tensors = new Map<string, Value>();
  const described = new Map<string, { dtype: string; shape: readonly number[]; path: readonly string[] }>();
  for (const [name, { array, path }] of leaves) {
    const tensor = array instanceof Tensor ? array : Tensor.from(array);
    tensors.set(name, tensor);
    described.set(name, { dtype: tensor.dtype, shape: tensor.shape, path });
  }
  const saved = await planSaving(tensors, { signal });
  const metadata = planEncoding(writeMetadata(described, file, version), {});
  await saveFiles(
    folder,
    [
      { name: file, size: saved.size, chunks: saved.chunks },
      { name: `${uniqueId}.metadata`, size: metadata.size, chunks: metadata.chunks },
    ],
    options,
    String(uniqueId),
  );
}
