/**
 * Opens a sharded checkpoint by its index.
 *
 * @module
 */
import { readFile } from "./codec/read_file.ts";
import { PathError, quote, type Warning } from "./errors.ts";
import type { Place } from "./io/open/place.ts";
import { readShardIndex } from "./io/models/shard_index.ts";
import type { Folder } from "./io/folder.ts";
import { progressOfFiles } from "./io/progress.ts";
import type { Limits } from "./limits.ts";
import { fromFileInSteps } from "./model/from_file.ts";
import { NDArray } from "./ndarray.ts";
import type { OpenOptions } from "./options.ts";
import { Checkpoint, type CheckpointParts } from "./checkpoint.ts";
import { openParts } from "./open_parts.ts";

/** Open a sharded checkpoint by its index: reads each file's structure, but no data. `options.onWarning` fills `warnings`. */
export async function openShards(
  place: Place,
  options: OpenOptions & { limits: Readonly<Limits> },
  warnings: Warning[],
): Promise<Checkpoint> {
  const { limits, signal } = options, progress = progressOfFiles(options.onProgress, "load");
  const { folder, files } = await readShardIndex(place, limits, signal);
  const shards = new Map<string, CheckpointParts>();
  const value = new Map<string, NDArray>();
  try {
    for (const [name, file] of files) {
      let shard = shards.get(file);
      if (!shard) {
        shards.set(file, shard = await openShard(folder, file, { ...options, onProgress: progress?.onProgress }));
      }
      const array = shard.value instanceof Map ? shard.value.get(name) : undefined;
      if (!(array instanceof NDArray)) {
        throw new PathError(
          "MISSING_PART",
          `The file ${quote(file)} lacks ${quote(name)}, which the index assigns to it`,
          {
            path: file,
            at: name,
          },
        );
      }
      value.set(name, array);
    }
    await progress?.end();
  } catch (error) {
    for (const { source } of shards.values()) await source?.close?.();
    throw error;
  }
  const parts = [...shards.values()];
  return new Checkpoint({
    source: null,
    sources: parts.flatMap(({ source }) => source ?? []),
    value,
    warnings,
    places: new Map(parts.flatMap(({ places }) => [...places])),
    lazies: new Map(parts.flatMap(({ lazies }) => [...lazies])),
  });
}

async function openShard(
  folder: Folder,
  file: string,
  options: OpenOptions & { limits: Readonly<Limits> },
): Promise<CheckpointParts> {
  const { limits, strict, signal } = options;
  const source = await folder.get(file, { signal });
  if (!source) {
    throw new PathError("MISSING_PART", `The index names ${quote(file)}, which does not exist`, { path: file });
  }
  return await openParts(
    source,
    options,
    (cursor) => readFile(cursor, { limits, strict, locate: true }),
    (content, context) => fromFileInSteps(content, { ...options, ...context }),
  );
}
