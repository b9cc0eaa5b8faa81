/**
 * A file on a server as one download, which is resumed after an interruption if the server supports ranges.
 *
 * @module
 */
import type { HttpAsker } from "./http_asker.ts";
import { cutOff, type HttpPart, tooMuch, truncated } from "./http_part.ts";
import { FAIR_PART } from "./http_retries.ts";
import { strongEtag } from "./http_version.ts";

/** Bytes requested if the size is unknown: more than any file has. */
const UNKNOWN = 2 ** 40;

/** The bytes of the file as they arrive; `part` is the response to a request for the whole file. */
export async function* download(asker: HttpAsker, part: HttpPart, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const retries = asker.retries(), goesOn = isResumable(asker, part);
  let at = 0;
  try {
    for (;;) {
      const before = at;
      let failure: unknown = null;
      try {
        for (let chunk; (chunk = await part.body.next(signal)) !== null;) {
          if (part.end !== undefined && at + chunk.length > part.end) throw tooMuch(part);
          at += chunk.length;
          retries.progress(chunk.length);
          yield chunk;
        }
        if (part.end !== undefined && at < part.end) throw truncated(part, at);
        if (part.whole || at === asker.version.total) return;
        // A server may send less than was requested, but not forever.
        if (at - before < FAIR_PART) retries.count(truncated(part, at));
      } catch (error) {
        failure = cutOff(error, part, at);
        if (at > 0 && !goesOn) throw failure;
        await retries.wait(failure, signal);
      }
      part.body.cancel();
      const range = at === 0 ? null : { start: at, end: asker.version.total ?? at + UNKNOWN };
      part = await asker.ask(range, signal, retries);
      // A server without ranges would start over, but bytes that were passed on cannot be taken back.
      if (at > 0 && part.whole) throw failure ?? truncated(part, at);
    }
  } finally {
    part.body.cancel();
  }
}

/**
 * Whether an interrupted download can be resumed: its bytes must have known offsets in the file, and the
 * rest must be of the same version.
 */
function isResumable({ version }: HttpAsker, { end, encoded, body }: HttpPart): boolean {
  if (encoded) return false;
  // If the length is hidden or unknown, only the validator ties the two parts together.
  return end !== undefined || body.response.type !== "cors" && strongEtag(version.value) !== null;
}
