/** From a name in the bucket to an opened checkpoint. */
import { type Checkpoint, detect, isPaddleError, type Limits, open, sideIndex } from "@oarlock/paddle";
import type { TensorMap } from "@oarlock/paddle/safetensors";
import { Failure } from "./failure.ts";
import type { KeptIndexes } from "./kept_indexes.ts";
import type { PinnedFolder } from "./pinned_folder.ts";

/** What a worker of 128 MB can hold of a file's structure; the tensors are never held. */
const LIMITS: Partial<Limits> = {
  maxStructureBytes: 48 * 2 ** 20,
  maxStringBytes: 2 ** 20,
  maxProgramBytes: 16 * 2 ** 20,
  maxJsonBytes: 16 * 2 ** 20,
  maxTensors: 100_000,
  maxOps: 500_000,
  maxVars: 500_000,
  maxEntries: 10_000,
};

/** Endings of a model's files: the model is opened by what stands before. */
const PART = /\.(pdmodel|pdiparams)$/;
/** Ending of the index of a checkpoint in several files. */
const INDEX = ".index.json";

/** Whether all that `name` stands for is the file of this name: its version is then known before it is opened. */
export async function isOneFile(folder: PinnedFolder, name: string, signal: AbortSignal): Promise<boolean> {
  return !PART.test(name) && !name.endsWith(INDEX) && await folder.get(name, { signal }) !== null;
}

/** Open `name`: a file, a part or the prefix of a model, a folder of Paddle 1.x, or the index of a checkpoint in several files. */
export async function openCheckpoint(
  folder: PinnedFolder,
  name: string,
  kept: KeptIndexes,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const options = { limits: LIMITS, signal };
  if (!await isOneFile(folder, name, signal)) return await openModel(folder, name, options);
  const file = (await folder.get(name, { signal }))!;
  let index = kept.get(name, file.version ?? "");
  if (!index) {
    index = await sideIndex({ folder, name }, options);
    if (file.version !== undefined) kept.set(name, file.version, index);
  }
  return await open({ folder, name }, { ...options, index });
}

async function openModel(
  folder: PinnedFolder,
  name: string,
  options: { limits: Partial<Limits>; signal: AbortSignal },
): Promise<Checkpoint> {
  try {
    return await open({ folder, name: name.replace(PART, "") }, options);
  } catch (error) {
    const isAlone = isPaddleError(error) && error.code === "NOT_FOUND" && await folder.get(name, options) !== null;
    if (isAlone) throw new Failure(422, "MISSING_PART", "The program of these parameters is not beside them");
    throw error;
  }
}

/** The texts that a safetensors file carries; none of other files. */
export async function metadataOf(
  checkpoint: Checkpoint,
  folder: PinnedFolder,
  name: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  // Only these hold nothing but arrays: the value of another file may have much that would be read now.
  const kind = await folder.get(name, { signal }) ? await detect({ folder, name }, { signal }) : null;
  return kind === "safetensors" ? (await checkpoint.value() as TensorMap).metadata : new Map();
}
