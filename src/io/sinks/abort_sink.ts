/**
 * The end of a sink whose save failed.
 *
 * @module
 */
import { FileSink } from "./file_sink.ts";
import type { Sink } from "../sink.ts";
import { within } from "../waiting/within.ts";

/** Milliseconds that sinks have to leave nothing behind: when the call was stopped, and else. */
const STOPPED = 20, FAILED = 30_000;

/** Take back what was begun. A file by path is always waited for; a sink that was stopped may be at its last chunk for ever. */
export async function abortSink(sink: Sink, reason: unknown, signal: AbortSignal | undefined): Promise<void> {
  const aborting: Promise<unknown> = (async () => await sink.abort(reason))();
  if (sink instanceof FileSink) await aborting;
  else await (signal?.aborted ? within(aborting, STOPPED) : within(aborting, FAILED, signal));
}
