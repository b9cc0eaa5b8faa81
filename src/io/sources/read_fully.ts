/**
 * Reads that fill their whole buffer.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";
import type { Source } from "../source.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";

/** Fill all of `into` from `offset` on. A source may return fewer bytes at a time, but never none (RULES.md SRC-1). */
export async function readFully<Bytes extends Uint8Array>(
  source: Source,
  offset: number,
  into: Bytes,
  signal?: AbortSignal,
): Promise<Bytes> {
  let turns: Turns | null = null;
  for (let done = 0; done < into.length;) {
    signal?.throwIfAborted();
    // A source that answers at once, a little at a time, would keep everything else waiting.
    if (done > 0 && (turns ??= new Turns(signal)).due()) await turns.take();
    const reading = source.read(offset + done, done === 0 ? into : into.subarray(done), { signal });
    // Do not wait for a source that ignores the signal.
    const n = await (signal ? within(Promise.resolve(reading), Infinity, signal) : reading);
    if (n > into.length - done) {
      throw new SourceError(
        "READ_FAILED",
        `The source gave ${n} bytes where there was room for ${into.length - done}`,
        {
          offset: offset + done,
          path: source.name,
        },
      );
    }
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
