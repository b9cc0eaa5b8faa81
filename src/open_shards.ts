/**
 * Opens a sharded checkpoint by its index.
 *
 * @module
 */
import { readFile } from "./codec/read_file.ts";
import type { Warning } from "./errors.ts";
import { type OpenedIndex, openShard, readShardIndex, tensorIn } from "./io/models/shard_index.ts";
import type { Folder } from "./io/folder.ts";
import { closeAll } from "./io/source.ts";
import { progressOfFiles } from "./io/progress.ts";
import type { Limits } from "./limits.ts";
import { fromFileInSteps } from "./model/from_file.ts";
import type { NDArray } from "./ndarray.ts";
import type { OpenOptions } from "./options.ts";
import { Checkpoint, type CheckpointParts } from "./checkpoint.ts";
import { openParts } from "./open_parts.ts";

/** Open a sharded checkpoint by its index: reads each file's structure, but no data. `options.onWarning` fills `warnings`. */
export async function openShards(
  index: OpenedIndex,
  options: OpenOptions & { limits: Readonly<Limits> },
  warnings: Warning[],
): Promise<Checkpoint> {
  const { limits, signal } = options, progress = progressOfFiles(options.onProgress, "load");
  const { folder, files } = await readShardIndex(index, limits, signal);
  const shards = new Map<string, CheckpointParts>();
  const value = new Map<string, NDArray>();
  try {
    for (const [name, file] of files) {
      let shard = shards.get(file);
      if (!shard) {
        shards.set(file, shard = await partsOf(folder, file, { ...options, onProgress: progress?.onProgress }));
      }
      value.set(name, tensorIn(shard.value, name, file));
    }
    await progress?.end();
  } catch (error) {
    await closeAll([...shards.values()].map(({ source }) => source)).catch(() => {});
    throw error;
  }
  const parts = [...shards.values()];
  return new Checkpoint({
    source: null,
    sources: parts.flatMap(({ source }) => source ?? []),
    value,
    warnings,
    origins: new Map(parts.flatMap(({ origins }) => [...origins])),
    lazies: new Map(parts.flatMap(({ lazies }) => [...lazies])),
  });
}

async function partsOf(
  folder: Folder,
  file: string,
  options: OpenOptions & { limits: Readonly<Limits> },
): Promise<CheckpointParts> {
  const { limits, strict, safetensors, signal } = options;
  return await openParts(
    await openShard(folder, file, signal),
    options,
    (cursor) => readFile(cursor, { limits, strict, safetensors, locate: true }),
    (content, context) => fromFileInSteps(content, { ...options, ...context }),
  );
}
