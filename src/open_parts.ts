/**
 * Opens one file with the decoder of its kind.
 *
 * @module
 */
import { collecting } from "./io/collected_warnings.ts";
import type { Cursor, Decoder } from "./codec/cursor.ts";
import type { PickledArray } from "./codec/pickle/pickled.ts";
import { driveFrom } from "./io/drive/drive_from.ts";
import { type From, sourceOf } from "./io/open/open_source.ts";
import type { Source } from "./io/source.ts";
import { readWhole } from "./io/open/read_whole.ts";
import { withIndex } from "./io/lazy/side_index.ts";
import { SpanBytes } from "./io/lazy/span_bytes.ts";
import { inTurns } from "./io/waiting/turns.ts";
import { limitsOf } from "./io/limits_of.ts";
import type { ArrayContext } from "./model/array_of.ts";
import type { Shaped } from "./model/from_file.ts";
import { namedArraysInSteps } from "./model/named_arrays.ts";
import type { NDArray } from "./ndarray.ts";
import type { OpenOptions } from "./options.ts";
import { Checkpoint, type CheckpointParts } from "./checkpoint.ts";

/** Open `from` with the decoder `make`, and convert its result with `shape`. */
export async function openWith<T>(
  from: From,
  options: OpenOptions,
  make: (cursor: Cursor) => Decoder<T>,
  shape: (content: T, context: ArrayContext) => Shaped | Generator<void, Shaped>,
): Promise<Checkpoint> {
  return new Checkpoint(await openParts(from, options, make, shape));
}

/** The parts of a Checkpoint of `from`. */
export async function openParts<T>(
  from: From,
  given: OpenOptions,
  make: (cursor: Cursor) => Decoder<T>,
  shape: (content: T, context: ArrayContext) => Shaped | Generator<void, Shaped>,
): Promise<CheckpointParts> {
  const { signal, onProgress } = given, { options, warnings } = collecting(given);
  signal?.throwIfAborted();
  const { maxStreamBytes } = limitsOf(options.limits);
  let opened = await sourceOf(from, options);
  if (options.index !== undefined && !("stream" in opened)) opened = await indexed(opened, options.index, options);
  const source = "stream" in opened ? null : opened;
  return await driveFrom(
    opened,
    make,
    async (content, borrowed): Promise<CheckpointParts> => {
      const lazies = new Map<NDArray, SpanBytes>(), origins = new Map<NDArray, PickledArray>();
      let last: SpanBytes | null = null;
      const shaping = shape(content, {
        borrowed,
        lazy: (span, finish, from) => last = new SpanBytes(source!, span, finish, from),
        onArray: (made, from) => {
          if (!made.isLoaded && last) lazies.set(made, last);
          else if (from) origins.set(made, from);
        },
      });
      const { value, warnings: found } = "next" in shaping ? await inTurns(shaping, signal) : shaping;
      const arrays = await inTurns(namedArraysInSteps(value, limitsOf(options.limits)), signal);
      for (const warning of found) options.onWarning(warning);
      return { source, value, arrays, warnings, lazies, origins };
    },
    { signal, onProgress, lazy: true, maxStreamBytes },
  );
}

/** The source with its side index; it is closed if the index cannot be read. */
async function indexed(source: Source, index: From, options: OpenOptions): Promise<Source> {
  try {
    const limit = limitsOf(options.limits).maxStructureBytes;
    return await withIndex(source, await readWhole(index, limit, options), options);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
