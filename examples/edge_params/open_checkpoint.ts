/** Opens checkpoints by their names in the bucket. */
import { type Checkpoint, detect, isPaddleError, type Limits, open, sideIndex, type Source } from "@oarlock/paddle";
import type { TensorMap } from "@oarlock/paddle/safetensors";
import { Failure } from "./failure.ts";
import { type KeptBytes, MOST_OF_ONE, TOO_LARGE } from "./kept_bytes.ts";
import type { PinnedFolder } from "./pinned_folder.ts";

/** Limits on a file's structure that suit a worker with 128 MB; tensors are never held in memory. */
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

/** Extensions of a model's files: the model is opened by the prefix before them. */
const PART = /\.(pdmodel|pdiparams)$/;
/** Extension of the index of a sharded checkpoint. */
const INDEX = ".index.json";

/** Whether `name` stands for a single file, whose version is then known before it is opened. */
export async function isOneFile(folder: PinnedFolder, name: string, signal: AbortSignal): Promise<boolean> {
  return !PART.test(name) && !name.endsWith(INDEX) && await folder.get(name, { signal }) !== null;
}

/** Open `name`: a file, a part or the prefix of a model, a Paddle 1.x folder, or the index of a sharded checkpoint. */
export async function openCheckpoint(
  folder: PinnedFolder,
  name: string,
  kept: KeptBytes,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const options = { limits: LIMITS, signal };
  if (!await isOneFile(folder, name, signal)) return await openModel(folder, name, options);
  const file = (await folder.get(name, { signal }))!;
  const key = `index of ${name}`;
  let index = kept.get(key, file.version ?? "");
  if (!index) {
    index = await indexOf(file, options);
    if (file.version !== undefined) kept.set(key, file.version, index);
  }
  return await open({ folder, name }, index === TOO_LARGE ? options : { ...options, index });
}

/** The side index of a file, unless it is too large: it holds all that is read here. */
async function indexOf(
  file: Source,
  options: { limits: Partial<Limits>; signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer>> {
  let left = MOST_OF_ONE;
  const { size, name, version, costly } = file;
  const watched: Source = {
    size,
    name,
    version,
    costly,
    read(offset, into, options) {
      left -= into.length;
      return left < 0 ? Promise.reject(new RangeError("The index is too large")) : file.read(offset, into, options);
    },
    verify: () => file.verify?.() ?? Promise.resolve(),
  };
  try {
    return await sideIndex(watched, options);
  } catch (error) {
    if (left < 0) return TOO_LARGE;
    throw error;
  }
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

/** The metadata of a safetensors file; for other files those that PaddleNLP writes. */
export async function metadataOf(
  checkpoint: Checkpoint,
  folder: PinnedFolder,
  name: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  // Only safetensors files consist of nothing but arrays: the value of another file may have much else that would be read here.
  const kind = await folder.get(name, { signal }) ? await detect({ folder, name }, { signal }) : null;
  return kind === "safetensors" ? (await checkpoint.value() as TensorMap).metadata : new Map([["format", "np"]]);
}
