/**
 * Creates the side index of a file.
 *
 * @module
 */
import { type From, sourceOf } from "./io/open/open_source.ts";
import { RecordingSource } from "./io/lazy/side_index.ts";
import { checkOptions, LOAD_OPTIONS, type LoadOptions } from "./options.ts";
import { open } from "./open.ts";

/**
 * The side index of a file: the bytes from which its structure is read, in one piece. Store it beside the file, and pass it to
 * {@linkcode open} as `index`: opening over HTTP then takes two requests, regardless of the number of arrays. It belongs to one version of
 * the file; `open` ignores an outdated one with the warning `STALE_INDEX`.
 *
 * @throws what {@linkcode open} throws
 *
 * @example Make one, and open by it
 * ```ts
 * import { encode, full, open, sideIndex } from "@oarlock/paddle";
 * const file = new Blob([encode(new Map([["w", full([1000], 1, "float32")]]))]);
 * const index = await sideIndex(file);
 * await using checkpoint = await open(file, { index });
 * if (checkpoint.info("w").shape[0] !== 1000) throw new Error("lost");
 * ```
 */
export async function sideIndex(from: From, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions(options, LOAD_OPTIONS);
  options.signal?.throwIfAborted();
  const opened = await sourceOf(from, options);
  if ("stream" in opened) throw new TypeError("A side index needs a file that can be opened again: this is a stream");
  const recording = new RecordingSource(opened);
  const checkpoint = await open(recording, options);
  try {
    return await recording.index();
  } finally {
    await checkpoint.close();
  }
}
