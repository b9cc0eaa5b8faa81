/**
 * Joins the chunks of a long stream.
 *
 * @module
 */
import { allocate } from "../../words/allocate.ts";
import { Turns } from "../waiting/turns.ts";

/** Concatenate chunks, with turns of the event loop between them. */
export async function joinInTurns(
  chunks: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = allocate(chunks.reduce((n, chunk) => n + chunk.length, 0));
  const turns = new Turns(signal);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
    if (turns.due()) await turns.take();
  }
  return whole;
}
