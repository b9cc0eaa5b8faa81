/**
 * A caller's stream, chunk by chunk.
 *
 * @module
 */
import { isPaddleError, SourceError } from "../../errors.ts";
import { checkedChunk } from "./checked_chunk.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";

/** The chunks of `stream` as they arrive, until `signal` aborts. Whatever it fails with surfaces as one of our errors. */
export async function* streamChunks(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader(), turns = new Turns(signal);
  let received = 0;
  try {
    for (;;) {
      // A stream that has everything at hand would keep everything else waiting.
      if (turns.due()) await turns.take();
      let step: ReadableStreamReadResult<Uint8Array>;
      try {
        step = await within(reader.read(), Infinity, signal);
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        if (isPaddleError(cause)) throw cause;
        throw new SourceError("READ_FAILED", `The stream failed at byte ${received}`, { offset: received, cause });
      }
      if (step.done) return;
      const chunk = checkedChunk(step.value);
      received += chunk.length;
      yield chunk;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
