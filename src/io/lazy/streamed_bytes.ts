/**
 * A long range of a source in one request, as its bytes arrive.
 *
 * @module
 */
import { isPaddleError, SourceError } from "../../errors.ts";
import type { Source } from "../source.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";

/** Number of consecutive failures without good progress that are tolerated, and the bytes that count as good progress. */
const RETRIES = 3, GOOD_PROGRESS = 2 ** 20;

/** The bytes `[start, end)` of a source that has {@linkcode Source.streamRange}. A stream that breaks is resumed where it broke. */
export async function* streamedBytes(
  source: Source,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const turns = new Turns(signal);
  let at = start;
  for (let failures = 0; at < end;) {
    const before = at;
    signal?.throwIfAborted();
    const reader = source.streamRange!(at, end).getReader();
    try {
      for (let step; at < end && !(step = await within(reader.read(), Infinity, signal)).done;) {
        const chunk: unknown = step.value;
        if (!(chunk instanceof Uint8Array) || chunk.length > end - at) {
          throw failed(source, at, "The source streams something other than the requested bytes");
        }
        at += chunk.length;
        yield chunk;
        if (turns.due()) await turns.take();
      }
      if (at < end) throw failed(source, at, `The stream ends at byte ${at}, not ${end}`);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isPaddleError(error) && error.code !== "READ_FAILED") throw error;
      failures = at - before >= GOOD_PROGRESS ? 1 : failures + 1;
      if (failures > RETRIES) {
        throw isPaddleError(error) ? error : failed(source, at, "The stream of the source failed", error);
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }
}

function failed(source: Source, offset: number, message: string, cause?: unknown): SourceError {
  return new SourceError("READ_FAILED", message, { offset, path: source.name, cause });
}
