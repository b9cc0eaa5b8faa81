/**
 * A read that is whole.
 *
 * @module
 */
import { SourceError } from "../errors.ts";
import type { Source } from "./source.ts";

/** Fill all of `into` from `offset` on: a source may give fewer bytes at a time, but not none (hardening H-SRC-1). */
export async function readFully(
  source: Source,
  offset: number,
  into: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  for (let done = 0; done < into.length;) {
    signal?.throwIfAborted();
    const n = await source.read(offset + done, done === 0 ? into : into.subarray(done), { signal });
    if (!(n > 0)) {
      throw new SourceError(
        "SHORT_READ",
        `The source ends at byte ${offset + done}, ${into.length - done} bytes early`,
        {
          offset: offset + done,
          path: source.name,
        },
      );
    }
    done += n;
  }
  return into;
}
